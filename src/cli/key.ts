import type { KeyOwner, KeyView, MadeKey } from '../authn/key/key-record.ts'
import type { KeyCursor } from '../authn/key/keys.ts'
import { type KeyAuthor, KeyCounter, type KeyDraft } from '../endpoints/desk/keys.ts'
import type { House } from '../house.ts'
import { durationMs } from '../kernel/duration.ts'
import type { Refusal } from '../kernel/error.ts'
import { newKeyBody } from '../wire/keys.ts'
import { adminEvent } from './admin-event.ts'
import { type Command, readArgs, refusalText, type Terminal, Usage } from './command.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse key create NAME --user EMAIL|--service NAME|--organisation NAME
                 [--permission P …] [--scope S …] [--address CIDR …] [--expires DURATION] [--limit COUNT/DURATION]
       gatehouse key list [--user EMAIL|--service NAME|--organisation NAME] [--json]
       gatehouse key show ID [--json]
       gatehouse key rotate ID [--replace ID]
       gatehouse key revoke ID [--only]
                 [--config FILE] [--data DIR]

A new key stands alone on the standard output, shown this once: KEY=$(gatehouse key create …). Revoking ends what the key took
over from and its successor too; with --only that one key.`

const keyOptions = {
  user: { type: 'string' },
  service: { type: 'string' },
  organisation: { type: 'string' },
  permission: { type: 'string', multiple: true },
  scope: { type: 'string', multiple: true },
  address: { type: 'string', multiple: true },
  expires: { type: 'string' },
  limit: { type: 'string' },
  replace: { type: 'string' },
  only: { type: 'boolean' },
  json: { type: 'boolean' },
} as const

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(args, { ...houseOptions, ...keyOptions }, usage)
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const [verb = '', ...operands] = positionals
  const known = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
  if (known === undefined) throw new Usage(verb === '' ? usage : `unknown \`key ${verb}\`\n\n${usage}`)
  if (operands.length !== known.operands) throw new Usage(usage)
  for (const name of Object.keys(keyOptions) as (keyof typeof keyOptions)[])
    if (values[name] !== undefined && !known.options.includes(name))
      throw new Usage(`\`key ${verb}\` takes no --${name}\n\n${usage}`)
  const act = known.read(operands[0] ?? '', values)
  return visit(values, terminal, (house) => act({ house, terminal, counter: counterOf(house) }))
}

interface Values {
  readonly user?: string | undefined
  readonly service?: string | undefined
  readonly organisation?: string | undefined
  readonly permission?: readonly string[] | undefined
  readonly scope?: readonly string[] | undefined
  readonly address?: readonly string[] | undefined
  readonly expires?: string | undefined
  readonly limit?: string | undefined
  readonly replace?: string | undefined
  readonly only?: boolean | undefined
  readonly json?: boolean | undefined
}

interface Place {
  readonly house: House
  readonly terminal: Terminal
  readonly counter: KeyCounter
}

type Act = (place: Place) => Promise<boolean>

/** What is wrong with a call is told before anything is opened. */
const verbs: Readonly<
  Record<
    string,
    {
      readonly operands: number
      readonly options: readonly (keyof typeof keyOptions)[]
      read(operand: string, values: Values): Act
    }
  >
> = {
  create: {
    operands: 1,
    options: ['user', 'service', 'organisation', 'permission', 'scope', 'address', 'expires', 'limit'],
    read(name, values) {
      const owner = namedOwner(values)
      if (owner === undefined) throw new Usage(`expected --user, --service or --organisation\n\n${usage}`)
      const draft = draftOf(name, values)
      return async (place) => {
        const found = await ownerIn(place, owner)
        if (found === undefined) return false
        return told(await place.counter.create(operator(place), found, draft), place.terminal)
      }
    },
  },
  list: {
    operands: 0,
    options: ['user', 'service', 'organisation', 'json'],
    read: (_, values) => list(namedOwner(values), values.json === true),
  },
  show: { operands: 1, options: ['json'], read: (id, { json }) => withKey(id, show(json === true)) },
  rotate: {
    operands: 1,
    options: ['replace'],
    read: (id, { replace }) =>
      withKey(id, async (key, place) =>
        told(await place.counter.rotate(operator(place), key, replace, 'an administrator'), place.terminal),
      ),
  },
  revoke: {
    operands: 1,
    options: ['only'],
    read: (id, { only }) =>
      withKey(id, async (key, place) => {
        const ended = await place.counter.revoke(operator(place), key, only === true, 'an administrator')
        if ('code' in ended) return no(ended, place.terminal)
        place.terminal.out(`done: revoked ${ended.join(' ')}`)
        return true
      }),
  },
}

/** As it is named here: a person by their address. */
function namedOwner({ user, service, organisation }: Values): KeyOwner | undefined {
  const named = [
    ...(user === undefined ? [] : [{ type: 'user', id: user } as const]),
    ...(service === undefined ? [] : [{ type: 'service', id: service } as const]),
    ...(organisation === undefined ? [] : [{ type: 'organisation', id: organisation } as const]),
  ]
  if (named.length > 1) throw new Usage(`expected one of --user, --service and --organisation\n\n${usage}`)
  return named[0]
}

