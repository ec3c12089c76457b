import type { RoleDefinition } from '../authz/role/store.ts'
import { conflictOf, definitionOf, roleOf } from '../endpoints/api/roles.ts'
import { conflictText } from '../endpoints/desk/given.ts'
import { RoleAdministration, type RoleAuthor, type RoleView } from '../endpoints/desk/roles.ts'
import type { House } from '../house.ts'
import { newRoleBody, roleBody } from '../wire/roles.ts'
import { adminEvent } from './admin-event.ts'
import { type Command, readArgs, readVerb, type Terminal, told, Usage, type VerbShape } from './command.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse role list [--json]
       gatehouse role show NAME [--json]
       gatehouse role create NAME [DEFINITION]
       gatehouse role change NAME [DEFINITION]
       gatehouse role remove NAME
                 [--config FILE] [--data DIR]

DEFINITION is [--permission PERMISSION …] [--inherits ROLE …] [--scope global|AREA]; \`change\` says all of it anew. Roles of the
configuration are listed and shown, and changed there.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    {
      ...houseOptions,
      json: { type: 'boolean' },
      permission: { type: 'string', multiple: true },
      inherits: { type: 'string', multiple: true },
      scope: { type: 'string' },
    },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const [verb, ...operands] = readVerb('role', verbs, { values, positionals }, usage)
  const act = actOf(verb, operands[0] ?? '', values)
  return visit(values, terminal, (house) =>
    act({ administration: administrationOf(house), author: operator(house, terminal), terminal }),
  )
}

const definition: readonly string[] = ['permission', 'inherits', 'scope']

type Verb = 'list' | 'show' | 'create' | 'change' | 'remove'

/** What each wants: names, and options beside those by which the house is found. */
// biome-ignore format: a table
const verbs: Readonly<Record<Verb, VerbShape>> = {
  list:   { operands: 0, options: ['json'] },
  show:   { operands: 1, options: ['json'] },
  create: { operands: 1, options: definition },
  change: { operands: 1, options: definition },
  remove: { operands: 1, options: [] },
}

interface Values {
  readonly json?: boolean | undefined
  readonly permission?: readonly string[] | undefined
  readonly inherits?: readonly string[] | undefined
  readonly scope?: string | undefined
}

interface Place {
  readonly administration: RoleAdministration
  readonly author: RoleAuthor
  readonly terminal: Terminal
}

type Act = (place: Place) => Promise<boolean>

/** What a call comes to. What is wrong with it is told before anything is opened. */
function actOf(verb: Verb, name: string, values: Values): Act {
  switch (verb) {
    case 'list':
      return (place) => list(place, values.json === true)
    case 'show':
      return (place) => show(place, name, values.json === true)
    case 'create': {
      const drafted = readDefinition(newRoleBody, { ...described(values), name })
      return async ({ administration, author, terminal }) =>
        told(await administration.create(author, name, drafted), terminal, `create ${name}`)
    }
    case 'change': {
      const drafted = readDefinition(roleBody, described(values))
      return async ({ administration, author, terminal }) =>
        told(await administration.change(author, name, drafted), terminal, `change ${name}`)
    }
    case 'remove':
      return async ({ administration, author, terminal }) =>
        told(await administration.remove(author, name), terminal, `remove ${name}`)
  }
}

function described({ permission = [], inherits = [], scope }: Values): object {
  return { permissions: permission, inherits, ...(scope === undefined ? {} : { scope }) }
}

/** The shape of the API, read from options: what it refuses there it refuses here, and says why. */
function readDefinition(shape: typeof roleBody | typeof newRoleBody, given: object): RoleDefinition {
  const parsed = shape.safeParse(given)
  if (parsed.success) return definitionOf(parsed.data)
  throw new Usage(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'))
}

async function list({ administration, terminal }: Place, asJson: boolean): Promise<boolean> {
  const all: RoleView[] = []
  let after: string | undefined
  do {
    const page = await administration.page(200, after)
    all.push(...page.roles)
    after = page.next
  } while (after !== undefined)
  const conflicts = await administration.conflicts()
  if (asJson) {
    terminal.out(JSON.stringify({ roles: all.map(roleOf), conflicts: conflicts.map(conflictOf) }, null, 2))
    return true
  }
  for (const {
    name,
    origin,
    definition: { scope },
    held,
    areas,
    accounts,
  } of all)
    terminal.out(
      [name, origin, scope, accounts === 1 ? '1 account' : `${accounts} accounts`, holdings({ held, areas })].join(
        '\t',
      ),
    )
  for (const conflict of conflicts)
    terminal.err(`${conflict.kind} ${conflict.id} has no role of these: ${conflictText(conflict)}`)
  return true
}

async function show({ administration, terminal }: Place, name: string, asJson: boolean): Promise<boolean> {
  const role = await administration.show(name)
  if (role === undefined) {
    terminal.err(`no role is called \`${name}\``)
    return false
  }
  if (asJson) {
    terminal.out(JSON.stringify(roleOf(role), null, 2))
    return true
  }
  const { origin, definition: described, accounts } = role
  const facts = {
    name,
    origin,
    scope: described.scope,
    permissions: described.permissions.join(' '),
    inherits: described.inherits.join(' '),
    holds: holdings(role),
    accounts: String(accounts),
  }
  for (const [fact, value] of Object.entries(facts)) if (value !== '') terminal.out(`${fact}: ${value}`)
  return true
}

/** `task:read chart:*@analytics` */
function holdings({ held, areas }: Pick<RoleView, 'held' | 'areas'>): string {
  const there = Object.entries(areas).flatMap(([area, list]) => list.map((permission) => `${permission}@${area}`))
  return [...held, ...there].join(' ')
}

/** Whoever has the machine has all of it. */
function operator({ audit }: House, terminal: Terminal): RoleAuthor {
  return {
    holds: () => true,
    note: (trx, action, role, details) =>
      audit.enroll(trx, { ...adminEvent(action, '', terminal, details), resource: { id: role, type: 'role' } }),
  }
}

function administrationOf(house: House): RoleAdministration {
  const { store, audit, machines, people, roleBook, roleStore, revocations } = house
  return new RoleAdministration({ ...people, ...machines, store, audit, roleBook, roleStore, revocations })
}
