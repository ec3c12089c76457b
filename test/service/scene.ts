// Services on a real store, and the tokens that they would make.
import assert from 'node:assert/strict'
import { createHash, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { TestContext } from 'node:test'
import { checkDefinition, type DraftDefinition, type ServiceDefinition } from '../../src/authn/service/definition.ts'
import type { ConfiguredService } from '../../src/authn/service/known-service.ts'
import { serviceOptions } from '../../src/authn/service/options.ts'
import { ServiceBook } from '../../src/authn/service/service-book.ts'
import { Services } from '../../src/authn/service/services.ts'
import type { PeerCertificate } from '../../src/http/peer-certificate.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import type { Log, LogFields } from '../../src/kernel/log.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { rootKey } from '../../src/keys/root.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { type TestClock, testClock } from '../support/clock.ts'

export type FreshStore = (context: TestContext) => Promise<string>

/** One line of the log. */
export interface Line extends LogFields {
  readonly level: string
  readonly message: string
}

export interface ServiceScene {
  readonly url: string
  readonly store: Store
  readonly clock: TestClock
  readonly services: Services
  readonly book: ServiceBook
  readonly lines: Line[]
  /** The book of another node. */
  another(): ServiceBook
  /** Makes a service with one secret, and lets the book hear of it. */
  make(name: string, draft?: Partial<DraftDefinition>): Promise<string>
  /** One change, as whoever changes takes turns; and lets the book hear of it. */
  change<T>(work: (trx: Store['db']) => Promise<T>): Promise<T>
}

export const root = rootKey('a root secret that is long enough to be one')
export const reportsSecret = 'the secret of the reports, 32 bytes and more'

export const configured = (
  written: Readonly<Record<string, object>>,
  secrets: Readonly<Record<string, readonly string[]>> = {},
): ReadonlyMap<string, ConfiguredService> =>
  new Map(
    Object.entries(serviceOptions.parse(written)).map(([name, options]) => [
      name,
      { options, secrets: (secrets[name] ?? []).map((text) => new Secret(text)) },
    ]),
  )

export async function serviceScene(
  context: TestContext,
  fresh: FreshStore,
  own: ReadonlyMap<string, ConfiguredService> = configured(
    { reports: { permissions: ['reports:read'], certificates: [{ dns: 'reports.internal' }] } },
    { reports: [reportsSecret] },
  ),
): Promise<ServiceScene> {
  const url = await fresh(context)
  const store = await openStore(url)
  context.after(() => store.close())
  const clock = testClock()
  const lines: Line[] = []
  const log = logInto(lines)
  const services = new Services({ clock, random: systemRandom, root })
  const another = (): ServiceBook => new ServiceBook({ services, configured: own, clock, log })
  const book = another()
  await book.hear(store.db)
  const change: ServiceScene['change'] = async (work) => {
    const outcome = await store.transaction(async (trx) => {
      await services.takeTurns(trx)
      return work(trx)
    })
    await book.hear(store.db)
    return outcome
  }
  return {
    url,
    store,
    clock,
    services,
    book,
    lines,
    another,
    change,
    make: (name, draft) =>
      change(async (trx) => {
        assert.equal(await services.insert(trx, name, defined(draft)), true)
        const made = await services.rotate(trx, name, 0)
        assert.ok(made)
        return made.secret
      }),
  }
}

function logInto(lines: Line[]): Log {
  const at = (level: string) => (fields: LogFields, message: string) => void lines.push({ ...fields, level, message })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

export function defined(draft: Partial<DraftDefinition> = {}): ServiceDefinition {
  const checked = checkDefinition({ ...empty, ...draft })
  if ('errors' in checked) assert.fail(JSON.stringify(checked.errors))
  return checked.definition
}

export const empty: DraftDefinition = {
  permissions: [],
  roles: [],
  publicKeys: [],
  certificates: [],
  addresses: [],
  limit: undefined,
}

export const target = 'gatehouse'

/** The claims of a good token at a moment. */
export function claimsAt(clock: TestClock, service: string, more: object = {}): Record<string, unknown> {
  const iat = Math.floor(clock.now() / 1000)
  return { iss: service, sub: service, aud: target, iat, exp: iat + 300, jti: 'once', ...more }
}

export const goodHeader = { alg: 'HS256', typ: 'service+jwt' }

/** A token made by hand: whatever is said, signed with whatever is given. */
export function forge(
  claims: object | string,
  key: string | Buffer | KeyObject,
  header: object | string = goodHeader,
): string {
  const text = `${part(header)}.${part(claims)}`
  return `${text}.${signature(text, key).toString('base64url')}`
}

function signature(text: string, key: string | Buffer | KeyObject): Buffer {
  if (typeof key === 'string' || Buffer.isBuffer(key) || key.type === 'secret')
    return createHmac('sha256', key).update(text).digest()
  if (key.asymmetricKeyType === 'ed25519') return sign(null, Buffer.from(text), key)
  if (key.asymmetricKeyType === 'ec') return sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
  return sign('sha256', Buffer.from(text), key)
}

function part(value: object | string): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

export const keyPairs = {
  EdDSA: generateKeyPairSync('ed25519'),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
} as const

export function jwkOf(key: KeyObject): Record<string, unknown> {
  return { ...key.export({ format: 'jwk' }) }
}

/** A certificate as the listener reads one. */
export function certificate(more: Partial<Omit<PeerCertificate, 'der' | 'thumbprint'>> = {}): PeerCertificate {
  const said = { subject: 'CN=nobody', dns: [], uris: [], emails: [], addresses: [], trusted: true, ...more }
  const der = Buffer.from(JSON.stringify({ ...said, trusted: undefined }))
  return { ...said, der, thumbprint: createHash('sha256').update(der).digest('base64url') }
}
