import { digitAt, isDate, isDay, isUniform, luhn, pair, verhoeff, weighted } from '../checksums.ts'
import type { IdRule } from '../rule.ts'

/** Identifiers of people in Asia, the Pacific and Africa. */
export const asiaPacific: readonly IdRule[] = [
  {
    kind: 'national-id',
    rule: 'national-id/in-aadhaar',
    sure: ['dddd dddd dddd', 'dddd-dddd-dddd'],
    alone: ['dddddddddddd'],
    words: ['aadhaar', 'aadhar', 'uidai', 'uid', 'आधार'],
    check: (id) => /^[2-9]/.test(id) && !isUniform(id) && verhoeff(id),
  },
  {
    kind: 'tax-id',
    rule: 'tax-id/in-pan',
    sure: ['aaaaadddda'],
    words: ['pan', 'permanent account'],
    check: (id) => /^...[ABCFGHJLPT]/.test(id) && id.slice(5, 9) !== '0000',
  },
  {
    kind: 'national-id',
    rule: 'national-id/sg-nric',
    sure: ['addddddda'],
    words: ['nric', 'fin', 'singapore'],
    check: isNric,
  },
  {
    kind: 'national-id',
    rule: 'national-id/cn-resident-id',
    sure: ['dddddddddddddddddx'],
    words: ['resident id', '身份证', '居民身份证', '身份證'],
    check: isResidentId,
  },
  {
    kind: 'national-id',
    rule: 'national-id/hk-id',
    sure: ['adddddd(x)', 'aadddddd(x)'],
    told: ['addddddx', 'aaddddddx'],
    words: ['hkid', 'hong kong id', '身份證', '香港身份證'],
    check: isHongKong,
  },
  {
    kind: 'national-id',
    rule: 'national-id/tw-id',
    alone: ['addddddddd'],
    words: ['taiwan', '身分證', '身份證', 'national id', '統一編號'],
    check: isTaiwan,
  },
  {
    kind: 'national-id',
    rule: 'national-id/kr-rrn',
    sure: ['dddddd-ddddddd'],
    told: ['ddddddddddddd'],
    words: ['rrn', 'resident registration', '주민등록번호', '주민번호'],
    // Numbers given since October 2020 have no check digit.
    check: (id) => isDate(id) && /^[1-8]/.test(id.slice(6)),
  },
  {
    kind: 'national-id',
    rule: 'national-id/jp-my-number',
    alone: ['dddd~dddd~dddd'],
    words: ['my number', 'individual number', 'マイナンバー', '個人番号'],
    check: (id) => {
      const rest = weighted(id, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
      return !isUniform(id) && (rest <= 1 ? 0 : 11 - rest) === digitAt(id, 11)
    },
  },
  {
    kind: 'national-id',
    rule: 'national-id/th-id',
    sure: ['d-dddd-ddddd-dd-d', 'd dddd ddddd dd d'],
    alone: ['ddddddddddddd'],
    words: ['thai id', 'thai national', 'เลขประจำตัวประชาชน', 'บัตรประชาชน'],
    check: (id) => (11 - (weighted(id, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 10 === digitAt(id, 12),
  },
  {
    kind: 'national-id',
    rule: 'national-id/my-nric',
    sure: ['dddddd-dd-dddd'],
    told: ['dddddddddddd'],
    words: ['mykad', 'nric', 'ic number', 'kad pengenalan'],
    check: (id) => isDate(id) && pair(id, 6) > 0,
  },
  {
    kind: 'national-id',
    rule: 'national-id/id-nik',
    told: ['dddddddddddddddd'],
    words: ['nik', 'ktp'],
    check: (id) => isDay(pair(id, 8), pair(id, 6) % 40),
  },
  { kind: 'national-id', rule: 'national-id/vn-cccd', told: ['dddddddddddd'], words: ['cccd', 'cmnd', 'căn cước'] },
  { kind: 'national-id', rule: 'national-id/pk-cnic', sure: ['ddddd-ddddddd-d'], words: ['cnic', 'nadra'] },
  {
    kind: 'national-id',
    rule: 'national-id/il-id',
    alone: ['ddddddddd'],
    words: ['teudat zehut', 'israeli id', 'תעודת זהות', 'ת.ז'],
    check: (id) => !isUniform(id) && weighted(id, [1, 0, 1, 0, 1, 0, 1, 0, 1]) > 0 && luhn(id),
  },
  {
    kind: 'national-id',
    rule: 'national-id/ae-emirates-id',
    sure: ['ddd-dddd-ddddddd-d'],
    alone: ['ddddddddddddddd'],
    words: ['emirates id', 'eid', 'الهوية'],
    check: (id) => id.startsWith('784') && luhn(id),
  },
  {
    kind: 'national-id',
    rule: 'national-id/sa-id',
    told: ['dddddddddd'],
    words: ['iqama', 'saudi id', 'هوية', 'إقامة'],
    check: (id) => /^[12]/.test(id) && luhn(id),
  },
  {
    kind: 'national-id',
    rule: 'national-id/kz-iin',
    told: ['dddddddddddd'],
    words: ['iin', 'иин', 'жсн'],
    check: (id) => isDate(id),
  },
  {
    kind: 'tax-id',
    rule: 'tax-id/au-tfn',
    alone: ['ddd~ddd~ddd'],
    words: ['tfn', 'tax file', 'australian tax'],
    check: (id) => !isUniform(id) && weighted(id, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0,
  },
  {
    kind: 'tax-id',
    rule: 'tax-id/au-abn',
    sure: ['dd ddd ddd ddd'],
    alone: ['ddddddddddd'],
    words: ['abn', 'australian business'],
    check: (id) => id[0] !== '0' && (weighted(id, [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10) % 89 === 0,
  },
  {
    kind: 'tax-id',
    rule: 'tax-id/au-acn',
    told: ['ddd~ddd~ddd'],
    words: ['acn', 'australian company'],
    check: (id) => !isUniform(id) && (10 - (weighted(id, [8, 7, 6, 5, 4, 3, 2, 1]) % 10)) % 10 === digitAt(id, 8),
  },
  {
    kind: 'health-id',
    rule: 'health-id/au-medicare',
    alone: ['dddd ddddd d', 'dddd-ddddd-d', 'dddddddddd'],
    words: ['medicare'],
    check: (id) => /^[2-6]/.test(id) && weighted(id, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === digitAt(id, 8),
  },
  {
    kind: 'tax-id',
    rule: 'tax-id/nz-ird',
    told: ['ddd-ddd-ddd', 'dd-ddd-ddd', 'ddddddddd', 'dddddddd'],
    words: ['ird', 'inland revenue'],
    check: isIrd,
  },
  {
    kind: 'national-id',
    rule: 'national-id/za-id',
    sure: ['dddddd dddd ddd'],
    alone: ['ddddddddddddd'],
    words: ['south african id', 'rsa id', 'id number', 'identity number', 'sa id'],
    check: (id) => isDate(id) && /^[01]/.test(id.slice(10)) && luhn(id),
  },
  { kind: 'national-id', rule: 'national-id/ng-nin', told: ['ddddddddddd'], words: ['nin', 'bvn'] },
  {
    kind: 'national-id',
    rule: 'national-id/eg-id',
    told: ['dddddddddddddd'],
    words: ['egyptian id', 'الرقم القومي'],
    check: (id) => /^[23]/.test(id) && isDate(id, 1),
  },
]

function isNric(id: string): boolean {
  const series = id.charAt(0)
  const offset = { S: 0, F: 0, T: 4, G: 4, M: 3 }[series]
  if (offset === undefined) return false
  const rest = (weighted(id, [2, 7, 6, 5, 4, 3, 2], 1) + offset) % 11
  const letters = series === 'M' ? 'XWUTRQPNJLK' : series === 'S' || series === 'T' ? 'JZIHGFEDCBA' : 'XWUTRQPNMLK'
  return id.charAt(8) === letters[rest]
}

/** GB 11643-1999: ISO/IEC 7064 MOD 11-2, and a date. */
function isResidentId(id: string): boolean {
  if (!/^[1-9]\d{5}(?:18|19|20)\d{9}[0-9X]$/.test(id) || !isDay(pair(id, 10), pair(id, 12))) return false
  const sum = weighted(id, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
  return id.charAt(17) === '10X98765432'[sum % 11]
}

function isHongKong(id: string): boolean {
  const letters = id.length === 9 ? id.slice(0, 2) : ` ${id.charAt(0)}`
  const digits = id.slice(-7, -1)
  if (!/^[0-9]{6}$/.test(digits)) return false
  const worth = (letter: string): number => (letter === ' ' ? 36 : letter.charCodeAt(0) - 0x37)
  const sum = worth(letters.charAt(0)) * 9 + worth(letters.charAt(1)) * 8 + weighted(digits, [7, 6, 5, 4, 3, 2])
  const check = (11 - (sum % 11)) % 11
  return id.at(-1) === (check === 10 ? 'A' : String(check))
}

function isTaiwan(id: string): boolean {
  if (!/^[A-Z][1289]/.test(id)) return false
  const letter = 'ABCDEFGHJKLMNPQRSTUVXYWZIO'.indexOf(id.charAt(0)) + 10
  return (Math.floor(letter / 10) + (letter % 10) * 9 + weighted(id, [8, 7, 6, 5, 4, 3, 2, 1, 1], 1)) % 10 === 0
}

function isIrd(id: string): boolean {
  const body = id.slice(0, -1).padStart(8, '0')
  const checkOf = (weights: readonly number[]): number => (11 - (weighted(body, weights) % 11)) % 11
  let check = checkOf([3, 2, 7, 6, 5, 4, 3, 2])
  if (check === 10) check = checkOf([7, 4, 3, 2, 5, 2, 7, 6])
  return check === Number(id.at(-1))
}
