import type { SecretKind } from './kinds.ts'

/** A credential that was found, before overlaps are resolved. */
export interface SecretSighting {
  readonly kind: SecretKind
  readonly rule: string
  readonly start: number
  readonly end: number
  readonly confidence: number
}

/** What a finder tells: nothing, or one. */
export type Tell = (sighting: SecretSighting) => void

export function isAlphanumeric(code: number): boolean {
  if (code >= 0x30 && code <= 0x39) return true
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x7a
}
