/** The digit at `at`, of a text that has one there. */
export function digitAt(text: string, at: number): number {
  return text.charCodeAt(at) - 0x30
}

/** ISO/IEC 7812-1 annex B. */
export function luhn(digits: string): boolean {
  let sum = 0
  for (let at = digits.length - 1, double = false; at >= 0; at--, double = !double) {
    const digit = digitAt(digits, at)
    sum += double ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit
  }
  return sum % 10 === 0
}

/** The digits, each times its weight. Digits without a weight do not count. */
export function weighted(digits: string, weights: readonly number[], from = 0): number {
  let sum = 0
  for (let at = 0; at < weights.length; at++) sum += digitAt(digits, from + at) * (weights[at] as number)
  return sum
}

/** The rest of a division of a number of any length. Letters count as 10 to 35 (ISO/IEC 7064 with ISO 13616). */
export function modulo(text: string, divisor: number): number {
  let rest = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    rest = code < 0x3a ? (rest * 10 + code - 0x30) % divisor : (rest * 100 + code - 0x37) % divisor
  }
  return rest
}

/** ISO/IEC 7064 MOD 11,10. */
export function mod11And10(digits: string): boolean {
  let product = 10
  for (let at = 0; at < digits.length - 1; at++) {
    const sum = (digitAt(digits, at) + product) % 10 || 10
    product = (sum * 2) % 11
  }
  return (11 - product) % 10 === digitAt(digits, digits.length - 1)
}

/** Verhoeff's check of the dihedral group D5. */
export function verhoeff(digits: string): boolean {
  let check = 0
  for (let at = digits.length - 1, place = 0; at >= 0; at--, place++) {
    const row = permutations[place % 8] as string
    check = digitAt(dihedral[check] as string, digitAt(row, digitAt(digits, at)))
  }
  return check === 0
}

const dihedral = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
]
const permutations = [
  '0123456789',
  '1576283094',
  '5803796142',
  '8916043527',
  '9453126870',
  '4286573901',
  '2793806415',
  '7046913258',
]

/** Whether a day of a month is one, in some year. */
export function isDay(month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= (month === 2 ? 29 : thirty.has(month) ? 30 : 31)
}

const thirty = new Set([4, 6, 9, 11])

/** The two digits at `at` as a number. */
export function pair(text: string, at: number): number {
  return digitAt(text, at) * 10 + digitAt(text, at + 1)
}

/** `YYMMDD` at `at`. */
export function isDate(text: string, at = 0): boolean {
  return isDay(pair(text, at + 2), pair(text, at + 4))
}

/** `DDMMYY` at `at`. */
export function isDateReversed(text: string, at = 0): boolean {
  return isDay(pair(text, at + 2), pair(text, at))
}

/** Digits that are all the same are what forms are filled with, whatever their check digit says. */
export function isUniform(text: string): boolean {
  for (let at = 1; at < text.length; at++) if (text.charCodeAt(at) !== text.charCodeAt(0)) return false
  return true
}
