import { entropy } from './alphabets.ts'
import { isName, isPlaceholder } from './placeholders.ts'
import { serviceWords } from './service-words.ts'
import type { SecretSighting } from './sighting.ts'

/** What a name that says `password`, `token` or whose key it is, is given: at the sign between the two. */
export function findAssigned(text: string, signAt: number): SecretSighting | undefined {
  const name = nameBefore(text, signAt)
  if (name === undefined) return undefined
  const claim = claimOf(name)
  if (claim === undefined) return undefined
  return valueAfter(text, signAt + 1, claim)
}

/** The value of a member of that name. */
export function findNamed(text: string, name: string): SecretSighting | undefined {
  if (text.length > valueMax || text.length < 6) return undefined
  const claim = claimOf(name.slice(-nameMax).toLowerCase())
  if (claim === undefined) return undefined
  authorization.lastIndex = 0
  const scheme = authorization.exec(text)
  const start = scheme === null ? 0 : scheme[0].length
  const value = text.slice(start)
  if (/\s/.test(value) || !isSecret(value, claim, true)) return undefined
  return sighting(claim, start, text.length)
}

/** How strictly a value is looked at: a password may be short, a key may not. */
interface Claim {
  readonly rule: string
  readonly kind: 'password' | 'api-key' | 'token'
}

const nameMax = 48
const valueMax = 512

/** The name before a sign, in lower case: `"api_key"`, `apiKey`, `--password`, `ENV['X']`. */
function nameBefore(text: string, signAt: number): string | undefined {
  const name = wordBefore(text, signAt)
  // `var token string = …`, `token: str = …`: the type stands between.
  if (name === undefined || !typeNames.has(name.text)) return name?.text
  return wordBefore(text, name.start)?.text
}

const typeNames = new Set(['string', 'str', 'char', 'auto', 'std.string'])

function wordBefore(text: string, signAt: number): { readonly text: string; readonly start: number } | undefined {
  let end = signAt
  for (let passed = 0; passed < 6 && around.has(text.charCodeAt(end - 1)); passed++) end--
  let start = end
  while (start > 0 && end - start < nameMax && inName(text.charCodeAt(start - 1))) start--
  return end - start < 2 ? undefined : { text: text.slice(start, end).toLowerCase(), start }
}

const around = new Set([...` \t"'\`\\])=:?+|,.`].map((character) => character.charCodeAt(0)))

