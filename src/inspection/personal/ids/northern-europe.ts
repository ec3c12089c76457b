import { digitAt, isDate, isDateReversed, isDay, luhn, pair, weighted } from '../checksums.ts'
import type { IdRule } from '../rule.ts'

/** Identifiers of people in northern and eastern Europe. */
export const northernEurope: readonly IdRule[] = [
  {
    kind: 'national-id',
    rule: 'national-id/se-personnummer',
    sure: ['dddddd-dddd', 'dddddd+dddd', 'dddddddd-dddd'],
    alone: ['dddddddddd', 'dddddddddddd'],
    words: ['personnummer', 'samordningsnummer', 'personnr', 'pnr'],
    check: (id) => {
      const ten = id.slice(-10)
      const day = pair(ten, 4)
      if (id.length === 12 && !/^(?:19|20)/.test(id)) return false
      return isDay(pair(ten, 2), day > 60 ? day - 60 : day) && luhn(ten)
    },
  },
  {
    kind: 'national-id',
    rule: 'national-id/fi-hetu',
    sure: ['dddddd-dddx', 'dddddd+dddx', ...[...'ABCDEFUVWXY'].map((century) => `dddddd${century}dddx`)],
    words: ['henkilotunnus', 'henkilötunnus', 'hetu', 'personbeteckning'],
    check: isHetu,
  },
  {
    kind: 'national-id',
    rule: 'national-id/dk-cpr',
    told: ['dddddd-dddd', 'dddddddddd', 'dddddd dddd'],
    words: ['cpr', 'cpr nummer', 'cpr nr', 'personnummer'],
    check: (id) => isDateReversed(id),
  },
  {
    kind: 'national-id',
    rule: 'national-id/no-fodselsnummer',
    sure: ['ddddddddddd', 'dddddd ddddd'],
    words: ['fodselsnummer', 'fødselsnummer', 'fnr', 'personnummer', 'd nummer'],
    check: (id) => {
      const day = pair(id, 0)
      if (!isDay(pair(id, 2), day > 40 ? day - 40 : day)) return false
      return (
        weighted(id, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 &&
        weighted(id, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0
      )
    },
  },
  {
    kind: 'national-id',
    rule: 'national-id/is-kennitala',
    alone: ['dddddd-dddd', 'dddddddddd'],
    words: ['kennitala', 'kt'],
    check: (id) => isDateReversed(id) && /[09]$/.test(id) && weighted(id, [3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0,
  },
  {
    kind: 'national-id',
    rule: 'national-id/pl-pesel',
    alone: ['ddddddddddd'],
    words: ['pesel'],
    check: (id) =>
      isDay(pair(id, 2) % 20, pair(id, 4)) &&
      (10 - (weighted(id, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === digitAt(id, 10),
  },
  {
    kind: 'tax-id',
    rule: 'tax-id/pl-nip',
    told: ['ddd-ddd-dd-dd', 'ddd-dd-dd-ddd', 'dddddddddd'],
    words: ['nip'],
    check: (id) => weighted(id, [6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 === digitAt(id, 9),
  },
  {
    kind: 'national-id',
    rule: 'national-id/cz-rodne-cislo',
    sure: ['dddddd/dddd'],
    told: ['dddddddddd'],
    words: ['rodne cislo', 'rodné číslo', 'rodne číslo', 'rč'],
    check: (id) => isDay((pair(id, 2) % 50) % 20, pair(id, 4)) && Number(id) % 11 === 0,
  },
  {
    kind: 'national-id',
    rule: 'national-id/ro-cnp',
    alone: ['ddddddddddddd'],
    words: ['cnp', 'cod numeric personal'],
    check: (id) => {
      const rest = weighted(id, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11
      return /^[1-9]/.test(id) && isDate(id, 1) && pair(id, 7) <= 52 && (rest === 10 ? 1 : rest) === digitAt(id, 12)
    },
  },
  {
    kind: 'national-id',
    rule: 'national-id/bg-egn',
    alone: ['dddddddddd'],
    words: ['egn', 'егн'],
    check: (id) =>
      isDay(pair(id, 2) % 20, pair(id, 4)) && (weighted(id, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11) % 10 === digitAt(id, 9),
  },
  {
    kind: 'national-id',
    rule: 'national-id/ee-lt-code',
    alone: ['ddddddddddd'],
    words: ['isikukood', 'asmens kodas', 'asmens kods'],
    check: isBaltic,
  },
  {
    kind: 'national-id',
    rule: 'national-id/lv-personas-kods',
    told: ['dddddd-ddddd', 'ddddddddddd'],
    words: ['personas kods', 'personas kodu'],
  },
  {
    kind: 'national-id',
    rule: 'national-id/ru-snils',
    sure: ['ddd-ddd-ddd dd', 'ddd-ddd-ddd-dd'],
    alone: ['ddddddddddd'],
    words: ['snils', 'снилс'],
    check: (id) => {
      const rest = weighted(id, [9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101
      return Number(id.slice(0, 9)) > 1_001_998 && (rest === 100 ? 0 : rest) === pair(id, 9)
    },
  },
  {
    kind: 'tax-id',
    rule: 'tax-id/ru-inn',
    alone: ['dddddddddddd'],
    words: ['inn', 'инн'],
    check: (id) =>
      (weighted(id, [7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11) % 10 === digitAt(id, 10) &&
      (weighted(id, [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11) % 10 === digitAt(id, 11),
  },
]

/** Asetus 128/2010 §2: the rest by 31 of date and number together. */
function isHetu(id: string): boolean {
  const number = `${id.slice(0, 6)}${id.slice(-4, -1)}`
  return isDateReversed(id) && id.at(-1) === '0123456789ABCDEFHJKLMNPRSTUVWXY'[Number(number) % 31]
}

function isBaltic(id: string): boolean {
  if (!/^[1-8]/.test(id) || !isDate(id, 1)) return false
  let rest = weighted(id, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11
  if (rest === 10) rest = weighted(id, [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11
  return rest % 10 === digitAt(id, 10)
}