async function ownerIn({ house, terminal }: Place, owner: KeyOwner): Promise<KeyOwner | undefined> {
  if (owner.type !== 'user') return owner
  const account = await house.accounts.byEmail(house.store.db, owner.id)
  if (account === undefined) terminal.err(`nobody is called \`${owner.id}\``)
  return account === undefined ? undefined : { type: 'user', id: account.id }
}

/** The shape of the API, read from options: what it refuses there it refuses here, and says why. */
function draftOf(name: string, values: Values): KeyDraft {
  const parsed = newKeyBody.safeParse({
    name,
    permissions: values.permission ?? [],
    ...(values.scope === undefined ? {} : { scopes: values.scope }),
    ...(values.address === undefined ? {} : { addresses: values.address }),
  })
  if (!parsed.success)
    throw new Usage(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'))
  const { permissions, scopes, addresses } = parsed.data
  return {
    name,
    permissions,
    scopes,
    addresses,
    lifetimeMs: values.expires === undefined ? undefined : lifetimeOf(values.expires),
    limit: values.limit === undefined ? undefined : limitOf(values.limit),
  }
}

function lifetimeOf(text: string): number {
  const ms = durationMs(text)
  if (ms === undefined || ms < minuteMs || ms > tenYearsMs)
    throw new Usage('--expires: expected a duration such as `90d`, of one minute at least and ten years at most')
  return ms
}

/** `1000/1h` */
function limitOf(text: string): KeyDraft['limit'] {
  const [, count = '', window = ''] = /^([1-9]\d{0,8})\/(\w+)$/.exec(text) ?? []
  const windowMs = durationMs(window)
  if (windowMs === undefined || windowMs < 1_000)
    throw new Usage('--limit: expected a count and a duration of one second at least, such as `1000/1h`')
  return { limit: Number(count), windowMs }
}

function list(named: KeyOwner | undefined, json: boolean): Act {
  return async (place) => {
    const { house, terminal } = place
    const owner = named === undefined ? undefined : await ownerIn(place, named)
    if (named !== undefined && owner === undefined) return false
    let after: KeyCursor | undefined
    do {
      const page = await house.machines.keys.page(house.store.db, { owner, limit: 200, after })
      for (const key of page.keys) terminal.out(json ? JSON.stringify(factsOf(key)) : lineOf(key))
      after = page.next
    } while (after !== undefined)
    return true
  }
}

function show(json: boolean): (key: KeyView, place: Place) => Promise<boolean> {
  return async (key, { terminal }) => {
    if (json) terminal.out(JSON.stringify(factsOf(key)))
    else
      for (const [name, value] of Object.entries(factsOf(key)))
        if (value !== undefined) terminal.out(`${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    return true
  }
}

function withKey(id: string, work: (key: KeyView, place: Place) => Promise<boolean>): Act {
  return async (place) => {
    const { house, terminal } = place
    const key = await house.machines.keys.show(house.store.db, id)
    if (key !== undefined) return work(key, place)
    terminal.err(`no key has the id \`${id}\``)
    return false
  }
}

function lineOf({ id, name, owner, state, lastUsedAt }: KeyView): string {
  const used = lastUsedAt === undefined ? 'never used' : `used ${isoOf(lastUsedAt)}`
  return [id, name, `${owner.type}:${owner.id}`, state, used].join('\t')
}

/** Milliseconds as RFC 3339, one key a line: for other programs. */
function factsOf({
  createdAt,
  expiresAt,
  retiresAt,
  revokedAt,
  lastUsedAt,
  ...facts
}: KeyView): Record<string, unknown> {
  return {
    ...facts,
    createdAt: isoOf(createdAt),
    expiresAt: isoOf(expiresAt),
    retiresAt: isoOf(retiresAt),
    revokedAt: isoOf(revokedAt),
    lastUsedAt: isoOf(lastUsedAt),
  }
}

function isoOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString()
}

/** The key alone, where a script takes it; the words beside it. */
function told(made: MadeKey | Refusal, terminal: Terminal): boolean {
  if ('code' in made) return no(made, terminal)
  const { id, expiresAt, generation } = made.view
  const until = expiresAt === undefined ? '' : `, until ${isoOf(expiresAt)}`
  const trial = generation === 1 ? '' : '; it takes over with its first use'
  terminal.err(`the key ${id}, shown this once${until}${trial}:`)
  terminal.out(made.text)
  return true
}

function no(refused: Refusal, terminal: Terminal): boolean {
  if (refused.code === 'body-invalid') throw new Usage(refusalText(refused))
  terminal.err(refused.detail)
  return false
}

/** Whoever has the machine has all of it. */
function operator({ house, terminal }: Place): KeyAuthor {
  return {
    id: 'operator',
    holds: () => true,
    exceeds: () => true,
    note: (trx, action, result, keyId, details) =>
      house.audit.enroll(trx, {
        ...adminEvent(action, '', terminal, details),
        resource: { id: keyId, type: 'api-key' },
        result,
      }),
    tell: async () => {}, // an operator speaks for themself
  }
}

function counterOf({ machines, store, audit, accounts, settings, roleBook }: House): KeyCounter {
  const scopes = settings.oauth?.scopes
  return new KeyCounter({
    store,
    audit,
    accounts,
    keys: machines.keys,
    keyBook: machines.keyBook,
    roleBook,
    scopeTexts: scopes && new Map(Object.entries(scopes).map(([name, { description }]) => [name, description])),
  })
}

const minuteMs = 60_000
const tenYearsMs = 315_360_000_000
