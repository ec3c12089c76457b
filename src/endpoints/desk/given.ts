import type { RoleTable } from '../../authz/role/table.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'

/** The refusal where nobody can have these roles together: one is none, or some of them are kept apart. */
export function refusalOfRoles(table: RoleTable, roles: readonly string[]): Refusal | undefined {
  const unknown = roles.filter((role) => !table.names.has(role))
  if (unknown.length > 0)
    return refuse('body-invalid', { errors: { roles: [`no role is called ${quoted(unknown, ', ')}`] } })
  const [conflict] = table.conflictsOf(roles)
  if (conflict === undefined) return undefined
  const detail = conflictText(conflict)
  return refuse('conflict', { detail, errors: { roles: [detail] } })
}

/** The refusal where roles come to more than somebody holds who gives them, or does something with whoever has them. */
export function refusalBeyond(
  holds: (permission: string) => boolean,
  permissions: Iterable<string>,
): Refusal | undefined {
  for (const permission of permissions)
    if (!holds(permission))
      return refuse('permission-required', { detail: `Permission '${permission}' required`, reason: 'reaches upwards' })
  return undefined
}

/** `\`requester\` and \`approver\` are kept apart: nobody has more than 1 of them` */
export function conflictText({ roles, atMost }: ReturnType<RoleTable['conflictsOf']>[number]): string {
  return `${quoted(roles, ' and ')} are kept apart: nobody has more than ${atMost} of them`
}

function quoted(names: readonly string[], between: string): string {
  return names.map((name) => `\`${name}\``).join(between)
}
