import { wordsPattern } from './context.ts'
import { isLetter, isSpace, isWord, type Run, type RunFinder } from './rule.ts'

/**
 * Postal addresses by their form: a house number with a street's name, in either order, a box, a flat; and what goes with it up to
 * the postcode. Streets that neither a word of the kind nor a word nearby tells are not found.
 */
export const addressLineFinder: RunFinder = {
  kinds: ['address'],
  find(around, run) {
    const { text } = around
    if (run.end - run.start > 8 || (run.start > 0 && beforeNumber.test(text.charAt(run.start - 1)))) return undefined
    const named = followsWord(text, run.start)
    const line = numberFirst(text, run) ?? (named ? (streetFirst(text, run) ?? unit(text, run)) : undefined)
    if (line !== undefined) return { kind: 'address', rule: 'address/street', ...extended(text, line), confidence: 0.8 }
    const code = postcode(text, run)
    if (code !== undefined) return { kind: 'address', rule: 'address/postcode', ...code, confidence: 0.7 }
    const told = toldLine(text, run)
    if (told === undefined || !around.tells(addressWords, told.start, told.end)) return undefined
    return { kind: 'address', rule: 'address/by-word', ...extended(text, told), confidence: 0.7 }
  },
}

/** Whether a word stands before, or a sign that goes with one: else no street and no box does. */
function followsWord(text: string, start: number): boolean {
  if (start < 2) return false
  const code = text.charCodeAt(isSpace(text.charCodeAt(start - 1)) ? start - 2 : start - 1)
  return code > 0x7f || isLetter(code) || code === 0x2c || code === 0x2e || code === 0x23
}

interface Stretch {
  readonly start: number
  readonly end: number
}

