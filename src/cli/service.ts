import { readFileSync } from 'node:fs'
import type { DraftDefinition } from '../authn/service/definition.ts'
import { publicJwkOfText } from '../authn/service/public-keys.ts'
import { makeServiceToken, serviceTokenSecondsMax } from '../authn/service/service-token.ts'
import type { ServiceView } from '../authn/service/services.ts'
import { draftOf, secretOf, serviceOf } from '../endpoints/api/services.ts'
import { isRefusal } from '../endpoints/desk/guard.ts'
import {
  certificateText,
  type MadeSecret,
  ServiceAdministration,
  type ServiceAuthor,
} from '../endpoints/desk/services.ts'
import type { House } from '../house.ts'
import { durationMs } from '../kernel/duration.ts'
import { serviceBody } from '../wire/services.ts'
import { adminEvent } from './admin-event.ts'
import { type Command, readArgs, readVerb, type Terminal, told, Usage, type VerbShape } from './command.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse service list [--json]
       gatehouse service show NAME [--json]
       gatehouse service create NAME [DEFINITION] [--no-secret]
       gatehouse service change NAME [DEFINITION]
       gatehouse service rotate NAME [--overlap DURATION]
       gatehouse service remove-secret NAME SECRET-ID
       gatehouse service disable|enable|remove NAME
       gatehouse service token NAME --for TARGET [--lifetime DURATION]
                 [--config FILE] [--data DIR]

