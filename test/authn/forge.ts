// A desk where tokens are issued as the house issues them, and forged as others would.
import type { KeyObject } from 'node:crypto'
import { Revocations } from '../../src/authn/session/revocations.ts'
import {
  openTokens,
  type TokenParts,
  type TokenService,
  type TokenSubject,
  tokenOptions,
} from '../../src/authn/token/tokens.ts'
import { base64url } from '../../src/kernel/bytes.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { type Keyring, openKeyring } from '../../src/keys/keyring.ts'
import { rootKey } from '../../src/keys/root.ts'
import { signatures } from '../../src/keys/signatures.ts'
import type { SigningAlgorithm, SigningKey } from '../../src/keys/signing-key.ts'
import { openStore } from '../../src/store/database.ts'
import { type TestClock, testClock } from '../support/clock.ts'

type Members = Readonly<Record<string, unknown>>

export interface Desk {
  readonly clock: TestClock
  readonly keyring: Keyring
  /** What ID tokens are signed with. */
  readonly idKeyring: Keyring
  readonly key: SigningKey
  readonly revocations: Revocations
  readonly tokens: TokenService
  /** Seconds since the epoch, by the desk's clock. */
  now(): number
  /** The header of a token of ours, changed; a member that is set to `undefined` is left out. */
  header(changes?: Members): Members
  /** The claims of a token that holds, changed in the same way. */
  claims(changes?: Members): Members
  /** Signed with our own key, whatever it says. */
  mint(changes: { readonly header?: Members; readonly claims?: Members }): string
  /** The same over texts or bytes, for what no object can say. */
  mintText(header: string | Uint8Array, payload: string | Uint8Array): string
  /** The same over parts that are encoded already. */
  seal(headerPart: string, payloadPart: string): string
}

export const subject: TokenSubject = {
  subject: 'user-1',
  session: 'session-1',
  roles: ['analyst'],
  permissions: ['task:read', 'task:write'],
  email: 'ada@example.com',
  name: 'Ada Lovelace',
  proof: { methods: ['password'], at: 1_000 },
}

/** The desk's authorization server, and whom its tokens can be for. */
export const oauth = {
  issuer: 'https://gate.example.com',
  audiences: new Set(['gatehouse', 'https://gate.example.com/mcp']),
}

export async function openDesk(
  algorithm: SigningAlgorithm,
  options: Members = {},
  parts: Pick<TokenParts, 'oauth'> = {},
): Promise<Desk> {
  const clock = testClock()
  const store = await openStore('sqlite::memory:')
  const root = rootKey('a root secret for the tests, long enough')
  const settings = tokenOptions.parse({ algorithm, ...options })
  const place = {
    db: store.db,
    root,
    clock,
    random: systemRandom,
    secret: undefined,
    rotation: settings.rotation,
    tokenTtlMs: settings.accessTtl,
  }
  const keyring = await openKeyring({ ...place, algorithm })
  const idKeyring = algorithm === 'HS256' ? await openKeyring({ ...place, algorithm: 'EdDSA' }) : keyring
  await store.close()
  const revocations = new Revocations({ clock, ttlMs: settings.accessTtl })
  const tokens = openTokens({
    options: settings,
    keyring,
    idKeyring,
    revocations,
    clock,
    random: systemRandom,
    ...parts,
  })
  const key = keyring.signing()

  const now = (): number => clock.now() / 1000
  const header = (changes: Members = {}): Members => ({ alg: algorithm, typ: 'at+jwt', kid: key.kid, ...changes })
  const claims = (changes: Members = {}): Members => ({
    iss: settings.issuer,
    aud: settings.audience,
    sub: subject.subject,
    iat: now(),
    exp: now() + 900,
    jti: 'token-1',
    sid: subject.session,
    type: 'access',
    roles: subject.roles,
    ...changes,
  })
  const seal = (headerPart: string, payloadPart: string): string =>
    jws(headerPart, payloadPart, (text) => signatures[algorithm].sign(key, text))
  const mintText = (header: string | Uint8Array, payload: string | Uint8Array): string =>
    seal(base64url(Buffer.from(header)), base64url(Buffer.from(payload)))
  return {
    clock,
    keyring,
    idKeyring,
    key,
    revocations,
    tokens,
    now,
    header,
    claims,
    seal,
    mintText,
    mint: (changes) => mintText(JSON.stringify(header(changes.header)), JSON.stringify(claims(changes.claims))),
  }
}

/** Three parts, signed by whoever. */
export function jws(headerPart: string, payloadPart: string, sign: (text: string) => Uint8Array): string {
  const text = `${headerPart}.${payloadPart}`
  return `${text}.${base64url(sign(text))}`
}

export function part(value: unknown): string {
  return base64url(Buffer.from(JSON.stringify(value)))
}

/** Every form in which a verifier may hold a public key, and so every text that a confused one takes for a secret. */
export function publicForms(key: KeyObject): Readonly<Record<string, Uint8Array>> {
  const jwk = key.export({ format: 'jwk' })
  const forms: Record<string, Uint8Array> = {
    'SPKI PEM': Buffer.from(key.export({ format: 'pem', type: 'spki' })),
    'SPKI PEM without its last line break': Buffer.from(key.export({ format: 'pem', type: 'spki' }).toString().trim()),
    'SPKI DER': key.export({ format: 'der', type: 'spki' }),
    JWK: Buffer.from(JSON.stringify(jwk)),
    'raw bytes': Buffer.from(jwk.x ?? jwk.n ?? '', 'base64url'),
    'raw bytes as text': Buffer.from(jwk.x ?? jwk.n ?? ''),
    nothing: new Uint8Array(),
  }
  if (jwk.kty === 'RSA') forms['PKCS#1 PEM'] = Buffer.from(key.export({ format: 'pem', type: 'pkcs1' }))
  return forms
}
