import { isUniform, luhn, pair } from '../checksums.ts'
import type { IdRule } from '../rule.ts'

/** Identifiers of people in the United States, Canada and Mexico. */
export const northAmerica: readonly IdRule[] = [
  {
    kind: 'ssn',
    rule: 'ssn/us',
    sure: ['ddd-dd-dddd'],
    alone: ['ddd dd dddd', 'ddd-dddddd', 'ddddd-dddd', 'ddd.dd.dddd'],
    told: ['ddddddddd'],
    words: ['ssn', 'ssns', 'social security', 'soc sec', 'social', 'ss number', 'ss#', 'seguro social', 'itin'],
    check: isSsn,
  },
  {
    kind: 'tax-id',
    rule: 'tax-id/us-itin',
    sure: ['ddd-dd-dddd'],
    alone: ['ddd dd dddd', 'ddd-dddddd', 'ddddd-dddd', 'ddddddddd'],
    words: ['itin', 'taxpayer', 'individual taxpayer', 'tax id', 'ssn', 'social security'],
    check: isItin,
  },
  {
    kind: 'national-id',
    rule: 'national-id/ca-sin',
    alone: ['ddd~ddd~ddd'],
    words: ['sin', 'social insurance', 'nas', 'assurance sociale', 'canadian'],
    check: (id) => id[0] !== '8' && !isUniform(id) && luhn(id),
  },
  {
    kind: 'national-id',
    rule: 'national-id/mx-curp',
    sure: ['aaaaddddddaaaaaaxd'],
    words: ['curp'],
    check: isCurp,
  },
  {
    kind: 'tax-id',
    rule: 'tax-id/mx-rfc',
    told: ['aaaaddddddxxx'],
    words: ['rfc', 'registro federal'],
    check: (id) => isMonthDay(id, 6),
  },
]

/** SSA, POMS RM 10201.030: no area 000, 666 or 900 to 999, no group 00, no serial 0000; and those that were printed in advertising. */
function isSsn(id: string): boolean {
  const area = Number(id.slice(0, 3))
  if (area === 0 || area === 666 || area >= 900) return false
  if (id.slice(3, 5) === '00' || id.slice(5) === '0000') return false
  return !isUniform(id) && !printed.has(id)
}

const printed = new Set(['078051120', '219099999']) // `123-45-6789` is what people type who try out whether it is found

/** IRS Publication 4757: 9, and a group of 50 to 65, 70 to 88, 90 to 92 or 94 to 99. */
function isItin(id: string): boolean {
  const group = pair(id, 3)
  if (id[0] !== '9' || isUniform(id)) return false
  return (group >= 50 && group <= 65) || (group >= 70 && group <= 88) || (group >= 90 && group <= 92) || group >= 94
}

/** DOF 18/10/2021, annex: the check digit of the CURP. */
function isCurp(id: string): boolean {
  if (!isMonthDay(id, 6) || !/[HMX]/.test(id.charAt(10))) return false
  let sum = 0
  for (let at = 0; at < 17; at++) sum += alphabet.indexOf(id.charAt(at)) * (18 - at)
  return (10 - (sum % 10)) % 10 === Number(id.charAt(17))
}

const alphabet = '0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ'

function isMonthDay(id: string, at: number): boolean {
  const month = pair(id, at)
  const day = pair(id, at + 2)
  return month >= 1 && month <= 12 && day >= 1 && day <= 31
}
