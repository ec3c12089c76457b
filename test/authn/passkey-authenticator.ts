// An authenticator and its browser in software: real keys, real signatures, and every wrong thing on demand.
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** What a ceremony is made to say. Every field has an honest default. */
export interface Ceremony {
  readonly challenge: string
  readonly origin?: string
  readonly rpId?: string
  readonly type?: string
  readonly userPresent?: boolean
  readonly userVerified?: boolean
  /** Whether it can be synced, and is. */
  readonly backedUp?: boolean
  readonly signCount?: number
  /** More members of the client data. */
  readonly clientData?: Readonly<Record<string, unknown>>
}

export interface Assertion extends Ceremony {
  /** Base64url; null to leave it out. */
  readonly userHandle?: string | null
}

export interface Attestation extends Ceremony {
  readonly format?: string
  readonly statement?: ReadonlyMap<string, Cbor>
  readonly transports?: readonly string[]
}

export interface CredentialJson<Response> {
  readonly id: string
  readonly rawId: string
  readonly type: string
  readonly authenticatorAttachment: string
  readonly clientExtensionResults: Readonly<Record<string, unknown>>
  readonly response: Response
}

export type RegistrationJson = CredentialJson<{
  readonly clientDataJSON: string
  readonly attestationObject: string
  readonly transports: readonly string[]
}>

export type AssertionJson = CredentialJson<{
  readonly clientDataJSON: string
  readonly authenticatorData: string
  readonly signature: string
  readonly userHandle?: string
}>

/** One ES256 credential of one person. It does not count unless it is told to, as synced passkeys do. */
export class Authenticator {
  readonly id: string
  readonly #userHandle: string
  readonly #key: KeyObject
  readonly #coseKey: Buffer
  readonly #site: { readonly origin: string; readonly rpId: string }

  constructor(userId: string, site: { readonly origin: string; readonly rpId: string }, id: Buffer = randomBytes(32)) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    this.id = id.toString('base64url')
    this.#userHandle = Buffer.from(userId).toString('base64url')
    this.#key = privateKey
    this.#site = site
    this.#coseKey = cbor(
      new Map<number, Cbor>([
        [1, 2], // kty: EC2
        [3, -7], // alg: ES256
        [-1, 1], // crv: P-256
        [-2, Buffer.from(x, 'base64url')],
        [-3, Buffer.from(y, 'base64url')],
      ]),
    )
  }

  create(ceremony: Attestation): RegistrationJson {
    const id = Buffer.from(this.id, 'base64url')
    const length = Buffer.alloc(2)
    length.writeUInt16BE(id.length)
    const attested = Buffer.concat([Buffer.alloc(16), length, id, this.#coseKey])
    const authData = this.#authenticatorData(ceremony, attested)
    const attestation = cbor(
      new Map<string, Cbor>([
        ['fmt', ceremony.format ?? 'none'],
        ['attStmt', ceremony.statement ?? new Map()],
        ['authData', authData],
      ]),
    )
    return this.#credential({
      clientDataJSON: this.#clientData(ceremony, 'webauthn.create'),
      attestationObject: attestation.toString('base64url'),
      transports: ceremony.transports ?? ['internal', 'hybrid'],
    })
  }

  get(ceremony: Assertion): AssertionJson {
    const clientDataJSON = this.#clientData(ceremony, 'webauthn.get')
    const authenticatorData = this.#authenticatorData(ceremony)
    const signed = Buffer.concat([authenticatorData, sha256(Buffer.from(clientDataJSON, 'base64url'))])
    const userHandle = ceremony.userHandle === undefined ? this.#userHandle : ceremony.userHandle
    return this.#credential({
      clientDataJSON,
      authenticatorData: authenticatorData.toString('base64url'),
      signature: sign('sha256', signed, this.#key).toString('base64url'),
      ...(userHandle === null ? {} : { userHandle }),
    })
  }

  #credential<Response>(response: Response): CredentialJson<Response> {
    return {
      id: this.id,
      rawId: this.id,
      type: 'public-key',
      authenticatorAttachment: 'platform',
      clientExtensionResults: { credProps: { rk: true } },
      response,
    }
  }

  #clientData({ challenge, origin = this.#site.origin, type, clientData }: Ceremony, honestType: string): string {
    const data = { type: type ?? honestType, challenge, origin, crossOrigin: false, ...clientData }
    return Buffer.from(JSON.stringify(data)).toString('base64url')
  }

  #authenticatorData(ceremony: Ceremony, attested?: Buffer): Buffer {
    const { rpId = this.#site.rpId, userPresent = true, userVerified = true, backedUp = false } = ceremony
    const flags =
      (userPresent ? 0x01 : 0) | (userVerified ? 0x04 : 0) | (backedUp ? 0x18 : 0) | (attested === undefined ? 0 : 0x40)
    const tail = Buffer.alloc(5)
    tail.writeUInt8(flags)
    tail.writeUInt32BE(ceremony.signCount ?? 0, 1)
    return Buffer.concat([sha256(Buffer.from(rpId)), tail, attested ?? Buffer.alloc(0)])
  }
}

export type Cbor = number | string | Uint8Array | readonly Cbor[] | ReadonlyMap<string | number, Cbor>

/** As much of RFC 8949 as WebAuthn needs. */
export function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value])
  if (value instanceof Map)
    return Buffer.concat([head(5, value.size), ...[...value].flatMap(([name, item]) => [cbor(name), cbor(item)])])
  const items = value as readonly Cbor[]
  return Buffer.concat([head(4, items.length), ...items.map(cbor)])
}

function head(major: number, size: number): Buffer {
  if (size < 24) return Buffer.from([(major << 5) | size])
  return size < 256 ? Buffer.from([(major << 5) | 24, size]) : Buffer.from([(major << 5) | 25, size >> 8, size & 0xff])
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
