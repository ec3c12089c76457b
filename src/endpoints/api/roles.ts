import type { RoleDefinition } from '../../authz/role/store.ts'
import type { Answerer, Exchange } from '../../gate/exchange.ts'
import { refuse } from '../../kernel/error.ts'
import type * as wire from '../../wire/roles.ts'
import { roleName } from '../../wire/roles.ts'
import type { Desk } from '../desk/desk.ts'
import { isRefusal } from '../desk/guard.ts'
import { type RoleAuthor, type RoleConflict, type RoleView, roleAuthorAt } from '../desk/roles.ts'
import { visitorOf } from '../desk/visitor.ts'
import { input } from './auth.ts'
import { readPage } from './page.ts'
import { json } from './reply.ts'

type Describes = keyof typeof wire.roles

/** Roles, for administrators. */
export function roleEndpoints({ roles, diary }: Desk): Record<Describes, Answerer> {
  const author = (exchange: Exchange): RoleAuthor => roleAuthorAt(diary, visitorOf(exchange))

  return {
    async listRoles({ request }) {
      const asked = readPage(new URLSearchParams(request.target.query), (text) =>
        roleName.safeParse(text).success ? text : undefined,
      )
      if (isRefusal(asked)) return asked
      const page = await roles.page(asked.limit, asked.after)
      const conflicts = asked.after === undefined ? await roles.conflicts() : []
      return json(200, {
        roles: page.roles.map(roleOf),
        ...(page.next === undefined ? {} : { next: page.next }),
        ...(conflicts.length === 0 ? {} : { conflicts: conflicts.map(conflictOf) }),
      })
    },

    async createRole(exchange) {
      const { name, ...definition } = input<typeof wire.newRoleBody>(exchange)
      const made = await roles.create(author(exchange), name, definitionOf(definition))
      return isRefusal(made) ? made : json(201, roleOf(made))
    },

    async showRole({ params }) {
      const role = await roles.show(nameOf(params))
      return role === undefined ? refuse('not-found', { detail: 'no role has this name' }) : json(200, roleOf(role))
    },

    async changeRole(exchange) {
      const definition = definitionOf(input<typeof wire.roleBody>(exchange))
      const changed = await roles.change(author(exchange), nameOf(exchange.params), definition)
      return isRefusal(changed) ? changed : json(200, roleOf(changed))
    },

    async removeRole(exchange) {
      return (await roles.remove(author(exchange), nameOf(exchange.params))) ?? json(200, { status: 'done' })
    },
  }
}

/** A role as it was described, each thing said once. */
export function definitionOf({ permissions, inherits, scope }: RoleDefinition): RoleDefinition {
  return { permissions: [...new Set(permissions)], inherits: [...new Set(inherits)], scope }
}

/** A role as the API, and the command, tell of it. */
export function roleOf(role: RoleView): Record<string, unknown> {
  const { name, origin, definition, held, areas, accounts, createdAt, updatedAt } = role
  return {
    name,
    origin,
    ...definition,
    /** With all that it inherits: everywhere, and in areas over and above that. */
    held,
    ...(Object.keys(areas).length === 0 ? {} : { areas }),
    accounts,
    ...(createdAt === undefined ? {} : { created_at: new Date(createdAt).toISOString() }),
    ...(updatedAt === undefined ? {} : { updated_at: new Date(updatedAt).toISOString() }),
  }
}

export function conflictOf({ kind, id, roles, atMost }: RoleConflict): Record<string, unknown> {
  return { [kind]: id, roles, at_most: atMost }
}

function nameOf(params: Exchange['params']): string {
  return params['name'] ?? '' // looked for in memory: no text is too strange for that
}
