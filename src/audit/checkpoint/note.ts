import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import { base64url } from '../../kernel/bytes.ts'

/** What is signed of the chain as it stood at a moment. */
export interface Checkpoint {
  /** Which record: `gatehouse/<id of the house>/audit`. */
  readonly origin: string
  /** How many events it covers. */
  readonly size: number
  /** Hex: the root of the Merkle tree over them. */
  readonly root: string
  /** Hex: the hash of the chain after the last of them. */
  readonly hash: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** The size of the checkpoint before it; 0 where it is the first. */
  readonly previous: number
}

/** A checkpoint as it is stored and shown: a signed note (c2sp.org/tlog-checkpoint). */
export interface SignedCheckpoint extends Checkpoint {
  readonly note: string
}

/** By whom checkpoints are checked: the name of a record and its public key. */
export interface CheckpointVerifier {
  readonly origin: string
  /** Ed25519. */
  readonly publicKey: KeyObject
}

/** The text that is signed. Its first three lines are those of every log; ours follow, each with its name. */
export function checkpointText({ origin, size, root, hash, at, previous }: Checkpoint): string {
  const time = new Date(at).toISOString()
  return `${origin}\n${size}\n${Buffer.from(root, 'hex').toString('base64')}\nchain ${hash}\nprevious ${previous}\ntime ${time}\n`
}

/** The note of a text and its signature (c2sp.org/signed-note). */
export function checkpointNote(text: string, by: CheckpointVerifier, signature: Uint8Array): string {
  const signed = Buffer.concat([keyIdOf(by), signature]).toString('base64')
  return `${text}\n— ${by.origin} ${signed}\n`
}

/** What a note says, or undefined where it is none of ours in its only spelling. Whether its signature is right is another question. */
export function readCheckpoint(note: string): SignedCheckpoint | undefined {
  if (note.length > noteCharactersMax) return undefined
  const found = noteForm.exec(note)?.groups
  if (found === undefined) return undefined
  const checkpoint: Checkpoint = {
    origin: found['origin'] as string,
    size: Number(found['size']),
    root: Buffer.from(found['root'] as string, 'base64').toString('hex'),
    hash: found['hash'] as string,
    at: Date.parse(found['time'] as string),
    previous: Number(found['previous']),
  }
  if (Number.isNaN(checkpoint.at) || !Number.isSafeInteger(checkpoint.size)) return undefined
  return note.startsWith(`${checkpointText(checkpoint)}\n`) ? { ...checkpoint, note } : undefined
}

const noteCharactersMax = 16_384
const noteForm =
  /^(?<origin>[^\s+\p{Cc}]{1,200})\n(?<size>[1-9]\d{0,15})\n(?<root>[A-Za-z0-9+/]{43}=)\nchain (?<hash>[0-9a-f]{64})\nprevious (?<previous>0|[1-9]\d{0,15})\ntime (?<time>[0-9TZ:.+-]{20,30})\n\n— \k<origin> [A-Za-z0-9+/]{91}=\n(?:— [^\s+]+ [A-Za-z0-9+/]+={0,2}\n){0,15}$/u

/**
 * Whether a checkpoint is of the record that the verifier names, and signed by its key. Further signatures, such as those of witnesses, are
 * ignored; one in the name and with the id of that key has to be right.
 */
export function isSigned({ note, origin }: SignedCheckpoint, by: CheckpointVerifier): boolean {
  if (origin !== by.origin) return false
  const textEnd = note.indexOf('\n\n') + 1
  const id = keyIdOf(by)
  const ours = note
    .slice(textEnd + 1)
    .split('\n')
    .flatMap((line) => {
      const [, name, text = ''] = line.split(' ')
      const bytes = Buffer.from(text, 'base64')
      return name === by.origin && bytes.subarray(0, 4).equals(id) ? [bytes.subarray(4)] : []
    })
  const text = Buffer.from(note.slice(0, textEnd))
  return ours.length > 0 && ours.every((signature) => verify(undefined, text, by.publicKey, signature))
}

/** The verifier key as other tools for such logs take it: name, key id, and 0x01 with the key (c2sp.org/signed-note). */
export function verifierText(by: CheckpointVerifier): string {
  const key = Buffer.concat([Buffer.of(ed25519Type), rawKey(by.publicKey)])
  return `${by.origin}+${keyIdOf(by).toString('hex')}+${key.toString('base64')}`
}

/** Reads a verifier key, or the bare key in base64, of which any name is taken. Undefined for what is neither. */
export function readVerifier(text: string, origin: string): CheckpointVerifier | undefined {
  const found = /^(?<name>[^\s+]{1,200})\+(?<id>[0-9a-f]{8})\+(?<key>[A-Za-z0-9+/]{44})$/.exec(text)?.groups
  const bytes = found === undefined ? undefined : Buffer.from(found['key'] as string, 'base64')
  if (bytes !== undefined && bytes[0] !== ed25519Type) return undefined
  const raw = bytes?.subarray(1) ?? Buffer.from(text, 'base64')
  const spelled = raw.toString('base64') === text || base64url(raw) === text
  if (raw.length !== 32 || (bytes === undefined && !spelled)) return undefined
  const by = { origin: found?.['name'] ?? origin, publicKey: publicKeyOf(raw) }
  return found === undefined || keyIdOf(by).toString('hex') === found['id'] ? by : undefined
}

export function publicKeyOf(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: base64url(raw) }, format: 'jwk' })
}

const ed25519Type = 0x01

function keyIdOf({ origin, publicKey }: CheckpointVerifier): Buffer {
  const named = Buffer.concat([Buffer.from(`${origin}\n`), Buffer.of(ed25519Type), rawKey(publicKey)])
  return hash('sha256', named, 'buffer').subarray(0, 4)
}

function rawKey(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x as string, 'base64url')
}
