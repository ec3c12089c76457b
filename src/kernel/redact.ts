import { prefixLengthMax, readKeyText } from './key-text.ts'

/** What stands in a log where a secret stood. */
export const redacted = '[redacted]'

/**
 * A copy of a value without secrets (DP4): fields whose name says that they hold one, at any depth and in any case, and
 * in every text the credentials that give themselves away: bearer and basic schemes, JWTs, our own prefixed tokens. Of an
 * API key the prefix and the id stay, so that a line that leaked one says which to revoke.
 */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth > depthMax) return '[too deep]'
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1))
  if (value instanceof Error) return redactError(value, depth)
  const clean: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(value)) {
    clean[name] =
      telling.test(name) && field !== undefined && field !== null && field !== ''
        ? hidden(field)
        : redact(field, depth + 1)
  }
  return clean
}

export function redactText(text: string): string {
  if (!keyTail.test(text)) return withoutCredentials(text)
  // What stands around a key is cleaned apart from it: else it would go with the scheme or the name before it.
  let clean = ''
  let from = 0
  for (const { index, 0: tail } of text.matchAll(keyTails)) {
    const key = keyAround(text, from, index, index + tail.length)
    if (key === undefined) continue
    clean += withoutCredentials(text.slice(from, key.start)) + key.handle + redacted
    from = index + tail.length
  }
  return clean + withoutCredentials(text.slice(from))
}

function withoutCredentials(text: string): string {
  let clean = text
  for (const [pattern, replacement] of credentials) clean = clean.replace(pattern, replacement)
  return clean
}

const depthMax = 8

/** Names whose value is a secret whatever it looks like; `token_type` and the like are none. */
const telling =
  /^(?!.*(?:_?type|_?id|_?name|_?ttl|_?count|algorithm)$).*(?:passw(?:or)?d|passphrase|secret|token|authorization|cookie|api[-_]?key|private[-_]?key|credential|pepper|otp)/i

const credentials: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic|dpop)\s+[A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${redacted}`],
  [/\beyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?/g, redacted],
  [/\bgh_(?!cl_)[a-z]{2,8}_[A-Za-z0-9._-]{8,}/g, redacted],
  [/([?&;](?:access_token|refresh_token|id_token|token|password|secret|api_?key|code)=)[^&\s"']+/gi, `$1${redacted}`],
  [/("(?:[^"]*(?:password|secret|token|api_?key|authorization)[^"]*)"\s*:\s*")[^"]+"/gi, `$1${redacted}"`],
  [/\b(\w+:\/\/[^\s:/@]+):[^\s/@]+@/g, `$1:${redacted}@`],
  // An API key of which a part is missing, or a letter wrong.
  [/_([0-9A-Za-z]{15})_[0-9A-Za-z]{16,}/g, `_$1_${redacted}`],
]

/** The end of an API key, whatever its prefix. */
const keyTail = /_[0-9A-Za-z]{15}_[0-9A-Za-z]{49}(?![0-9A-Za-z])/
const keyTails = new RegExp(keyTail, 'g')

/** A key by its end: where it begins is for its checksum to say. */
function keyAround(
  text: string,
  from: number,
  tailAt: number,
  end: number,
): { readonly start: number; readonly handle: string } | undefined {
  for (let start = tailAt - 1; start >= Math.max(from, tailAt - prefixLengthMax); start--) {
    const key = readKeyText(text.slice(start, end))
    if (key !== undefined) return { start, handle: `${key.prefix}_${key.id}_` }
  }
  return undefined
}

function hidden(field: unknown): string {
  const key = typeof field === 'string' ? readKeyText(field) : undefined
  return key === undefined ? redacted : `${key.prefix}_${key.id}_${redacted}`
}

function redactError(error: Error, depth: number): unknown {
  return {
    type: error.name,
    message: redactText(error.message),
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    stack: redactText(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
  }
}
