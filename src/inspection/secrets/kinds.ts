/** Kinds of credentials, with what `label` writes in their place. */
export const secretKinds = {
  'api-key': { label: '[API-KEY]' },
  'private-key': { label: '[PRIVATE-KEY]' },
  token: { label: '[TOKEN]' },
  password: { label: '[PASSWORD]' },
} as const

export type SecretKind = keyof typeof secretKinds

export const secretKindNames = Object.keys(secretKinds) as [SecretKind, ...SecretKind[]]
