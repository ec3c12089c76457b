import { z } from 'zod'
import { lockoutOptions } from './attempts/options.ts'
import { passwordOptions } from './password/options.ts'
import { providersOptions } from './provider/options.ts'
import { sessionOptions } from './session/options.ts'

/** How people come to have accounts, and how they sign in. */
export const identityOptions = z.strictObject({
  /** Who may register: everybody, whoever was invited, or nobody. */
  registration: z
    .enum(['open', 'invited', 'closed'], { error: 'expected `open`, `invited` or `closed`' })
    .default('closed'),
  /** Whether an address has to answer before there is an account. `none` tells everybody which addresses have one. */
  verification: z.enum(['required', 'none'], { error: 'expected `required` or `none`' }).default('required'),
  username: z.enum(['off', 'optional', 'required']).default('off'),
  /** What whoever registered may do. */
  defaultRoles: z.array(z.string().min(1)).default(['user']),
  password: passwordOptions.prefault({}),
  lockout: lockoutOptions,
  session: sessionOptions.prefault({}),
  providers: providersOptions.default({}),
})

export type IdentityOptions = z.output<typeof identityOptions>
