import { compileRoles } from '../authz/role/table.ts'
import type { Mistake, Settings } from './settings.ts'

/**
 * Roles that one part names and none describes, and roles that one part keeps apart and another brings together. `names` are
 * those that were written, the administrator’s among them.
 */
export function roleMistakes(names: ReadonlySet<string>, settings: Settings): Mistake[] {
  const { roles, administrator, separationOfDuty, identity, services } = settings
  const unknown = (path: string, role: string): readonly Mistake[] =>
    names.has(role)
      ? []
      : [
          {
            path,
            message: `no role is called \`${role}\`; there ${names.size === 1 ? 'is' : 'are'} ${[...names].join(', ')}`,
          },
        ]
  const scope = roles?.[administrator]?.scope ?? 'global'
  const table = roles && compileRoles(roles, {}, { administrator, separations: separationOfDuty ?? [] })
  const together = (path: string, held: readonly string[]): readonly Mistake[] =>
    (table?.conflictsOf(held) ?? []).map(({ roles: apart, atMost }) => ({
      path,
      message: `\`separationOfDuty\` keeps ${apart.map((role) => `\`${role}\``).join(' and ')} apart: expected ${atMost} of them at most`,
    }))
  return [
    ...(scope === 'global'
      ? []
      : [{ path: `roles.${administrator}.scope`, message: 'expected `global`: it holds everything' }]),
    ...Object.entries(roles ?? {}).flatMap(([name, { inherits = [] }]) => [
      ...inherits.flatMap((parent) => unknown(`roles.${name}.inherits`, parent)),
      ...together(`roles.${name}.inherits`, [name]),
    ]),
    ...(separationOfDuty ?? []).flatMap((apart, index) =>
      apart.roles.flatMap((role) => unknown(`separationOfDuty[${index}].roles`, role)),
    ),
    ...together('identity.defaultRoles', identity?.defaultRoles ?? []),
    ...Object.entries(services ?? {}).flatMap(([name, { roles: held }]) => [
      ...held.flatMap((role) => unknown(`services.${name}.roles`, role)),
      ...together(`services.${name}.roles`, held),
    ]),
  ]
}
