import { readFileSync } from 'node:fs'
import { type Author, ClientAdministration, type MadeClient, type MadeSecret } from '../endpoints/desk/clients.ts'
import type { House } from '../house.ts'
import { certificatesOf } from '../http/x509/pem.ts'
import { durationMs } from '../kernel/duration.ts'
import type { Refusal } from '../kernel/error.ts'
import type { DraftMetadata } from '../oauth/client-metadata.ts'
import type { ClientCursor, ClientView } from '../oauth/clients.ts'
import { clientBody, tokenExchange } from '../wire/clients.ts'
import { adminEvent } from './admin-event.ts'
import { type Command, readArgs, refusalText, type Terminal, Usage } from './command.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse client list
       gatehouse client create NAME [--id ID] [--redirect URI …] [--scope SCOPE …] [--grant GRANT …]
                 [--public] [--native] [--jwks-uri URI] [--pushed-requests] [--bound-tokens]
                 [--certificate-subject NAME | --certificate-dns NAME | --certificate-uri URI
                 | --certificate-address ADDRESS | --certificate-email ADDRESS | --certificate FILE]
                 [--certificate-bound]
       gatehouse client show|disable|enable|remove ID
       gatehouse client add-secret ID [--expires DURATION]
       gatehouse client remove-secret ID SECRET-ID [--end-tokens]
       gatehouse client invite [--expires DURATION]
                 [--config FILE] [--data DIR]

GRANT is authorization_code, refresh_token, client_credentials, device_code or token_exchange; the first two, where none
is named. A client shows who it is by a secret, which is printed once; with --jwks-uri by its own key; with --certificate-…
by a certificate of that name that an authority vouches for; with --certificate by the one in FILE (PEM); with --public not
at all. Its tokens are bound to its key with --bound-tokens, to its certificate with --certificate-bound. Disabling and
removing end its tokens.
\`invite\` prints a token with which one client may register itself.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    {
      ...houseOptions,
      id: { type: 'string' },
      redirect: { type: 'string', multiple: true },
      scope: { type: 'string', multiple: true },
      grant: { type: 'string', multiple: true },
      public: { type: 'boolean' },
      native: { type: 'boolean' },
      'jwks-uri': { type: 'string' },
      'pushed-requests': { type: 'boolean' },
      'bound-tokens': { type: 'boolean' },
      certificate: { type: 'string' },
      'certificate-subject': { type: 'string' },
      'certificate-dns': { type: 'string' },
      'certificate-uri': { type: 'string' },
      'certificate-address': { type: 'string' },
      'certificate-email': { type: 'string' },
      'certificate-bound': { type: 'boolean' },
      expires: { type: 'string' },
      'end-tokens': { type: 'boolean' },
    },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const [verb = '', ...operands] = positionals
  const wanted = Object.hasOwn(operandCounts, verb) ? operandCounts[verb] : undefined
  if (wanted === undefined) throw new Usage(verb === '' ? usage : `unknown \`client ${verb}\`\n\n${usage}`)
  if (operands.length !== wanted) throw new Usage(usage)
  const [first = '', second = ''] = operands
  const act = actOf(verb, first, second, values)
  return visit(values, terminal, (house) => {
    if (house.authorization === undefined)
      throw new Usage('the configuration has no `oauth`: there is no authorization server for clients')
    return act(new ClientAdministration(roomsOf(house, terminal), house.authorization), operator(house, terminal), {
      house,
      terminal,
    })
  })
}

const operandCounts: Readonly<Record<string, number>> = {
  list: 0,
  invite: 0,
  create: 1,
  show: 1,
  disable: 1,
  enable: 1,
  remove: 1,
  'add-secret': 1,
  'remove-secret': 2,
}

interface Values {
  readonly id?: string | undefined
  readonly redirect?: readonly string[] | undefined
  readonly scope?: readonly string[] | undefined
  readonly grant?: readonly string[] | undefined
  readonly public?: boolean | undefined
  readonly native?: boolean | undefined
  readonly 'jwks-uri'?: string | undefined
  readonly 'pushed-requests'?: boolean | undefined
  readonly 'bound-tokens'?: boolean | undefined
  readonly certificate?: string | undefined
  readonly 'certificate-subject'?: string | undefined
  readonly 'certificate-dns'?: string | undefined
  readonly 'certificate-uri'?: string | undefined
  readonly 'certificate-address'?: string | undefined
  readonly 'certificate-email'?: string | undefined
  readonly 'certificate-bound'?: boolean | undefined
  readonly expires?: string | undefined
  readonly 'end-tokens'?: boolean | undefined
}