DEFINITION is [--permission PERMISSION …] [--role ROLE …] [--certificate-dns NAME …] [--certificate-subject SUBJECT …]
[--certificate-uri URI …] [--certificate-email ADDRESS …] [--public-key KID=FILE …] [--address CIDR …] [--limit COUNT/DURATION];
\`change\` says all of it anew. A secret is printed once, alone on the standard output. After \`rotate\` the one before it is
good for the overlap, 24h where nothing is said; with \`--overlap 0s\` every other ends at once. \`token\` prints a token of
the service for one target, good for 5 minutes at most.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    {
      ...houseOptions,
      json: { type: 'boolean' },
      permission: { type: 'string', multiple: true },
      role: { type: 'string', multiple: true },
      'certificate-dns': { type: 'string', multiple: true },
      'certificate-subject': { type: 'string', multiple: true },
      'certificate-uri': { type: 'string', multiple: true },
      'certificate-email': { type: 'string', multiple: true },
      'public-key': { type: 'string', multiple: true },
      address: { type: 'string', multiple: true },
      limit: { type: 'string' },
      'no-secret': { type: 'boolean' },
      overlap: { type: 'string' },
      for: { type: 'string' },
      lifetime: { type: 'string' },
    },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const [verb, ...operands] = readVerb('service', verbs, { values, positionals }, usage)
  const [first = '', second = ''] = operands
  const act = actOf(verb, first, second, values)
  return visit(values, terminal, (house) =>
    act({
      administration: new ServiceAdministration(roomsOf(house), house.authorization?.registry.clients),
      author: operator(house, terminal),
      house,
      terminal,
    }),
  )
}

const definition: readonly string[] = [
  'permission',
  'role',
  'certificate-dns',
  'certificate-subject',
  'certificate-uri',
  'certificate-email',
  'public-key',
  'address',
  'limit',
]

type Verb =
  | 'list'
  | 'show'
  | 'create'
  | 'change'
  | 'rotate'
  | 'remove-secret'
  | 'disable'
  | 'enable'
  | 'remove'
  | 'token'

/** What each wants: names, and options beside those by which the house is found. */
// biome-ignore format: a table
const verbs: Readonly<Record<Verb, VerbShape>> = {
  list:            { operands: 0, options: ['json'] },
  show:            { operands: 1, options: ['json'] },
  create:          { operands: 1, options: [...definition, 'no-secret'] },
  change:          { operands: 1, options: definition },
  rotate:          { operands: 1, options: ['overlap'] },
  'remove-secret': { operands: 2, options: [] },
  disable:         { operands: 1, options: [] },
  enable:          { operands: 1, options: [] },
  remove:          { operands: 1, options: [] },
  token:           { operands: 1, options: ['for', 'lifetime'] },
}

interface Values {
  readonly json?: boolean | undefined
  readonly permission?: readonly string[] | undefined
  readonly role?: readonly string[] | undefined
  readonly 'certificate-dns'?: readonly string[] | undefined
  readonly 'certificate-subject'?: readonly string[] | undefined
  readonly 'certificate-uri'?: readonly string[] | undefined
  readonly 'certificate-email'?: readonly string[] | undefined
  readonly 'public-key'?: readonly string[] | undefined
  readonly address?: readonly string[] | undefined
  readonly limit?: string | undefined
  readonly 'no-secret'?: boolean | undefined
  readonly overlap?: string | undefined
  readonly for?: string | undefined
  readonly lifetime?: string | undefined
}

interface Place {
  readonly administration: ServiceAdministration
  readonly author: ServiceAuthor
  readonly house: House
  readonly terminal: Terminal
}

type Act = (place: Place) => Promise<boolean>

/** What a call comes to. What is wrong with it is told before anything is opened. */
function actOf(verb: Verb, first: string, second: string, values: Values): Act {
  switch (verb) {
    case 'list':
      return (place) => list(place, values.json === true)
    case 'show':
      return (place) => show(place, first, values.json === true)
    case 'create': {
      const draft = readDraft(values)
      return async ({ administration, author, terminal }) => {
        const made = await administration.create(author, first, draft, values['no-secret'] !== true)
        if (isRefusal(made)) return told(made, terminal, '')
        if (made.secret !== undefined) tellSecret(made.secret, terminal)
        return told(undefined, terminal, `create ${first}`)
      }
    }
    case 'change': {
      const draft = readDraft(values)
      return async ({ administration, author, terminal }) => {
        const changed = await administration.change(author, first, draft)
        return told(changed, terminal, `change ${first}`)
      }
    }
    case 'rotate': {
      const overlapMs = durationBetween('overlap', values.overlap ?? '24h', 0, 30 * dayMs)
      return async ({ administration, author, terminal }) => {
        const made = await administration.rotate(author, first, overlapMs)
        if (isRefusal(made)) return told(made, terminal, '')
        tellSecret(made, terminal)
        return told(undefined, terminal, `rotate ${first}`)
      }
    }
    case 'remove-secret':
      return async ({ administration, author, terminal }) =>
        told(await administration.removeSecret(author, first, second), terminal, `remove-secret ${first} ${second}`)
    case 'disable':
    case 'enable':
      return async ({ administration, author, terminal }) =>
        told(await administration.setDisabled(author, first, verb === 'disable'), terminal, `${verb} ${first}`)
    case 'remove':
      return async ({ administration, author, terminal }) =>
        told(await administration.remove(author, first), terminal, `remove ${first}`)
    case 'token': {
      const target = values.for
      if (target === undefined || target === '')
        throw new Usage(`--for: expected the target that is called\n\n${usage}`)
      const lifetimeMs = durationBetween('lifetime', values.lifetime ?? '5m', 1_000, serviceTokenSecondsMax * 1000)
      return (place) => token(place, first, target, Math.floor(lifetimeMs / 1000))
    }
  }
}

/** The shape of the API, read from options: what it refuses there it refuses here, and says why. */
function readDraft(values: Values): DraftDefinition {
  const named = (kind: 'dns' | 'subject' | 'uri' | 'email'): readonly object[] =>
    (values[`certificate-${kind}`] ?? []).map((value) => ({ [kind]: value }))
  const parsed = serviceBody.safeParse({
    permissions: values.permission ?? [],
    roles: values.role ?? [],
    certificates: [...named('dns'), ...named('subject'), ...named('uri'), ...named('email')],
    public_keys: (values['public-key'] ?? []).map(readKey),
    addresses: values.address ?? [],
    ...(values.limit === undefined ? {} : { limit: readLimit(values.limit) }),
  })
  if (parsed.success) return draftOf(parsed.data)
  throw new Usage(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'))
}

/** `kid=path` */
function readKey(text: string): object {
  const [, kid, path] = /^([^=]+)=(.+)$/s.exec(text) ?? []
  if (kid === undefined || path === undefined) throw new Usage('--public-key: expected KID=FILE')
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Usage(`--public-key: \`${path}\` cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  const read = publicJwkOfText(content)
  if ('problem' in read) throw new Usage(`--public-key: \`${path}\`: ${read.problem}`)
  return { kid, jwk: read.jwk }
}

/** `1000/1h` */
function readLimit(text: string): object {
  const [, count, window] = /^([1-9][0-9]{0,9})\/(.+)$/s.exec(text) ?? []
  const windowMs = window === undefined ? undefined : durationMs(window)
  if (count === undefined || windowMs === undefined || windowMs < 1_000 || windowMs % 1_000 !== 0)
    throw new Usage('--limit: expected a count and a duration of whole seconds such as `1000/1h`')
  return { limit: Number(count), window: windowMs / 1000 }
}

