/** A text in the signs that scanners know, and where each stood in the text as it was written. */
export interface Plain {
  readonly text: string
  /** The place in the written text of each unit, and its end; undefined where they are the same. */
  readonly places: Uint32Array | undefined
}

/**
 * A text as its reader takes it: digits of all scripts and letters of full width as those of ASCII, spaces and hyphens of every
 * width as one, and nothing where there is nothing to see. Undefined where that changes nothing.
 */
export function plainOf(text: string): Plain | undefined {
  if (!beyond.test(text)) return undefined
  let at = 0
  while (at < text.length && plainUnits[text.charCodeAt(at)] === same) at++
  if (at === text.length) return undefined
  const units = new Uint16Array(text.length)
  const places = new Uint32Array(text.length + 1)
  let length = 0
  let unseen = 0
  for (at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    const plain = plainUnits[unit] as number
    // A long row of them hides no value from anybody, and a match is no longer than a scanner's reach.
    if (plain === nothing && ++unseen <= unseenMax) continue
    if (plain !== nothing) unseen = 0
    places[length] = at
    units[length++] = plain === same || plain === nothing ? unit : plain
  }
  places[length] = text.length
  const bytes = Buffer.from(units.buffer, 0, length * 2)
  return {
    text: bytes.toString('utf16le'),
    places: length === text.length ? undefined : places.subarray(0, length + 1),
  }
}

/** Matches of the plain text, where they stand in the written one. */
export function asWritten<Match extends { readonly start: number; readonly end: number }>(
  matches: readonly Match[],
  { places }: Plain,
  reach: number,
): readonly Match[] {
  if (places === undefined || matches.length === 0) return matches
  return matches
    .map((match) => ({
      ...match,
      start: places[match.start] as number,
      end: (places[match.end - 1] as number) + 1,
    }))
    .filter(({ start, end }) => end - start <= reach)
}

/** Whether a digit of any script. */
export function isAnyDigit(unit: number): boolean {
  if (unit < 0x80) return unit >= 0x30 && unit <= 0x39
  const plain = plainUnits[unit] as number
  return plain >= 0x30 && plain <= 0x39
}

/** So many in a row are passed over. */
const unseenMax = 4

const same = 0
const nothing = 1

/** Beyond these nothing is written otherwise; most texts are done with here. */
const beyond = /[^\0-\u00ac\u00ae-\u02ff]/

const plainUnits = new Uint16Array(0x1_0000)
for (let unit = 0x80, digits = 0; unit < 0x1_0000; unit++) {
  // Unicode §4.6: decimal digits stand ten in a row, from zero on.
  digits = /\p{Nd}/u.test(String.fromCharCode(unit)) ? digits + 1 : 0
  if (digits > 0) plainUnits[unit] = 0x30 + ((digits - 1) % 10)
}
for (let unit = 0xff01; unit <= 0xff5e; unit++) plainUnits[unit] = unit - 0xff01 + 0x21
for (const space of '\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u205f\u3000')
  plainUnits[space.charCodeAt(0)] = 0x20
for (const hyphen of '\u2010\u2011\u2012\u2013\u2212\ufe58\ufe63') plainUnits[hyphen.charCodeAt(0)] = 0x2d
for (const [first, last] of [
  [0x00ad, 0x00ad],
  [0x034f, 0x034f],
  [0x061c, 0x061c],
  [0x180b, 0x180e],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x206f],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
] as const)
  for (let unit = first; unit <= last; unit++) plainUnits[unit] = nothing
