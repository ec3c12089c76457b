/** Where a request is going, in the one spelling that is both matched and forwarded. */
export interface Target {
  /** Canonical path; '' when there is a problem. */
  readonly path: string
  /** The path as it came: what a signature of the request covers. */
  readonly written: string
  /** As it came, with its `?`, or ''. */
  readonly query: string
  /** The authority of an absolute-form target, which must be the Host. */
  readonly authority: string | undefined
  readonly problem: string | undefined
}

/**
 * Parses a request target (RFC 9112 §3.2). Percent-encoding is normalised once (RFC 3986 §6.2.2); what two servers could
 * read as two different paths is a problem: encoded slashes, backslashes and NULs, dot segments, empty segments.
 */
export function parseTarget(raw: string): Target {
  if (plain.test(raw) && !raw.includes('//') && !raw.includes('/.'))
    return { path: raw, written: raw, query: '', authority: undefined, problem: undefined }
  let authority: string | undefined
  let rest = raw
  if (raw.charCodeAt(0) !== slash) {
    const absolute = absoluteForm.exec(raw)
    if (absolute === null) return problem(`the target must begin with a slash`)
    authority = (absolute[1] as string).toLowerCase()
    rest = absolute[2] === '' ? '/' : (absolute[2] as string)
    if (rest.charCodeAt(0) !== slash) rest = `/${rest}`
  }
  if (!visible.test(rest)) return problem('the target may hold visible ASCII only; encode the rest')
  if (rest.includes('#')) return problem('the target must not carry a fragment')
  const mark = rest.indexOf('?')
  const written = mark < 0 ? rest : rest.slice(0, mark)
  const query = mark < 0 ? '' : rest.slice(mark)
  const path = normalise(written)
  if (path === undefined)
    return problem('the path holds a broken percent-encoding, or an encoded slash, backslash or NUL')
  if (path.includes('\\')) return problem('the path holds a backslash')
  if (path.includes('//')) return problem('the path holds an empty segment')
  if (dotSegment.test(path)) return problem('the path holds a dot segment')
  return { path, written, query, authority, problem: undefined }
}

const slash = 0x2f
const plain = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@/]*$/
const visible = /^[\x21-\x7e]+$/
const absoluteForm = /^https?:\/\/([^/?#]+)(.*)$/i
const dotSegment = /\/\.{1,2}(?:\/|$)/
const encoded = /%(?:([0-9A-Fa-f]{2})|)/g
const unreserved = /[A-Za-z0-9\-._~]/

/** Decodes what never needed encoding, writes the rest in upper-case hex; undefined where the path is unsafe to repeat. */
function normalise(path: string): string | undefined {
  if (!path.includes('%')) return path
  let safe = true
  const normal = path.replace(encoded, (_, hex: string | undefined) => {
    if (hex === undefined) {
      safe = false
      return ''
    }
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    if (character === '/' || character === '\\' || character === '\0') safe = false
    return unreserved.test(character) ? character : `%${hex.toUpperCase()}`
  })
  return safe ? normal : undefined
}

function problem(text: string): Target {
  return { path: '', written: '', query: '', authority: undefined, problem: text }
}
