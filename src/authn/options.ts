import { z } from 'zod'

/** How people sign in. */
export const identityOptions = z.strictObject({
  password: z
    .strictObject({
      /** In characters. NIST SP 800-63B-4 asks for 15 where a password stands alone. */
      minLength: z.int().min(8).max(128).default(15),
    })
    .prefault({}),
})

export type PasswordOptions = z.output<typeof identityOptions>['password']
