import { parseCookie, stringifySetCookie } from 'cookie'

/** One cookie of a `Cookie` field, or undefined. A name that comes twice is nobody's: one of them was planted. */
export function cookieOf(field: string | undefined, name: string): string | undefined {
  if (field?.includes(name) !== true) return undefined
  if (countOf(field, name) !== 1) return undefined
  return parseCookie(field)[name]
}

/** A `Cookie` field without the cookies of these names; undefined when nothing is left. */
export function withoutCookies(field: string, isOurs: (name: string) => boolean): string | undefined {
  const kept = field.split(';').filter((pair) => !isOurs((pair.split('=', 1)[0] ?? '').trim()))
  const text = kept.join(';').trim()
  return text === '' ? undefined : text
}

/**
 * A cookie of ours: for this host and all of its paths, over https only, and out of the reach of scripts (RFC 6265bis
 * §4.1.3.2 `__Host-`). A lifetime of zero takes it back.
 */
export function setCookie(
  name: string,
  value: string,
  { maxAgeMs, sameSite }: { readonly maxAgeMs: number; readonly sameSite: 'strict' | 'lax' },
): string {
  const maxAge = Math.floor(maxAgeMs / 1000)
  return stringifySetCookie({ name, value, maxAge, path: '/', secure: true, httpOnly: true, sameSite })
}

function countOf(field: string, name: string): number {
  return field.split(';').filter((pair) => (pair.split('=', 1)[0] ?? '').trim() === name).length
}
