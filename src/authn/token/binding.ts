/** What a token is bound to: a key, a certificate, or nothing. Never both: what it proves would be a matter of reading. */
export interface Binding {
  /** The key that has to be proven with each use (RFC 9449 §6.1 `cnf.jkt`). */
  readonly keyThumbprint: string | undefined
  /** The certificate on whose connections alone it is good (RFC 8705 §3.1 `cnf["x5t#S256"]`). */
  readonly certificateThumbprint: string | undefined
}

/** A bearer's: whoever has it may use it. */
export const unbound: Binding = { keyThumbprint: undefined, certificateThumbprint: undefined }

/** The members of a token that say what it is bound to (RFC 7800 §3.1). */
export function confirmationOf({ keyThumbprint, certificateThumbprint }: Binding): { readonly cnf?: Confirmation } {
  if (keyThumbprint !== undefined) return { cnf: { jkt: keyThumbprint } }
  return certificateThumbprint === undefined ? {} : { cnf: { 'x5t#S256': certificateThumbprint } }
}

type Confirmation = { readonly jkt: string } | { readonly 'x5t#S256': string }

/**
 * What a `cnf` claim binds a token to; undefined where nobody here could check it, which is as good as no way at all: another
 * way than these two, both at once, or something that is no SHA-256.
 */
export function readConfirmation(cnf: unknown): Binding | undefined {
  if (typeof cnf !== 'object' || cnf === null) return undefined
  const [[way, thumbprint] = [], ...more] = Object.entries(cnf)
  if (more.length > 0 || typeof thumbprint !== 'string' || !/^[\w-]{43}$/.test(thumbprint)) return undefined
  if (way === 'jkt') return { ...unbound, keyThumbprint: thumbprint }
  return way === 'x5t#S256' ? { ...unbound, certificateThumbprint: thumbprint } : undefined
}
