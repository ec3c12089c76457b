import { createSecretKey, type KeyObject } from 'node:crypto'
import { networkList } from '../../kernel/ip.ts'
import type { Secret } from '../../kernel/secret.ts'
import type { SigningAlgorithm } from '../../keys/signing-key.ts'
import type { Holder, MachineCredential, Signer } from '../holder.ts'
import type { ServiceDefinition } from './definition.ts'
import { definitionOf, type ServiceOptions } from './options.ts'
import { keyObjectOf, tokenAlgorithmOf } from './public-keys.ts'
import type { StoredService } from './services.ts'

/** A service of the configuration, with its secrets fetched. */
export interface ConfiguredService {
  readonly options: ServiceOptions[string]
  readonly secrets: readonly Secret[]
}

/** A service as it is asked for on the way of a request: nothing of it has to be worked out any more. */
export interface KnownService {
  readonly name: string
  readonly definition: ServiceDefinition
  /** Undefined for one of the configuration, which never grows old. */
  readonly fingerprint: string | undefined
  readonly isDisabled: boolean
  /** The newest first. */
  readonly secrets: readonly KnownSecret[]
  readonly publicKeys: readonly KnownPublicKey[]
  /** Whom its tokens stand for. */
  readonly byToken: Holder
  /** Those of its secrets that are good now, until `signerUntil`. */
  readonly signer: Signer
  readonly signerUntil: number
}

export interface KnownSecret {
  readonly key: KeyObject
  /** Milliseconds since the epoch. */
  readonly until: number
}

export interface KnownPublicKey {
  readonly kid: string
  readonly key: KeyObject
  /** Undefined for one that signs requests alone. */
  readonly algorithm: Exclude<SigningAlgorithm, 'HS256'> | undefined
}

export function configuredService(name: string, { options, secrets }: ConfiguredService, now: number): KnownService {
  const keys = secrets.map((secret) => ({ key: secretKeyOf(secret.reveal()), until: Number.POSITIVE_INFINITY }))
  return knownService(name, definitionOf(options), { secrets: keys, fingerprint: undefined, isDisabled: false }, now)
}

export function storedService({ view, secrets, fingerprint }: StoredService, now: number): KnownService {
  const keys = secrets.flatMap(({ text, expiresAt }) =>
    text === undefined ? [] : [{ key: secretKeyOf(text), until: expiresAt ?? Number.POSITIVE_INFINITY }],
  )
  const more = { secrets: keys, fingerprint, isDisabled: view.disabledAt !== undefined }
  return knownService(view.name, view.definition, more, now)
}

/** Whom a credential of the service stands for. */
export function holderOf(
  { name, definition }: Pick<KnownService, 'name' | 'definition'>,
  credential: MachineCredential,
): Holder {
  const { roles, permissions, addresses, limit } = definition
  return {
    type: 'service',
    id: name,
    credential,
    roles,
    permissions,
    lent: undefined,
    scopes: undefined,
    organisation: undefined,
    limit,
    from: addresses.length === 0 ? undefined : networkList(addresses),
  }
}

/** The same service, with its signer as of another moment. */
export function refreshed(service: KnownService, now: number): KnownService {
  return { ...service, ...signerAt(service, service.signer.holder, now) }
}

function knownService(
  name: string,
  definition: ServiceDefinition,
  more: Pick<KnownService, 'secrets' | 'fingerprint' | 'isDisabled'>,
  now: number,
): KnownService {
  const publicKeys = definition.publicKeys.map(({ kid, jwk }) => {
    const key = keyObjectOf(jwk)
    return { kid, key, algorithm: tokenAlgorithmOf(key) }
  })
  const service = { name, definition, ...more, publicKeys }
  return {
    ...service,
    byToken: holderOf(service, { kind: 'service-token', id: name }),
    ...signerAt(service, holderOf(service, { kind: 'signature', id: name }), now),
  }
}

function signerAt(
  { name, secrets, publicKeys }: Pick<KnownService, 'name' | 'secrets' | 'publicKeys'>,
  holder: Holder,
  now: number,
): Pick<KnownService, 'signer' | 'signerUntil'> {
  const living = secrets.filter(({ until }) => until > now)
  return {
    signer: {
      name,
      holder,
      secrets: living.map(({ key }) => key),
      publicKeys: publicKeys.map(({ kid, key }) => ({ kid, key })),
    },
    signerUntil: Math.min(Number.POSITIVE_INFINITY, ...living.map(({ until }) => until)),
  }
}

/** The text itself is the key, as every library takes it. */
function secretKeyOf(text: string): KeyObject {
  return createSecretKey(Buffer.from(text))
}