interface Place {
  readonly house: House
  readonly terminal: Terminal
}

type Act = (administration: ClientAdministration, author: Author, place: Place) => Promise<boolean>

/** What a call comes to. What is wrong with it is told before anything is opened. */
function actOf(verb: string, first: string, second: string, values: Values): Act {
  const ttlMs = values.expires === undefined ? undefined : lifetimeOf(values.expires)
  switch (verb) {
    case 'list':
      return list
    case 'create': {
      const draft = draftOf(first, values)
      return async (administration, author, { terminal }) =>
        told(await administration.create(author, values.id, draft), terminal, (made) => madeText(made))
    }
    case 'show':
      return (administration, _author, place) => show(administration, first, place)
    case 'disable':
    case 'enable':
      return async (administration, author, { terminal }) =>
        done(await administration.setDisabled(author, first, verb === 'disable'), terminal, `${verb} ${first}`)
    case 'remove':
      return async (administration, author, { terminal }) =>
        done(await administration.remove(author, first), terminal, `remove ${first}`)
    case 'add-secret':
      return async (administration, author, { terminal }) =>
        told(await administration.addSecret(author, first, ttlMs), terminal, (made) => secretText(made))
    case 'remove-secret':
      return async (administration, author, { terminal }) => {
        const refused = await administration.removeSecret(author, first, second, values['end-tokens'] === true)
        return done(refused, terminal, `remove-secret ${first} ${second}`)
      }
    default:
      return async (administration, author, { terminal }) =>
        told(await administration.inviteClient(author, ttlMs ?? weekMs), terminal, ({ token, expiresAt }) => [
          `one client may register itself until ${new Date(expiresAt).toISOString()} with: ${token}`,
        ])
  }
}

