import type { Rooms } from './rooms.ts'

/**
 * Whether a field holds a credential of this house, good or not, by whatever scheme or none: what we would not read as one
 * somebody behind us might.
 */
export function holdsOwnCredential(field: string | undefined, { keys, services, tokens }: Rooms): boolean {
  if (field === undefined) return false
  return field.split(/[\s,]+/).some((part) => {
    if (keys.isKey(part) || services.isToken(part)) return true
    const verdict = part.includes('.') ? tokens.verify(part) : undefined
    return verdict !== undefined && (!('code' in verdict) || verdict.code !== 'token-invalid')
  })
}
