import { createHmac, createSecretKey } from 'node:crypto'
import type { PeerCertificate } from '../../http/peer-certificate.ts'
import { equalBytes, sha256Hex } from '../../kernel/bytes.ts'
import { GenerationCache } from '../../kernel/cache.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Fault, type Refusal, refuse } from '../../kernel/error.ts'
import type { Log } from '../../kernel/log.ts'
import { signatures } from '../../keys/signatures.ts'
import type { Database } from '../../store/database.ts'
import type { Holder, Signer } from '../holder.ts'
import { type ReadJws, readJws } from '../token/jws.ts'
import { certificateKey, dnsKey, emailKey, subjectKey, uriKey } from './definition.ts'
import {
  type ConfiguredService,
  configuredService,
  holderOf,
  type KnownService,
  refreshed,
  storedService,
} from './known-service.ts'
import { readServiceClaims, serviceTokenLengthMax, serviceTokenType } from './service-token.ts'
import { type Services, secretsMax } from './services.ts'

/**
 * Every service by name, key and certificate, in memory: asked on the way of a request, and never waited for. The services
 * of the configuration come first, and nothing in the store takes a name of theirs.
 *
 * What was read from the store is believed for a minute without hearing from it. After that whoever is known from there is
 * turned away with 503, because nobody can say whether they still are; the configuration's own go on.
 */
export class ServiceBook {
  readonly #services: Services
  readonly #clock: Clock
  readonly #log: Log
  readonly #configured: ReadonlyMap<string, KnownService>
  #stored: ReadonlyMap<string, KnownService> = new Map()
  #byKid: Index = new Map()
  #byCertificate: Index = new Map()
  /** Thumbprint → whose it is. What a certificate says never changes; who has its names may. */
  readonly #owners = new GenerationCache<string, CertificateOwner>(ownersMax)
  /** Digest of a token → what it came to. */
  readonly #tokens = new GenerationCache<string, KnownToken>(tokensMax)
  /** The first part of a token → whether it is a service's: there are few that are honest. */
  readonly #heads = new GenerationCache<string, boolean>(headsMax)
  #version: string | undefined
  #heardAt = Number.NEGATIVE_INFINITY
  #turn: Promise<void> = Promise.resolve()

  /** Throws a Fault where two services of the configuration have one secret: each could speak for the other. */
  constructor(parts: {
    readonly services: Services
    readonly configured: ReadonlyMap<string, ConfiguredService>
    readonly clock: Clock
    readonly log: Log
  }) {
    this.#services = parts.services
    this.#clock = parts.clock
    this.#log = parts.log
    mustDiffer(parts.configured)
    const now = parts.clock.now()
    this.#configured = new Map([...parts.configured].map(([name, one]) => [name, configuredService(name, one, now)]))
    this.#index()
  }

  /** Those of the configuration, as they are shown to operators. */
  get configured(): ReadonlyMap<string, Pick<KnownService, 'name' | 'definition'>> {
    return this.#configured
  }

