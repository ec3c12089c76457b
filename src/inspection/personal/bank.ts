import { digitAt, isUniform, luhn, modulo, weighted } from './checksums.ts'
import { wordsPattern } from './context.ts'
import { endsAfter, endsBefore, type IdRule, isDigit, isLetter, isSpace, type RunFinder } from './rule.ts'

/** Payment cards: 13 to 19 digits of a brand's range (ISO/IEC 7812-1), in its groups or in one, with a right check digit. */
export const cardFinder: RunFinder = {
  kinds: ['card'],
  find(around, run) {
    const { text } = around
    if (!run.isNumber || !endsBefore(text, run.start)) return undefined
    const written = readGroups(text, run.start)
    if (written === undefined || isUniform(written.digits)) return undefined
    const { digits, end } = written
    const brand = brands.find(({ range }) => range.test(digits))
    if (brand === undefined || !luhn(digits)) return undefined
    const told = around.tells(cardWords, run.start, end)
    if (!told && !brand.usual.includes(digits.length) && (brand.told === true || !around.isAlone())) return undefined
    return { kind: 'card', rule: `card/${brand.name}`, start: run.start, end, confidence: told ? 0.99 : 0.9 }
  },
}

const cardWords = wordsPattern([
  'card', 'cards', 'cc', 'ccn', 'credit', 'debit', 'visa', 'mastercard', 'amex', 'american express', 'maestro', 'discover', 'diners',
  'jcb', 'unionpay', 'pan', 'carte', 'tarjeta', 'karte', 'kreditkarte', 'carta', 'cartao', 'cartão', 'kaart', 'kort', 'карта', '卡号', '信用卡',
]) // biome-ignore format: words

interface Brand {
  readonly name: string
  /** Issuer identification numbers. */
  readonly range: RegExp
  /** Lengths that its cards have; others, which few have, need a word nearby. */
  readonly usual: readonly number[]
  /** Only with such a word. */
  readonly told?: boolean
}

const brands: readonly Brand[] = [
  { name: 'amex', range: /^3[47]\d{13}$/, usual: [15] },
  { name: 'visa', range: /^4(?:\d{12}|\d{15}|\d{18})$/, usual: [13, 16, 19] },
  { name: 'mastercard', range: /^(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}$/, usual: [16] },
  { name: 'diners', range: /^3(?:0[0-5]|095|[689])\d{11,16}$/, usual: [14, 16] },
  { name: 'jcb', range: /^(?:35(?:2[89]|[3-8]\d)\d{12,15}|(?:2131|1800)\d{11})$/, usual: [15, 16] },
  { name: 'discover', range: /^6(?:011|4[4-9]\d|5\d\d)\d{12,15}$/, usual: [16] },
  { name: 'unionpay', range: /^(?:62|81)\d{12,17}$/, usual: [16] },
  { name: 'mir', range: /^220[0-4]\d{12,15}$/, usual: [16] },
  { name: 'rupay', range: /^(?:508[5-9]|60[08]|82)\d{12,13}$/, usual: [16] },
  { name: 'elo', range: /^(?:401178|401179|438935|457631|457632|431274|451416|50(?:4175|6699|67\d\d|9\d{3})|627780|636297|636368|65\d{4})\d{10}$/, usual: [16] },
  { name: 'troy', range: /^9792\d{12}$/, usual: [16] },
  { name: 'dankort', range: /^(?:5019|4571)\d{12}$/, usual: [16] },
  { name: 'maestro', range: /^(?:50|5[6-9]|6\d)\d{11,17}$/, usual: [16] },
  { name: 'uatp', range: /^1\d{14}$/, usual: [] },
  { name: 'other', range: /^[2-6]\d{14,15}$/, usual: [], told: true },
] // biome-ignore format: a table

/** 13 to 19 digits, in groups of two to seven or in one; nothing where there are more of them. */
function readGroups(text: string, start: number): { readonly digits: string; readonly end: number } | undefined {
  let digits = ''
  let end = start
  let separator = 0
  for (let at = start, groups = 0; ; at++) {
    const from = at
    while (at - from < 20 && at < text.length && isDigit(text.charCodeAt(at))) at++
    const size = at - from
    if (size > 19) return undefined
    const fits = groups === 0 ? size >= 3 : size >= 3 && size <= 7
    if (size === 0 || !fits || digits.length + size > 19) {
      // `4111 1111 1111 1111 12/27`: what follows a whole card in another grouping is no part of it.
      if (size === 4 && digits.length >= 16 && separator === 0x2d) return undefined
      break
    }
    digits += text.slice(from, at)
    end = at
    groups++
    if (size > 7) break
    const code = text.charCodeAt(at)
    if (code !== 0x2d && code !== 0x2e && !isSpace(code)) break
    if (digits.length >= 13 && isWhole(digits) && luhn(digits) && !isDigit(text.charCodeAt(at + 4))) break
    if (digits.length >= 16 && luhn(digits) && brands.some(({ range }) => range.test(digits))) break
    separator = code
  }
  return digits.length >= 13 && endsAfter(text, end) ? { digits, end } : undefined
}

function isWhole(digits: string): boolean {
  return brands.some(({ range, usual }) => usual.includes(digits.length) && range.test(digits))
}

