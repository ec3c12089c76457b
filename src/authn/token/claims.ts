import type { Members } from './jws.ts'

/** What cannot be named cannot be revoked. */
export function isHandle(value: unknown): value is string {
  return isText(value) && value !== ''
}

/** Half a surrogate pair is no text: neither a header nor the audit log could repeat it. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed()
}

/** Seconds since the epoch. What claims to come later than the year 9999 is no time but an attempt. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < 253_402_300_800
}

export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText)
}

/** The scopes of a `scope` claim (RFC 8693 §4.2). */
export function scopesOf({ scope }: Members): readonly string[] {
  return isText(scope) && scope !== '' ? scope.split(' ') : []
}

/** Facts about the person that a decision may want. */
export function attributesOf(claims: Members): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {}
  for (const name of ['email', 'name']) {
    const value = claims[name]
    if (isText(value)) texts[name] = value
  }
  return texts
}