function inName(code: number): boolean {
  const lower = code | 0x20
  return (
    (lower >= 0x61 && lower <= 0x7a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x5f ||
    code === 0x2d ||
    code === 0x2e
  )
}

function claimOf(name: string): Claim | undefined {
  if (!telling.test(name) || other.test(name)) return serviceWords.test(name) && !other.test(name) ? service : undefined
  if (passwords.test(name)) return password
  return tokens.test(name) ? token : serviceWords.test(name) ? service : key
}

const password: Claim = { rule: 'secret/password-assignment', kind: 'password' }
const token: Claim = { rule: 'secret/token-assignment', kind: 'token' }
const key: Claim = { rule: 'secret/key-assignment', kind: 'api-key' }
const service: Claim = { rule: 'secret/service-key-assignment', kind: 'api-key' }

const telling =
  /passw(?:or)?d|passphrase|passwort|\bpwd|_pwd|\bpass$|_pass$|secret|token|api[-_.]?key|apikey|access[-_.]?key|auth|private[-_.]?key|client[-_.]?key|credential|signing[-_.]?key|encr?y?p?t?i?o?n?[-_.]?key|master[-_.]?key|session[-_.]?key|account[-_.]?key|license[-_.]?key|shared[-_.]?key|hmac|key$|\bsig$/
const passwords = /passw(?:or)?d|passphrase|passwort|pwd|pass$/
const tokens = /token|auth(?:orization)?$/

/** Names of what goes with a secret, and is none. */
const other =
  /(?:type|types|name|names|count|limit|size|length|len|policy|field|label|url|uri|path|file|filename|ttl|expiry|expires|expires_in|expiration|_at|algorithm|alg|hint|max|min|hash|issuer|format|version|endpoint|index|enabled|required|regex|pattern|[-_.]id|ids|reset|confirm|column|selector|prefix|suffix|status|scope|scopes|method|mode|provider|class|usage|author|authors|authority)$|public|csrf|xsrf|tokeniz|max[-_]?tokens|(?:cache|primary|foreign|sort|partition|idempotency|row|hot|public|index|dedupe?|lookup|trans|routing|object|i18n|unique|composite|s3|bucket|group|storage|map|on|is|has)[-_.]?key$|keyboard|(?:un|mon|don|tur|hoc|joc|whis|lac)key$|authoriz(?:e|ed|ation_?code)$|commit|checksum|integrity|digest|sha\d|md5|etag|pagination|page[-_]?token|next[-_]?token|continuation|cursor|author/

function valueAfter(text: string, from: number, claim: Claim): SecretSighting | undefined {
  let at = from
  // `:=`, `=>`, `==`, `||`
  for (let passed = 0; passed < 3 && signs.has(text.charCodeAt(at)); passed++) at++
  for (let passed = 0; passed < 8 && (text.charCodeAt(at) === 0x20 || text.charCodeAt(at) === 0x09); passed++) at++
  while (text.charCodeAt(at) === 0x5c && at - from < 12) at++
  const quote = quotes.has(text.charCodeAt(at)) ? text.charCodeAt(at++) : 0
  if (quote !== 0 && text.charCodeAt(at) === quote && text.charCodeAt(at + 1) === quote) at += 2
  authorization.lastIndex = at
  at += authorization.exec(text)?.[0].length ?? 0
  const end = valueEnd(text, at, quote)
  if (end === undefined || end === at || !isSecret(text.slice(at, end), claim, quote !== 0)) return undefined
  // `token = build(…)`, `secret.value`: a call, or a member of something.
  if (quote === 0 && (text.charCodeAt(end) === 0x28 || text.charCodeAt(end) === 0x5b)) return undefined
  return sighting(claim, at, end)
}

const signs = new Set([...'=>:|'].map((character) => character.charCodeAt(0)))
const quotes = new Set([...`"'\``].map((character) => character.charCodeAt(0)))

/** RFC 9110 §11.6.2: a scheme before the credential. */
const authorization = /(?:bearer|basic|token|digest|apikey|negotiate)\s{1,3}/iy

function valueEnd(text: string, start: number, quote: number): number | undefined {
  const limit = Math.min(text.length, start + valueMax)
  for (let at = start; at < limit; at++) {
    const code = text.charCodeAt(at)
    // A backslash begins the escape of the quote behind the value, or of a line's end.
    if (code === 0x5c || (quote !== 0 ? code === quote : code <= 0x20 || bare.has(code))) return at
    if (code === 0x0a || code === 0x0d) return undefined
  }
  return limit === text.length && quote === 0 ? limit : undefined
}

/** What ends a value that is not in quotes. */
const bare = new Set([...`"'\`,;()[]{}<>&|`].map((character) => character.charCodeAt(0)))

function sighting({ rule, kind }: Claim, start: number, end: number): SecretSighting {
  return { kind, rule, start, end, confidence: 0.75 }
}

function isSecret(value: string, claim: Claim, quoted: boolean): boolean {
  if (/\s/.test(value) || isPlaceholder(value)) return false
  if (claim === password) return isPassword(value, quoted)
  if (value.length < (claim === key ? 16 : 14) || !/^[A-Za-z0-9_\-+/=.~:!@#$%^&*]+$/.test(value)) return false
  const digits = value.replace(/[^0-9]/g, '').length
  const letters = value.replace(/[^A-Za-z]/g, '').length
  if (/[:#@].*[:/#@]/.test(value)) return false
  if (uuid.test(value)) return claim === service || claim === token || claim === key
  if (letters === 0 || isName(value)) return false
  const dense = entropy(value)
  if (digits === 0) return letters >= 20 && dense > 3.7 && /[a-z][A-Z]|[A-Z]{2}[a-z]/.test(value)
  // Dates, versions, names with a number in them, paths.
  if (/^[\d.:TZ+-]+$/i.test(value) || nearName.test(value) || /^\.{0,2}\//.test(value) || /\.[a-z]{2,4}$/.test(value))
    return false
  if (/^[0-9a-f]+$/i.test(value)) return value.length >= 16 && dense >= 2.9
  return dense >= (quoted ? 3.1 : 3.3)
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** `access-token-2`, `sha256`, `my_key_v3`, `arn:aws:iam::1234`, `user@host`. */
const nearName =
  /^[A-Za-z]+(?:[-_./: ][A-Za-z]+)*[-_./: ]?v?\d{1,4}$|^[a-z]+(?:[-_./:]+[a-z0-9]{1,8}){2,}$|^arn:|^sha\d{1,3}[-:]|^urn:|^data:/

/** Letters with digits or marks, as people make them up; a word alone could be any text. */
function isPassword(value: string, quoted: boolean): boolean {
  if (value.length < 6 || value.length > 128 || isName(value)) return false
  const hasDigit = /[0-9]/.test(value)
  const hasLetter = /[A-Za-z]/.test(value)
  const hasMark = /[^A-Za-z0-9._/:-]/.test(value)
  if (/^[\d.,:-]+$/.test(value) || /^[a-z][\w$]*(?:\.[\w$]+)+$/i.test(value)) return false
  if (!quoted && /^(?:[.~]{0,2}\/|[A-Za-z]:\/)/.test(value)) return false
  if (!quoted && /^[A-Za-z_$][A-Za-z_$]*\d?$/.test(value)) return false
  return hasLetter && (hasDigit || hasMark) && entropy(value) >= 2.3
}