/** The shape of the API, read from options: what it refuses there it refuses here, and says why. */
function draftOf(name: string, values: Values): DraftMetadata {
  const grants = values.grant?.map((grant) => (Object.hasOwn(longGrants, grant) ? longGrants[grant] : grant))
  const [method, shown] = proofOf(values)
  const parsed = clientBody.safeParse({
    client_name: name,
    redirect_uris: values.redirect ?? [],
    ...(grants === undefined ? {} : { grant_types: grants }),
    scope: (values.scope ?? []).join(' '),
    token_endpoint_auth_method: method,
    ...(values.native === true ? { application_type: 'native' } : {}),
    ...shown,
    require_pushed_authorization_requests: values['pushed-requests'] === true,
    dpop_bound_access_tokens: values['bound-tokens'] === true,
    tls_client_certificate_bound_access_tokens: values['certificate-bound'] === true,
  })
  if (parsed.success) return parsed.data
  throw new Usage(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'))
}

/** How the client shows who it is, and what it is known by: one of the ways. */
function proofOf(values: Values): readonly [method: string, shown: Readonly<Record<string, unknown>>] {
  const names = Object.entries(certificateNames).flatMap(([option, member]) => {
    const name = values[option as keyof typeof certificateNames]
    return name === undefined ? [] : [[`--${option}`, 'tls_client_auth', { [member]: name }] as const]
  })
  const ways = [
    ...(values.public === true ? [['--public', 'none', {}] as const] : []),
    ...(values['jwks-uri'] === undefined
      ? []
      : [['--jwks-uri', 'private_key_jwt', { jwks_uri: values['jwks-uri'] }] as const]),
    ...(values.certificate === undefined
      ? []
      : [['--certificate', 'self_signed_tls_client_auth', { jwks: { keys: [keyIn(values.certificate)] } }] as const]),
    ...names,
  ]
  const [way, ...more] = ways
  if (more.length > 0)
    throw new Usage(`${ways.map(([option]) => option).join(', ')}: expected one of them, a client is known in one way`)
  return way === undefined ? ['client_secret_basic', {}] : [way[1], way[2]]
}

/** The key of a certificate, as a client names it (RFC 7517 §4.7). */
function keyIn(path: string): Readonly<Record<string, unknown>> {
  let text: string
  try {
    text = readFileSync(path, 'latin1')
  } catch (error) {
    throw new Usage(`--certificate: \`${path}\` cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  const certificates = certificatesOf(text)
  if (typeof certificates === 'string')
    throw new Usage(`--certificate: \`${path}\` is no PEM certificate: ${certificates}`)
  const [certificate] = certificates
  if (certificate === undefined) throw new Usage(`--certificate: \`${path}\` holds none`)
  try {
    return { ...certificate.publicKey.export({ format: 'jwk' }), x5c: [certificate.raw.toString('base64')] }
  } catch {
    throw new Usage(`--certificate: \`${path}\` has a key of another kind than EC, Ed25519 or RSA`)
  }
}

const certificateNames = {
  'certificate-subject': 'tls_client_auth_subject_dn',
  'certificate-dns': 'tls_client_auth_san_dns',
  'certificate-uri': 'tls_client_auth_san_uri',
  'certificate-address': 'tls_client_auth_san_ip',
  'certificate-email': 'tls_client_auth_san_email',
} as const

function lifetimeOf(text: string): number {
  const ms = durationMs(text)
  if (ms === undefined || ms < minuteMs || ms > tenYearsMs)
    throw new Usage(`--expires: expected a duration such as \`90d\`, of one minute at least and ten years at most`)
  return ms
}

async function list({ clients }: ClientAdministration, _author: Author, { house, terminal }: Place): Promise<boolean> {
  let after: ClientCursor | undefined
  do {
    const page = await clients.page(house.store.db, { limit: 200, after })
    for (const { id, origin, metadata, disabledAt } of page.clients)
      terminal.out([id, metadata.client_name, origin, disabledAt === undefined ? 'active' : 'disabled'].join('\t'))
    after = page.next
  } while (after !== undefined)
  return true
}

async function show({ clients }: ClientAdministration, id: string, { house, terminal }: Place): Promise<boolean> {
  const client = await clients.show(house.store.db, id)
  if (client === undefined) {
    terminal.err(`no client is called \`${id}\``)
    return false
  }
  for (const line of shown(client)) terminal.out(line)
  for (const secret of await clients.secrets.list(house.store.db, id)) {
    const until = secret.expiresAt === undefined ? '' : `, until ${new Date(secret.expiresAt).toISOString()}`
    terminal.out(`secret: ${secret.id}, since ${new Date(secret.createdAt).toISOString()}${until}`)
  }
  return true
}

function shown({ id, origin, metadata, disabledAt }: ClientView): string[] {
  const facts = { client_id: id, origin, status: disabledAt === undefined ? 'active' : 'disabled', ...metadata }
  return Object.entries(facts).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
}

function madeText({ client, secret }: MadeClient): string[] {
  return [`client_id: ${client.id}`, ...(secret === undefined ? [] : secretText(secret))]
}

function secretText({ id, secret }: MadeSecret): string[] {
  return [`client_secret, shown this once: ${secret}`, `secret id: ${id}`]
}

function told<T extends object>(outcome: T | Refusal, terminal: Terminal, lines: (outcome: T) => string[]): boolean {
  if ('code' in outcome) return done(outcome, terminal, '')
  for (const line of lines(outcome)) terminal.out(line)
  return true
}

function done(refused: Refusal | undefined, terminal: Terminal, what: string): boolean {
  if (refused === undefined) {
    terminal.out(`done: ${what}`)
    return true
  }
  if (refused.code === 'body-invalid') throw new Usage(refusalText(refused))
  terminal.err(refused.detail)
  return false
}

/** Whoever has the machine has all of it. */
function operator({ audit }: House, terminal: Terminal): Author {
  return {
    id: 'operator',
    holds: () => true,
    note: (trx, action, clientId, details) =>
      audit.enroll(trx, {
        ...adminEvent(action, '', terminal, details),
        resource: { id: clientId, type: 'client' },
      }),
  }
}

function roomsOf(
  { people, machines, store, audit, revocations }: House,
  { clock }: Terminal,
): ConstructorParameters<typeof ClientAdministration>[0] {
  return { ...people, ...machines, store, audit, revocations, clock }
}

/** Grants whose names are too long to type. */
const longGrants: Readonly<Record<string, string>> = {
  device_code: 'urn:ietf:params:oauth:grant-type:device_code',
  token_exchange: tokenExchange,
}
const minuteMs = 60_000
const weekMs = 604_800_000
const tenYearsMs = 315_360_000_000