/** IBANs (ISO 13616-1): the country's length and structure, and a rest of 1 by 97. */
export const ibanFinder: RunFinder = {
  kinds: ['iban'],
  find({ text }, run) {
    const { start } = run
    if (run.digitAt !== start + 2 || !isDigit(text.charCodeAt(start + 3)) || !endsBefore(text, start)) return undefined
    const structure = ibans.get(text.slice(start, start + 2).toUpperCase())
    if (structure === undefined) return undefined
    const written = readCompact(text, start, structure.length)
    if (written === undefined || !structure.form.test(written.compact) || !endsAfter(text, written.end))
      return undefined
    const { compact, end } = written
    if (modulo(compact.slice(4) + compact.slice(0, 4), 97) !== 1) return undefined
    return { kind: 'iban', rule: 'iban/mod-97', start, end, confidence: 0.99 }
  },
}

/** So many letters and digits, in groups with single spaces or hyphens between them. */
function readCompact(
  text: string,
  start: number,
  length: number,
): { readonly compact: string; readonly end: number } | undefined {
  let compact = ''
  let at = start
  for (; compact.length < length; at++) {
    const code = text.charCodeAt(at)
    if (isDigit(code) || isLetter(code)) compact += text.charAt(at)
    else if ((!isSpace(code) && code !== 0x2d) || compact.length < 4 || isSpace(text.charCodeAt(at - 1)))
      return undefined
  }
  return { compact: compact.toUpperCase(), end: at }
}

/** SWIFT's IBAN registry, release 99: after country and check digits, so many `n` digits, `a` letters, `c` of either. */
// biome-ignore format: a table
const structures = `AD8n12c AE19n AL8n16c AT16n AZ4a20c BA16n BE12n BG4a6n8c BH4a14c BI23n BR23n1a1c BY4c4n16c CH5n12c CR18n CY8n16c CZ20n
DE18n DJ23n DK14n DO4c20n EE16n EG25n ES20n FI14n FK2a12n FO14n FR10n11c2n GB4a14n GE2a16n GI4a15c GL14n GR7n16c GT4c20c HN4a20n
HR17n HU24n IE4a14n IL19n IQ4a15n IS22n IT1a10n12c JO4a4n18c KW4a22c KZ3n13c LB4n20c LC4a24c LI5n12c LT16n LU3n13c LV4a13c LY21n
MC10n11c2n MD2c18c ME18n MK3n10c2n MN16n MR23n MT4a5n18c MU4a19n3a NI4a20n NL4a10n NO11n OM3n16c PK4a16c PL24n PS4a21c PT21n QA4a21c
RO4a16c RS18n RU14n15c SA2n18c SC4a20n3a SD14n SE20n SI15n SK20n SM1a10n12c SO19n ST21n SV4a20n TL19n TN20n TR5n1n16c UA6n19c
VA18n VG4a16n XK16n YE4a4n18c`

const characters: Readonly<Record<string, string>> = { n: '[0-9]', a: '[A-Z]', c: '[0-9A-Z]' }

const ibans = new Map(
  structures.split(/\s+/).map((entry) => {
    const parts = [...entry.slice(2).matchAll(/(\d+)([nac])/g)]
    const length = parts.reduce((sum, [, size]) => sum + Number(size), 4)
    const form = new RegExp(
      `^..[0-9]{2}${parts.map(([, size, of]) => `${characters[of as string]}{${size}}`).join('')}$`,
    )
    return [entry.slice(0, 2), { length, form }]
  }),
)

/** Account numbers that no check digit or only a weak one tells. */
export const accountRules: readonly IdRule[] = [
  {
    kind: 'bank-account',
    rule: 'bank-account/us-routing',
    alone: ['ddddddddd', 'dddd-dddd-d'],
    words: ['aba', 'routing', 'rtn', 'transit', 'bank number'],
    check: isRouting,
  },
  {
    kind: 'bank-account',
    rule: 'bank-account/number',
    told: [8, 9, 10, 11, 12, 13, 14, 15, 16, 17].map((length) => 'd'.repeat(length)),
    words: [
      'bank account', 'account number', 'account no', 'account num', 'acct', 'acct number', 'checking account', 'savings account', 'debit account',
      'kontonummer', 'numero de cuenta', 'número de cuenta', 'numero de compte', 'numéro de compte', 'rekeningnummer', 'accountnumber', '口座番号', '银行账号',
    ],
    check: (id) => !isUniform(id),
  },
  {
    kind: 'bank-account',
    rule: 'bank-account/gb-sort-code',
    told: ['dd-dd-dd', 'dd dd dd', 'dddddd'],
    words: ['sort code', 'sortcode'],
  },
  {
    kind: 'bank-account',
    rule: 'bank-account/mx-clabe',
    told: ['dddddddddddddddddd'],
    words: ['clabe'],
    check: (id) =>
      (10 - ([...id.slice(0, 17)].reduce((sum, digit, at) => sum + ((Number(digit) * ([3, 7, 1][at % 3] as number)) % 10), 0) % 10)) % 10 ===
      digitAt(id, 17),
  },
] // biome-ignore format: words

/** ANSI X9.105 / ABA: a Federal Reserve district, and weights 3, 7 and 1. */
function isRouting(id: string): boolean {
  return (
    /^(?:0[1-9]|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)/.test(id) && weighted(id, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0
  )
}