const beforeNumber = /[\w.,:#$€£%+*/\\=@-]/

const addressWords = wordsPattern([
  'address', 'addresses', 'lives at', 'lives on', 'living at', 'located at', 'office is at', 'ship to', 'shipping', 'deliver to', 'delivery', 'sent to', 'send to', 'residence', 'resides', 'reside', 'billing',
  'mailing', 'taxi to', 'drops you off at', 'meet you at', 'meet me at', 'adresse', 'anschrift', 'wohnt', 'wohnhaft', 'direccion', 'dirección', 'domicilio', 'domicile', 'indirizzo', 'endereço', 'endereco', 'adres', 'adress', 'arrived at',
]) // biome-ignore format: words

/** Words that a street ends with, in English and where streets are named with a word of their own in front of the number. */
// biome-ignore format: words
const suffix = '(?:street|st|avenue|ave|av|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|place|pl|square|sq|squares|terrace|ter|way|circle|cir|parkway|pkwy|highway|hwy|crescent|cres|close|trail|trl|alley|row|walk|gardens|grove|mews|hill|quay|broadway|mall|parks?|heights|straat|straße|strasse|str|gasse|weg|laan|plein|allee|platz|gade|vej|gata|gatan|vägen|tér|utca|ulica|calle|rue|via|piazza|corso|viale|avenida|rua)'
const word = "[A-Z0-9À-ÖØ-ÞĀ-Ž][\\w'’À-žƀ-ɏ-]{0,24}"
const capitalised = suffix.replace(
  /[a-zäößé]+/g,
  (one) => `[${one.charAt(0).toUpperCase()}${one.charAt(0)}]${one.slice(1)}`,
)
const forward = new RegExp(
  `\\d{1,6}[A-Za-z]?(?:[ -]\\d{1,5})?,? (?:(?:N|S|E|W|NE|NW|SE|SW)\\.? )?(?:${word} ){0,3}${word} ${capitalised}\\b\\.?(?: (?:N|S|E|W|NE|NW|SE|SW)\\b)?`,
  'y',
)

/** `221B Baker Street` */
function numberFirst(text: string, { start }: Run): Stretch | undefined {
  forward.lastIndex = start
  const found = forward.exec(text)
  return found === null ? undefined : { start, end: start + found[0].length }
}

/** `Lindenstraße 12`, `Rue de la Paix 5`, `Calle Mayor, 3` */
function streetFirst(text: string, { start, end }: Run): Stretch | undefined {
  if (end - start > 5) return undefined
  const before = text.slice(Math.max(0, start - 64), start)
  const found = compound.exec(before) ?? named.exec(before)
  if (found === null) return undefined
  // Another number in front of it goes with it: `975 Lindenstraße 12`.
  return { start: start - found[0].length, end }
}

const compound =
  /(?<![\wÀ-ž])(?:\d{1,6} )?(?:[A-ZÀ-Þ][\wÀ-ž'’.-]{0,24} ){0,2}[A-ZÀ-Þ][\wÀ-ž'’-]{0,24}(?:stra(?:ß|ss)e|str\.|gasse|weg|allee|platz|ufer|damm|straat|laan|plein|gracht|kade|dijk|gade|vej|gatan|gata|vägen|veien|katu|tie|utca|tér) $/
const named =
  /(?<![\wÀ-ž])(?:\d{1,6} )?(?:(?:[A-ZÀ-Þ][\wÀ-ž'’.-]{0,24} ){1,3}(?:Stra(?:ß|ss)e|Str\.|Gasse|Weg|Allee|Platz|Straat|Laan|Plein|tér|utca|út|Street|St\.?|Road|Rd\.?|Avenue|Ave\.?)|(?:Rue|Avenue|Boulevard|Place|Calle|Avenida|Av\.|Plaza|Paseo|Via|Viale|Piazza|Corso|Vicolo|Largo|Rua|Travessa|ul\.|ulica|улица|ул\.)(?: (?:de|del|della|di|la|le|les|des|du|da|do|dos|d'|of)){0,2}(?: [A-ZÀ-ÞА-Я][\wÀ-žа-яё'’.-]{0,24}){1,3}),? $/

/** `P.O. Box 186`, `Apt. 561`, `Suite 12`, `Postfach 3`, `Unit 7194 Box 5854`. */
function unit(text: string, { start, end }: Run): Stretch | undefined {
  const found = unitBefore.exec(text.slice(Math.max(0, start - 32), start))
  return found === null ? undefined : { start: start - found[0].length, end }
}

const unitBefore =
  /(?:\b\d{1,6} )?\b(?:P\.? ?O\.? ?Box|Post(?:al)? ?[Bb]ox|Postbox|Postfach|Apartado|Apt\.?|Apartment|Suite|Ste\.?|(?:Unit|unit|PSC|psc) \d{1,5},? [Bb]ox|apt\.?|suite) #?$/

/** `SW1A 1AA`, `FPO AA 85844`, `CA 90210-1234`; five digits alone are any number. */
function postcode(text: string, { start, end, isNumber }: Run): Stretch | undefined {
  british.lastIndex = start
  const found = british.exec(text)
  if (found !== null && !isWord(text.charCodeAt(start + found[0].length)))
    return { start, end: start + found[0].length }
  if (!isNumber || end - start !== 5) return undefined
  const before = stateBefore.exec(text.slice(Math.max(0, start - 8), start))
  if (before === null) return undefined
  return { start: start - before[0].length, end: plusFour(text, end) }
}

const british = /(?:[A-Z]{1,2}[0-9][0-9A-Z]?|GIR) [0-9][ABD-HJLNP-UW-Z]{2}/y
const states =
  'A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]|(?:[FAD]PO A[AEP])'
const stateBefore = new RegExp(`\\b(?:${states}),? $`)

function plusFour(text: string, end: number): number {
  return /^-\d{4}\b/.test(text.slice(end, end + 6)) ? end + 5 : end
}

/** A number with capitalised words on one side of it: an address where a word says that there is one. */
function toldLine(text: string, { start, end, isNumber }: Run): Stretch | undefined {
  if (!isNumber || end - start > 6) return undefined
  numberThenName.lastIndex = start
  const ahead = numberThenName.exec(text)
  if (ahead !== null) return { start, end: start + ahead[0].length }
  if (end - start > 5) return undefined
  const behind = nameThenNumber.exec(text.slice(Math.max(0, start - 48), start))
  return behind === null ? undefined : { start: start - behind[0].length, end }
}

const numberThenName = /\d{1,6}(?: \d{1,5})?(?: [A-ZÀ-Þ][\wÀ-žƀ-ɏ'’-]{1,24}){1,3}(?: \d{1,5}\b)?(?: St\b)?/y
const nameThenNumber = /[A-ZÀ-Þ][\wÀ-žƀ-ɏ'’-]{2,24} (?:[A-ZÀ-Þ][\wÀ-žƀ-ɏ'’-]{1,24} ){0,2}$/

/** With flat, town, state and postcode, as far as they follow. */
function extended(text: string, line: Stretch): Stretch {
  let { end } = line
  for (const part of [flat, flat, town]) {
    part.lastIndex = end
    const found = part.exec(text)
    if (found !== null) end += found[0].length
  }
  const { start } = line
  if (end - start > lengthMax) return line
  return { start, end: isSpace(text.charCodeAt(end - 1)) ? end - 1 : end }
}

const lengthMax = 240
const gap = '[,.]?(?:\\s{0,4}>)?\\s{1,8}'
const flat = new RegExp(
  `${gap}(?:Suite|Ste\\.?|Apt\\.?|Apartment|Unit|Floor|Flat|Room|Box|#) ?[0-9]{1,6}[A-Za-z]?\\b`,
  'iy',
)
const places = "[A-ZÀ-Þ][\\wÀ-žƀ-ɏ'’-]{1,24}"
const town = new RegExp(
  `(?:${gap},?\\s{0,2}${places}(?:(?: of| de| en| am| an der| sur)? ${places}){0,2}){0,3}(?:${gap},? ?(?:${states}))?(?:,?\\s{1,8}(?:[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}|[0-9]{4,6}(?:-[0-9]{3,4})?)(?!\\w))`,
  'y',
)
