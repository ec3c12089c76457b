import type { Role } from '../field.ts'

/**
 * What a field is for, by its name and, where that tells nothing, by its text. What is named as an identifier stays one whatever
 * stands in it: else a sentence around an attack would buy it the patience that prose is read with.
 */
export function roleOf(name: string, text: string): Role {
  const named = roleOfName(name)
  if (named !== undefined && !(named === 'identifier' && isSource(name, text))) return named
  return isProse(text) ? 'prose' : 'unknown'
}

/** A `code` of several lines is the source of a program: codes of other kinds have one. */
function isSource(name: string, text: string): boolean {
  return name.toLowerCase() === 'code' && threeLines.test(text)
}

const threeLines = /^[^\S\n]{0,64}\S[^\n]{0,2000}\n\s{0,64}\S[^\n]{0,2000}\n\s{0,64}\S/

/** Undefined where the name tells nothing. */
function roleOfName(name: string): Role | undefined {
  if (name.length > nameMax) return undefined
  const words = name
    .replaceAll(humps, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
  const whole = roles.get(words.join(''))
  if (whole !== undefined) return whole
  for (let at = words.length - 1; at >= 0; at--) {
    const role = roles.get(words[at] as string)
    if (role !== undefined) return role
  }
  return undefined
}

const nameMax = 128
const humps = /(\p{Ll}|\d)(\p{Lu})/gu

/** By the last word of a name that is known here: a `comment_id` is an identifier, an `itemDescription` prose. */
// biome-ignore format: a table
const words: Readonly<Record<'identifier' | 'prose', string>> = {
  identifier: `
    id ids uid uuid guid gid pid sid oid cid ref slug key keys code handle username login user account email mail phone tel
    page pages limit offset size count total number num no index idx skip take top per first last cursor after before since until from to
    sort order orderby sortby dir direction by asc desc group column fields include exclude expand select
    lang language locale country region currency timezone tz zip postcode
    token nonce state hash checksum digest signature sig etag csrf xsrf otp pin session
    date time datetime timestamp day month year hour start end begin duration age
    type kind status category mode level priority role roles scope scopes format version ver v flag enabled disabled active visible
    price amount quantity qty width height x y z lat lng lon latitude longitude zoom
    color colour host hostname domain ip port path file filename dir folder ext extension url uri href link src redirect callback next return
    method action op operation event
  `,
  prose: `
    description descriptions desc_text content contents message messages comment comments text body bio biography note notes prompt
    question questions answer answers title titles subject review reviews summary about feedback snippet markdown md html
    caption headline heading excerpt abstract paragraph story article post reply remark remarks reason explanation details detail
    instruction instructions input completion response transcript query_text source sourcecode script template letter
    introduction intro biography testimonial quote signature_text memo memo_text changelog readme docs documentation
    bemerkung beschreibung nachricht kommentar inhalt texte commentaire mensaje comentario descripcion descrição
  `,
}
const roles: ReadonlyMap<string, Role> = new Map(
  (Object.entries(words) as [Role, string][]).flatMap(([role, list]) =>
    list.split(/\s+/).flatMap((word): [string, Role][] => (word === '' ? [] : [[word, role]])),
  ),
)

/**
 * Whether people wrote it: mostly plain words, with those among them that sentences are held together by and that no query or
 * command has; or letters of a script in which neither is written. Its beginning tells.
 */
export function isProse(text: string): boolean {
  if (text.length < proseMin) return false
  const sample = text.length > sampleMax ? text.slice(0, sampleMax) : text
  const found = sample.match(plainWords) ?? []
  if (found.length >= 6 && found.length / (sample.match(tokens)?.length ?? 1) >= 0.75) {
    let binding = 0
    for (const word of found) if (sentenceWords.has(word.toLowerCase().replace(/[^\p{L}'’]+/gu, ''))) binding++
    if (binding >= 2) return true
  }
  return (sample.match(foreignLetters)?.length ?? 0) / sample.length >= 0.6
}

const proseMin = 12
const sampleMax = 2048
/** With the signs that may follow a word, or open a quotation. */
const plainWords = /(?<=^|\s)["'“‘„«(*_#-]{0,3}\p{L}[\p{L}\p{M}'’-]{0,30}["'”’“»).,;:!?…*_]{0,3}(?=\s|$)/gu
const tokens = /\S+/g
/** Scripts that no language of programs is written in. */
const foreignLetters =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Tamil}]/gu

/** Of English, German, French, Spanish, Italian, Portuguese, Dutch and Polish; without those that SQL or a shell knows. */
const sentenceWords: ReadonlySet<string> = new Set(
  `the a an of you your i my me we our us it its it's he she his her they their them this that these those was were are am be been
  have has had can could will would should shall may might must what which who whom why how when please for but so because about
  i'm don't doesn't can't
  der die das den dem des ein eine einen einem und ist sind war ich du er sie wir ihr nicht mit auf für von zu im auch wie
  le la les un une des et est sont je tu il elle nous vous ne pas pour dans avec sur que qui ce cette
  el los las una y es son yo no con para por como pero más lo su
  gli che di della per non sono ho ha del nel
  os uma não com mas seu sua você
  het een en van ik niet met voor dat
  jest nie się na że jak do`.split(/\s+/),
)
