import { z } from 'zod'

/** Roles of which nobody has more than `atMost` (NIST RBAC, static separation of duty). */
export const separationOptions = z
  .strictObject({
    roles: z.array(z.string().min(1)).refine((roles) => new Set(roles).size > 1, 'expected two roles at least'),
    atMost: z.int().min(1).default(1),
  })
  .refine(({ roles, atMost }) => atMost < Math.max(2, new Set(roles).size), {
    path: ['atMost'],
    message: 'expected less than there are roles: else it keeps nothing apart',
  })

export type Separation = z.output<typeof separationOptions>

/** The duties that these roles would bring together, each with those of its roles that are among them. */
export function broughtTogether(
  roles: ReadonlySet<string>,
  separations: readonly Separation[],
): readonly { readonly roles: readonly string[]; readonly atMost: number }[] {
  return separations.flatMap((separation) => {
    const held = [...new Set(separation.roles)].filter((role) => roles.has(role))
    return held.length > separation.atMost ? [{ roles: held, atMost: separation.atMost }] : []
  })
}
