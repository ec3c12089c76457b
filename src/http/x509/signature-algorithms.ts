import { DerReader, objectIdentifier, tags } from './der.ts'

/** What certificates and revocation lists may be signed by: 112 bits and more (RFC 4055, RFC 5758, RFC 8410). */
export interface SignatureAlgorithm {
  /** The kind of key, as Node calls it. */
  readonly kind: string
  readonly hash: string | null
}

// biome-ignore format: a table
const algorithms: Readonly<Record<string, SignatureAlgorithm>> = {
  '1.2.840.10045.4.3.2':   { kind: 'ec',      hash: 'sha256' },
  '1.2.840.10045.4.3.3':   { kind: 'ec',      hash: 'sha384' },
  '1.2.840.10045.4.3.4':   { kind: 'ec',      hash: 'sha512' },
  '1.2.840.113549.1.1.11': { kind: 'rsa',     hash: 'sha256' },
  '1.2.840.113549.1.1.12': { kind: 'rsa',     hash: 'sha384' },
  '1.2.840.113549.1.1.13': { kind: 'rsa',     hash: 'sha512' },
  '1.3.101.112':           { kind: 'ed25519', hash: null },
  '1.3.101.113':           { kind: 'ed448',   hash: null },
}

const pss = '1.2.840.113549.1.1.10'
// biome-ignore format: a table
const hashes: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}

/** Reads the inside of an `AlgorithmIdentifier`; undefined for what is too weak, or not known. */
export function signatureAlgorithmOf(content: Uint8Array): SignatureAlgorithm | undefined {
  const identifier = new DerReader(content)
  const id = objectIdentifier(identifier.take(tags.objectIdentifier).content)
  if (id !== pss) return Object.hasOwn(algorithms, id) ? algorithms[id] : undefined
  // Which hash stands in the parameters, and is SHA-1 where nothing does (RFC 4055 §3.1).
  const hash = identifier.done ? undefined : identifier.enter(tags.sequence).optional(tags.context(0))
  if (hash === undefined) return undefined
  const hashId = objectIdentifier(new DerReader(hash.content).enter(tags.sequence).take(tags.objectIdentifier).content)
  return Object.hasOwn(hashes, hashId) ? { kind: 'rsa-pss', hash: hashes[hashId] as string } : undefined
}
