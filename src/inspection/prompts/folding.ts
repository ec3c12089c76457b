/** Letters as they are compared: small, and without accents (Latin up to U+024F). Of other scripts, small. */
export function folded(unit: number): number {
  return folds[unit] as number
}

function foldOf(unit: number): number {
  if (unit < 0x250) return latin[unit] as number
  if (unit < 0x530) return cyrillicAndGreek[unit - 0x250] as number
  // Small capitals and letters of full width are words' other dress; everything else is as it is.
  return unit >= 0xff21 && unit <= 0xff3a
    ? unit - 0xff21 + 0x61
    : unit >= 0xff41 && unit <= 0xff5a
      ? unit - 0xff41 + 0x61
      : unit
}

/** What a unit is to a reader of words. */
export const letter = 1
export const digit = 2
/** Han and Kana, which know no spaces. */
export const ideograph = 3
/** Of no width: it separates nothing. */
export const nothing = 4
export const other = 0

export function kindOf(unit: number): number {
  return kinds[unit] as number
}

function sortOf(unit: number): number {
  if (unit < 0x80) return ascii[unit] as number
  if (unit < 0xc0) return unit === 0xad ? nothing : unit === 0xaa || unit === 0xb5 || unit === 0xba ? letter : other
  if (unit < 0x2000)
    return unit === 0xd7 || unit === 0xf7 ? other : unit === 0x0964 || unit === 0x61f || unit === 0x60c ? other : letter
  if (unit < 0x2070) return isNothing(unit) ? nothing : other
  if (unit < 0x2c00) return unit >= 0x2100 && unit < 0x2150 ? letter : other
  if (unit < 0x3040) return unit < 0x2e00 ? letter : other
  if (unit < 0xa000) return unit === 0x30fb ? other : ideograph
  if (unit < 0xd800) return letter
  if (unit < 0xf900) return other
  if (unit < 0xfb00) return ideograph
  if (unit < 0xfe00) return letter
  if (unit < 0xfe10 || unit === 0xfeff) return nothing
  if (unit >= 0xff10 && unit <= 0xff19) return digit
  return (unit >= 0xff21 && unit <= 0xff3a) || (unit >= 0xff41 && unit <= 0xff5a) ? letter : other
}

function isNothing(unit: number): boolean {
  return (unit >= 0x200b && unit <= 0x200f) || (unit >= 0x202a && unit <= 0x202e) || unit >= 0x2060
}

const ascii = Uint8Array.from({ length: 0x80 }, (_, unit) => {
  const character = String.fromCharCode(unit)
  if (/[A-Za-z_]/.test(character)) return letter
  return /[0-9]/.test(character) ? digit : other
})

const latin = Uint16Array.from({ length: 0x250 }, (_, unit) => base(unit))
const cyrillicAndGreek = Uint16Array.from({ length: 0x530 - 0x250 }, (_, at) => small(at + 0x250))

function base(unit: number): number {
  const character = String.fromCharCode(unit)
  if (unit === 0xdf) return 0x73 // ß counts as one s
  const plain = character.normalize('NFD').charCodeAt(0)
  return plain < 0x250 ? small(plain) : small(unit)
}

function small(unit: number): number {
  const lower = String.fromCharCode(unit).toLowerCase()
  return lower.length === 1 ? lower.charCodeAt(0) : unit
}

/** Every unit of every text is looked up in both: a comparison for each range would take longer than all that follows. */
const kinds = Uint8Array.from({ length: 0x1_0000 }, (_, unit) => sortOf(unit))
const folds = Uint16Array.from({ length: 0x1_0000 }, (_, unit) => foldOf(unit))
