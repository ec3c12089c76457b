/** One way in which a person was proven. A `passkey` verified its user; a `security-key` was only there. */
export type Method = 'password' | 'totp' | 'recovery-code' | 'passkey' | 'security-key' | 'provider'

/** How, and when, a person was last proven. It belongs to a session, and so to each of its tokens. */
export interface Proof {
  readonly methods: readonly Method[]
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Authentication assurance level (NIST SP 800-63B-4 §2): two factors, or a passkey that is two in one. */
export type Level = 'aal1' | 'aal2'

export function levelOf(methods: readonly Method[]): Level {
  if (methods.includes('passkey')) return 'aal2'
  const knows = methods.includes('password') || methods.includes('provider')
  const has = methods.some((method) => method === 'totp' || method === 'recovery-code' || method === 'security-key')
  return knows && has ? 'aal2' : 'aal1'
}

/** The methods as `amr` values (RFC 8176 §2). */
export function amrOf(methods: readonly Method[]): readonly string[] {
  const values = new Set(methods.flatMap((method) => amr[method]))
  if (levelOf(methods) === 'aal2') values.add('mfa')
  return [...values]
}

/** The methods that `amr` values speak of. A code is a code: which app or list it came from is not in a token. */
export function methodsOfAmr(values: readonly string[]): readonly Method[] {
  const methods: Method[] = []
  if (values.includes('pwd')) methods.push('password')
  if (values.includes('otp')) methods.push('totp')
  if (values.includes('pop')) methods.push(values.includes('user') ? 'passkey' : 'security-key')
  if (values.includes('fed')) methods.push('provider')
  return methods
}

/** Methods as they were written into a row; what is not known is left out. */
export function methodsFrom(names: readonly string[]): readonly Method[] {
  return names.filter((name): name is Method => Object.hasOwn(amr, name))
}

const amr: Readonly<Record<Method, readonly string[]>> = {
  password: ['pwd'],
  totp: ['otp'],
  'recovery-code': ['otp'],
  passkey: ['pop', 'user'],
  'security-key': ['pop'],
  provider: ['fed'],
}