  /**
   * Takes over what has changed in the store. While nothing has, it is one query by key. Of two at one moment the second
   * reads after the first: what is heard is never older than what was heard before.
   */
  hear(db: Database): Promise<void> {
    const turn = this.#turn.then(() => this.#hear(db))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  /** No credential of this service holds until the store was heard again: for a change that could not be read back. */
  forget(name: string): void {
    this.#version = undefined
    const stored = new Map(this.#stored)
    stored.delete(name)
    this.#stored = stored
    this.#index()
  }

  /**
   * For request signatures; undefined for one that is disabled or not there. The same object while nothing changed. Throws
   * a Fault where nobody can say whether it is still there.
   */
  find(name: string): Signer | undefined {
    const service = this.#named(name)
    return service === undefined || service.isDisabled ? undefined : this.#sure(service).signer
  }

  /** A service by a key id of its public keys. */
  byKeyId(kid: string): Signer | undefined {
    const service = this.#byKid.get(kid)
    return service === undefined || service === 'several' ? undefined : this.find(service.name)
  }

  /**
   * The service whose certificate it is, by its subject or a subject alternative name. A certificate that is not trusted is
   * nobody's, and so is one whose names are of several services.
   */
  byCertificate(certificate: PeerCertificate): Holder | undefined {
    if (!certificate.trusted) return undefined
    let owner = this.#owners.get(certificate.thumbprint)
    if (owner === undefined) {
      owner = this.#ownerOf(certificate)
      this.#owners.set(certificate.thumbprint, owner)
    }
    if (owner.service === undefined || owner.service.isDisabled) return undefined
    this.#sure(owner.service)
    return owner.holder
  }

  /** Whether the text is a service token by its `typ`: a cheap look at the first part, nothing believed. */
  isToken(text: string): boolean {
    const dot = text.indexOf('.')
    if (dot < 1 || dot > headLengthMax) return false
    const head = text.slice(0, dot)
    let known = this.#heads.get(head)
    if (known === undefined) {
      known = typeOf(head) === serviceTokenType
      this.#heads.set(head, known)
    }
    return known
  }

  /**
   * Whose token it is, where it is for one of the targets (AK4): signed by the service itself, for five minutes at most. It
   * may be used again until then: it is a token and no proof. `before` is asked before a signature is checked: its refusal is the
   * answer then.
   */
  verify(token: string, targets: readonly string[], before?: () => Refusal | undefined): Holder | Refusal {
    if (token.length > serviceTokenLengthMax) return invalid(`longer than ${serviceTokenLengthMax} characters`)
    const now = this.#clock.now()
    // A digest for a key: the cache holds no credential.
    const digest = sha256Hex(token)
    const known = this.#tokens.get(digest)
    if (known !== undefined && known.until > now && this.#named(known.service.name) === known.service) {
      if (this.#isStale(known.service)) return unheard
      return targets.includes(known.target) ? known.service.byToken : invalid('for another target')
    }
    const outcome = before?.() ?? this.#check(token, now)
    if ('code' in outcome) return outcome
    this.#tokens.set(digest, outcome)
    return targets.includes(outcome.target) ? outcome.service.byToken : invalid('for another target')
  }

  /** What a key's owner holds; undefined for a service that is disabled or not there. */
  holdingsOf(name: string): Pick<Holder, 'roles' | 'permissions'> | undefined {
    const service = this.#named(name)
    return service === undefined || service.isDisabled ? undefined : this.#sure(service).byToken
  }

  /** Every check that a token can fail, and one answer for all of them. */
  #check(token: string, now: number): KnownToken | Refusal {
    const read = readJws(token)
    if ('fault' in read) return invalid(read.fault)
    if (read.header['typ'] !== serviceTokenType) return invalid('another `typ`')
    const claims = readServiceClaims(read.claims, now / 1000)
    if ('fault' in claims) return invalid(claims.fault)
    const service = this.#named(claims.service)
    const good = goodUntil(service, read, now)
    if (service === undefined) return invalid('no service is called so')
    if (good === undefined) return invalid('the signature is none of its keys’')
    if (service.isDisabled) return invalid('the service is disabled')
    if (this.#isStale(service)) return unheard
    return { service, target: claims.target, until: Math.min(claims.expiresAt * 1000, good) }
  }

  #named(name: string): KnownService | undefined {
    return this.#configured.get(name) ?? this.#stored.get(name)
  }

  /** The service as of now. Throws where it is known from a store that has been silent for too long. */
  #sure(service: KnownService): KnownService {
    if (this.#isStale(service)) throw new Fault('unavailable', 'the store of services has not answered for a minute')
    if (service.signerUntil > this.#clock.now()) return service
    const current = refreshed(service, this.#clock.now())
    this.#stored = new Map(this.#stored).set(service.name, current)
    this.#index()
    return current
  }

  #isStale({ fingerprint }: KnownService): boolean {
    return fingerprint !== undefined && this.#clock.monotonic() - this.#heardAt > believedMs
  }

  async #hear(db: Database): Promise<void> {
    const askedAt = this.#clock.monotonic()
    // Read before the rest: what changes meanwhile leaves another version, and is read the next time.
    const version = await this.#services.version(db)
    if (version !== this.#version) {
      await this.#read(db)
      this.#version = version
    }
    this.#heardAt = askedAt
  }

  async #read(db: Database): Promise<void> {
    const now = this.#clock.now()
    const stored = new Map<string, KnownService>()
    for (const one of await this.#services.all(db)) {
      const { name } = one.view
      if (this.#configured.has(name)) {
        this.#log.warn({ service: name }, 'a service of the store is not used: the configuration has one of its name')
        continue
      }
      const before = this.#stored.get(name)
      if (before?.fingerprint === one.fingerprint) {
        stored.set(name, before)
        continue
      }
      for (const { id, text } of one.secrets)
        if (text === undefined)
          this.#log.error({ service: name, id }, 'a secret does not open: it was changed, or is another service’s')
      try {
        stored.set(name, storedService(one, now))
      } catch (error) {
        this.#log.error({ service: name, err: error }, 'a service of the store cannot be read, and is not known')
      }
    }
    this.#stored = stored
    this.#index()
  }

  #index(): void {
    const all = [...this.#configured.values(), ...this.#stored.values()]
    this.#byKid = indexOf(all, ({ publicKeys }) => publicKeys.map(({ kid }) => kid))
    this.#byCertificate = indexOf(all, ({ definition }) => definition.certificates.map(certificateKey))
    this.#owners.clear()
  }

  #ownerOf({ thumbprint, subject, dns, uris, emails }: PeerCertificate): CertificateOwner {
    const keys = [subjectKey(subject), ...dns.map(dnsKey), ...uris.map(uriKey), ...emails.map(emailKey)]
    const found = new Set(keys.flatMap((key) => (key === undefined ? [] : (this.#byCertificate.get(key) ?? []))))
    const [service] = found
    if (service === undefined) return nobody
    if (found.size > 1 || service === 'several') {
      this.#log.warn({ thumbprint }, 'a client certificate has names of several services, and so is none’s')
      return nobody
    }
    return { service, holder: holderOf(service, { kind: 'certificate', id: thumbprint }) }
  }
}

/** A key or a name of a certificate → whose it is. */
type Index = ReadonlyMap<string, KnownService | 'several'>

interface CertificateOwner {
  readonly service: KnownService | undefined
  readonly holder: Holder | undefined
}

/** A token that held: good for as long as the service is this one. */
interface KnownToken {
  readonly service: KnownService
  readonly target: string
  /** Milliseconds since the epoch: its end, or that of the secret that signed it. */
  readonly until: number
}

/** How long what the store said is believed without hearing from it, in milliseconds. */
const believedMs = 60_000
const ownersMax = 10_000
const tokensMax = 20_000
const headsMax = 100
/** An honest header has `alg`, `typ` and `kid`. */
const headLengthMax = 512

const nobody: CertificateOwner = { service: undefined, holder: undefined }
const unheard = refuse('unavailable', { reason: 'the store of services has not answered for a minute' })
/** Checked by where there is no secret: a service that is not there takes as long as a wrong secret. Nobody is let in by it. */
const noSecret = createSecretKey(Buffer.alloc(32))

function invalid(reason: string): Refusal {
  return refuse('service-token-invalid', { reason })
}

/**
 * Until when the key is good that signed; undefined where none did. The issuer decides which keys and so which algorithm,
 * the header may only agree (RFC 8725 §3.1). All secrets are tried, as many as there can be, whoever asks.
 */
function goodUntil(service: KnownService | undefined, read: ReadJws, now: number): number | undefined {
  const { alg, kid } = read.header
  if (kid !== undefined) {
    const found = service?.publicKeys.find((one) => one.kid === kid)
    if (found?.algorithm === undefined || found.algorithm !== alg) return undefined
    const fits = signatures[found.algorithm].verify({ publicKey: found.key }, read.signedText, read.signature)
    return fits ? Number.POSITIVE_INFINITY : undefined
  }
  if (alg !== 'HS256') return undefined
  let until: number | undefined
  for (let at = 0; at < secretsMax; at++) {
    const secret = service?.secrets[at]
    const fits = equalBytes(
      createHmac('sha256', secret?.key ?? noSecret)
        .update(read.signedText)
        .digest(),
      read.signature,
    )
    if (fits && secret !== undefined && secret.until > now) until = Math.max(until ?? 0, secret.until)
  }
  return until
}

function typeOf(head: string): unknown {
  try {
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as unknown
    return typeof header === 'object' && header !== null && 'typ' in header ? header.typ : undefined
  } catch {
    return undefined
  }
}

function indexOf(services: readonly KnownService[], keysOf: (service: KnownService) => readonly string[]): Index {
  const index = new Map<string, KnownService | 'several'>()
  for (const service of services) {
    for (const key of keysOf(service)) index.set(key, index.has(key) ? 'several' : service)
  }
  return index
}

function mustDiffer(configured: ReadonlyMap<string, ConfiguredService>): void {
  const owners = new Map<string, string>()
  for (const [name, { secrets }] of configured) {
    for (const secret of secrets) {
      const digest = sha256Hex(secret.reveal())
      const owner = owners.get(digest)
      if (owner !== undefined)
        throw new Fault(
          'unavailable',
          `services.${name}.secrets: expected one of its own, got one that \`${owner}\` has`,
        )
      owners.set(digest, name)
    }
  }
}
