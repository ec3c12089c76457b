import { digitAt, isDateReversed, isUniform, mod11And10, modulo, pair, weighted } from '../checksums.ts'
import type { IdRule } from '../rule.ts'

/** Identifiers of people in western and southern Europe, Britain and Ireland included. */
export const westernEurope: readonly IdRule[] = [
  {
    kind: 'national-id',
    rule: 'national-id/gb-nino',
    sure: ['aaddddddA', 'aa dd dd dd A', 'aa-dd-dd-dd-A', 'aa dddddd A'].flatMap(withSuffixes),
    words: ['nino', 'ni', 'ni number', 'ni no', 'national insurance'],
    check: isNino,
  },
  {
    kind: 'health-id',
    rule: 'health-id/gb-nhs',
    alone: ['ddd ddd dddd', 'ddd-ddd-dddd', 'dddddddddd'],
    words: ['nhs', 'national health', 'health number', 'patient', 'health services'],
    check: (id) => {
      const check = 11 - (weighted(id, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)
      return !isUniform(id) && (check === 11 ? 0 : check) === digitAt(id, 9)
    },
  },
  {
    kind: 'national-id',
    rule: 'national-id/ie-pps',
    alone: ['ddddddda', 'dddddddaa'],
    words: ['pps', 'ppsn', 'pps number', 'personal public service', 'irish'],
    check: isPps,
  },
  {
    kind: 'national-id',
    rule: 'national-id/es-nif',
    sure: ['dddddddda', 'dddddddd-a', 'dd.ddd.ddd-a'],
    alone: ['ddddddda', 'dddddddd a'],
    words: ['dni', 'nif', 'documento nacional', 'identificacion fiscal'],
    check: (id) => id.at(-1) === nifLetters[Number(id.slice(0, -1)) % 23],
  },
  {
    kind: 'national-id',
    rule: 'national-id/es-nie',
    sure: ['Xddddddda', 'Yddddddda', 'Zddddddda', 'X-ddddddd-a', 'Y-ddddddd-a', 'Z-ddddddd-a'],
    words: ['nie', 'extranjero'],
    check: (id) => id.at(-1) === nifLetters[Number('XYZ'.indexOf(id.charAt(0)) + id.slice(1, -1)) % 23],
  },
  {
    kind: 'tax-id',
    rule: 'tax-id/it-codice-fiscale',
    sure: ['aaaaaaxxaxxaxxxa', 'aaa aaa xxaxx axxxa'],
    words: ['codice fiscale', 'fiscal code', 'cf'],
    check: isCodiceFiscale,
  },
  {
    kind: 'national-id',
    rule: 'national-id/fr-nir',
    sure: ['d dd dd dx ddd ddd dd'],
    alone: ['ddddddxdddddddd', 'ddddddxdddddd dd'],
    words: ['nir', 'insee', 'securite sociale', 'sécurité sociale', 'numero de secu', 'numéro de sécu', 'carte vitale'],
    check: isNir,
  },
  {
    kind: 'tax-id',
    rule: 'tax-id/de-steuer-id',
    sure: ['dd ddd ddd ddd'],
    alone: ['ddddddddddd'],
    words: ['steuer', 'steuer id', 'steueridentifikationsnummer', 'steuernummer', 'idnr', 'tin', 'tax id'],
    check: isSteuerId,
  },
  {
    kind: 'national-id',
    rule: 'national-id/de-personalausweis',
    told: ['xxxxxxxxxd', 'xxxxxxxxx'],
    words: ['personalausweis', 'ausweis', 'ausweisnummer', 'perso', 'id card', 'identity card'],
    check: isMachineReadable,
  },
  {
    kind: 'national-id',
    rule: 'national-id/nl-bsn',
    alone: ['ddddddddd', 'dddd.dd.ddd', 'dddd dd ddd'],
    words: ['bsn', 'burgerservicenummer', 'sofinummer', 'sofi'],
    check: (id) => !isUniform(id) && weighted(id, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0,
  },
  {
    kind: 'national-id',
    rule: 'national-id/be-nn',
    sure: ['dd.dd.dd-ddd.dd', 'dd.dd.dd-ddd-dd'],
    alone: ['ddddddddddd', 'dddddd-ddd-dd', 'dddddd ddd dd'],
    words: ['rijksregisternummer', 'registre national', 'niss', 'insz', 'numero national', 'numéro national'],
    check: (id) => {
      const [body, check] = [id.slice(0, 9), pair(id, 9)]
      // Whoever has no date of birth on record has months from 20 or 40 on.
      return pair(id, 2) <= 52 && (check === 97 - modulo(body, 97) || check === 97 - modulo(`2${body}`, 97))
    },
  },
  {
    kind: 'tax-id',
    rule: 'tax-id/pt-nif',
    alone: ['ddd~ddd~ddd'],
    words: ['nif', 'contribuinte', 'numero de identificacao fiscal'],
    check: (id) => {
      const rest = 11 - (weighted(id, [9, 8, 7, 6, 5, 4, 3, 2]) % 11)
      return /^[1235689]/.test(id) && !isUniform(id) && (rest >= 10 ? 0 : rest) === digitAt(id, 8)
    },
  },
  {
    kind: 'national-id',
    rule: 'national-id/ch-ahv',
    sure: ['ddd.dddd.dddd.dd', 'ddd dddd dddd dd', 'ddd-dddd-dddd-dd'],
    alone: ['ddddddddddddd'],
    words: ['ahv', 'avs', 'sozialversicherungsnummer', 'assurance sociale'],
    check: (id) =>
      id.startsWith('756') && (10 - (weighted(id, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]) % 10)) % 10 === digitAt(id, 12),
  },
  {
    kind: 'national-id',
    rule: 'national-id/at-svnr',
    alone: ['dddd dddddd', 'dddd-dddddd', 'dddddddddd'],
    words: ['svnr', 'sozialversicherungsnummer', 'versicherungsnummer', 'sv nummer'],
    check: (id) =>
      id[0] !== '0' && isDateReversed(id, 4) && weighted(id, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 === digitAt(id, 3),
  },
  {
    kind: 'national-id',
    rule: 'national-id/gr-amka',
    told: ['ddddddddddd'],
    words: ['amka', 'αμκα'],
    check: (id) => isDateReversed(id),
  },
  {
    kind: 'tax-id',
    rule: 'tax-id/hr-oib',
    told: ['ddddddddddd'],
    words: ['oib'],
    check: mod11And10,
  },
  {
    kind: 'national-id',
    rule: 'national-id/jmbg',
    alone: ['ddddddddddddd'],
    words: ['jmbg', 'emšo', 'emso', 'matični broj', 'maticni broj'],
    check: (id) => {
      const rest = 11 - (weighted(id, [7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11)
      return isDateReversed(id) && /^(?:9|0)/.test(id.slice(4)) && (rest >= 10 ? 0 : rest) === digitAt(id, 12)
    },
  },
  {
    kind: 'tax-id',
    rule: 'tax-id/tr-tckn',
    alone: ['ddddddddddd'],
    words: ['tckn', 'tc kimlik', 'kimlik', 'kimlik no', 'vatandaşlık'],
    check: (id) => {
      if (id[0] === '0') return false
      const odd = weighted(id, [1, 0, 1, 0, 1, 0, 1, 0, 1])
      const even = weighted(id, [0, 1, 0, 1, 0, 1, 0, 1])
      const tenth = (((odd * 7 - even) % 10) + 10) % 10
      return tenth === digitAt(id, 9) && (odd + even + tenth) % 10 === digitAt(id, 10)
    },
  },
]

/** HMRC, NIM39110: prefixes that were never given, and the letters that no prefix has. The suffix is A to D. */
function isNino(id: string): boolean {
  return !/^(?:BG|GB|KN|NK|NT|TN|ZZ)/.test(id) && /^[^DFIQUV][^DFIQUVO]/.test(id) && id.slice(2, 8) !== '000000'
}

function withSuffixes(form: string): string[] {
  return [...'ABCD', ...'abcd'].map((suffix) => form.slice(0, -1) + suffix)
}

function isPps(id: string): boolean {
  const second = id.length === 9 ? id.charCodeAt(8) - 0x40 : 0
  if (second > 9) return false
  const rest = (weighted(id, [8, 7, 6, 5, 4, 3, 2]) + second * 9) % 23
  return id.charAt(7) === 'WABCDEFGHIJKLMNOPQRSTUV'[rest]
}

const nifLetters = 'TRWAGMYFPDXBNJZSQVHLCKE'

/** DM 23/12/1976; of people who would have the same, digits are letters from the right on (omocodia). */
function isCodiceFiscale(id: string): boolean {
  for (const at of [6, 7, 9, 10, 12, 13, 14]) if (!/[0-9LMNPQRSTUV]/.test(id.charAt(at))) return false
  if (!/[A-EHLMPRST]/.test(id.charAt(8))) return false
  let sum = 0
  for (let at = 0; at < 15; at++) {
    const code = id.charCodeAt(at)
    const value = code < 0x3a ? code - 0x30 : code - 0x41
    sum += at % 2 === 0 ? (oddPlaces[value] as number) : value
  }
  return id.charCodeAt(15) - 0x41 === sum % 26
}

const oddPlaces = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]

/** Décret 82-103; of Corsica 2A counts as 19, 2B as 18. */
function isNir(id: string): boolean {
  const month = pair(id, 3)
  if (!/^[123478]/.test(id) || month === 0 || (month > 12 && month < 20) || !/^[0-9AB]$/.test(id.charAt(6)))
    return false
  const body = id.slice(0, 13).replace('2A', '19').replace('2B', '18')
  return /^[0-9]+$/.test(body) && 97 - modulo(body, 97) === pair(id, 13)
}

/** § 139b AO: of the first ten digits one stands twice or three times, and all others once at most. */
function isSteuerId(id: string): boolean {
  if (id[0] === '0' || !mod11And10(id)) return false
  const counts = new Array<number>(10).fill(0)
  for (let at = 0; at < 10; at++) counts[digitAt(id, at)] = (counts[digitAt(id, at)] as number) + 1
  const repeated = counts.filter((count) => count > 1)
  return repeated.length === 1 && (repeated[0] as number) <= 3
}

/** ICAO Doc 9303-3 §4.9: weights 7, 3 and 1 over digits and letters. Nine places come without a check digit. */
function isMachineReadable(id: string): boolean {
  if (!/[0-9]/.test(id)) return false
  if (id.length < 10) return /^[CFGHJKLMNPRTVWXYZ0-9]+$/.test(id) && /^[A-Z]/.test(id)
  let sum = 0
  for (let at = 0; at < 9; at++) {
    const code = id.charCodeAt(at)
    sum += (code < 0x3a ? code - 0x30 : code - 0x37) * ([7, 3, 1][at % 3] as number)
  }
  return sum % 10 === digitAt(id, 9)
}