function durationBetween(option: string, text: string, minMs: number, maxMs: number): number {
  const ms = durationMs(text)
  if (ms === undefined || ms < minMs || ms > maxMs)
    throw new Usage(`--${option}: expected a duration of ${spanText(minMs)} to ${spanText(maxMs)}, got \`${text}\``)
  return ms
}

function spanText(ms: number): string {
  return ms >= dayMs ? `${ms / dayMs}d` : ms >= 60_000 ? `${ms / 60_000}m` : `${ms / 1000}s`
}

async function list({ administration, terminal }: Place, asJson: boolean): Promise<boolean> {
  const all: ServiceView[] = []
  let after: string | undefined
  do {
    const page = await administration.page(200, after)
    all.push(...page.services)
    after = page.next
  } while (after !== undefined)
  if (asJson) terminal.out(JSON.stringify(all.map(serviceOf), null, 2))
  else
    for (const { name, origin, definition, disabledAt } of all)
      terminal.out([name, origin, disabledAt === undefined ? 'active' : 'disabled', holdings(definition)].join('\t'))
  return true
}

async function show({ administration, terminal }: Place, name: string, asJson: boolean): Promise<boolean> {
  const service = await administration.show(name)
  if (service === undefined) {
    terminal.err(`no service is called \`${name}\``)
    return false
  }
  const secrets = await administration.secretsOf(name)
  if (asJson) {
    terminal.out(JSON.stringify({ ...serviceOf(service), secrets: secrets.map(secretOf) }, null, 2))
    return true
  }
  const { origin, disabledAt, definition } = service
  const facts = {
    name,
    origin,
    status: disabledAt === undefined ? 'active' : 'disabled',
    permissions: definition.permissions.join(' '),
    roles: definition.roles.join(' '),
    addresses: definition.addresses.join(' '),
    limit: definition.limit === undefined ? '' : `${definition.limit.limit} in ${definition.limit.windowMs / 1000} s`,
  }
  for (const [fact, value] of Object.entries(facts)) if (value !== '') terminal.out(`${fact}: ${value}`)
  for (const one of definition.certificates) terminal.out(`certificate: ${certificateText(one)}`)
  for (const { kid, jwk } of definition.publicKeys) terminal.out(`public key: ${kid}, ${jwk.crv ?? jwk.kty}`)
  for (const { id, createdAt, expiresAt } of secrets) {
    const until = expiresAt === undefined ? '' : `, until ${new Date(expiresAt).toISOString()}`
    terminal.out(`secret: ${id}, since ${new Date(createdAt).toISOString()}${until}`)
  }
  return true
}

/** Whoever has the machine has every secret: that a token was made with one is remembered all the same. */
async function token(
  { house, author, terminal }: Place,
  name: string,
  target: string,
  seconds: number,
): Promise<boolean> {
  const { serviceBook } = house.machines
  await serviceBook.hear(house.store.db)
  const [secret] = serviceBook.find(name)?.secrets ?? []
  if (secret === undefined) {
    terminal.err(
      serviceBook.find(name) === undefined
        ? `no service is called \`${name}\`, or it is disabled`
        : `\`${name}\` has no secret: it signs by its own key`,
    )
    return false
  }
  await house.store.transaction((trx) => author.note(trx, 'service.token', name, { seconds, target }))
  house.audit.wake()
  terminal.out(makeServiceToken({ service: name, target, secret, lifetimeSeconds: seconds, ...terminal }))
  return true
}

function holdings({ permissions, roles }: ServiceView['definition']): string {
  return [...roles.map((role) => `role:${role}`), ...permissions].join(' ')
}

/** The secret alone on the standard output, for `$(…)`; what else there is to say beside it. */
function tellSecret({ id, secret, previousUntil }: MadeSecret, terminal: Terminal): void {
  terminal.out(secret)
  const before =
    previousUntil === undefined ? '' : `; the one before is good until ${new Date(previousUntil).toISOString()}`
  terminal.err(`the secret is shown this once; its id is ${id}${before}`)
}

/** Whoever has the machine has all of it. */
function operator({ audit }: House, terminal: Terminal): ServiceAuthor {
  return {
    holds: () => true,
    note: (trx, action, service, details) =>
      audit.enroll(trx, {
        ...adminEvent(action, '', terminal, details),
        resource: { id: service, type: 'service' },
      }),
  }
}

function roomsOf({ store, audit, machines, roleBook }: House): ConstructorParameters<typeof ServiceAdministration>[0] {
  return { store, audit, ...machines, roleBook }
}

const dayMs = 86_400_000
