// A third party's check of a proof: RFC 9162 and C2SP notes with node:crypto, and nothing of ours.
import { createHash, createPublicKey, verify } from 'node:crypto'

export interface ProofJson {
  readonly body: string
  readonly index: number
  readonly size: number
  readonly path: readonly string[]
  readonly checkpoint: string
}

/** Throws where the event is not in the tree that was signed by this key: 32 bytes in base64url. */
export function checkByHand(proof: ProofJson, x: string): void {
  const sha256 = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()
  const [text = '', signatures = ''] = proof.checkpoint.split('\n\n')
  const [origin, size, root] = text.split('\n')
  const [dash, name, signed = ''] = signatures.trimEnd().split(' ')
  if (dash !== '—' || name !== origin) throw new Error('whose checkpoint is it')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  const raw = Buffer.from(x, 'base64url')
  const bytes = Buffer.from(signed, 'base64')
  if (
    !sha256(Buffer.from(`${name}\n`), Buffer.of(1), raw)
      .subarray(0, 4)
      .equals(bytes.subarray(0, 4))
  )
    throw new Error('the key id is wrong')
  if (!verify(undefined, Buffer.from(`${text}\n`), key, bytes.subarray(4))) throw new Error('the signature is wrong')
  if (Number(size) !== proof.size) throw new Error('the size is wrong')
  let hash = sha256(Buffer.of(0), Buffer.from(proof.body))
  let at = BigInt(proof.index)
  let last = BigInt(proof.size - 1)
  for (const text of proof.path) {
    const other = Buffer.from(text, 'base64')
    if (at % 2n === 1n || at === last) {
      hash = sha256(Buffer.of(1), other, hash)
      while (at % 2n === 0n && at !== 0n) [at, last] = [at / 2n, last / 2n]
    } else hash = sha256(Buffer.of(1), hash, other)
    ;[at, last] = [at / 2n, last / 2n]
  }
  if (last !== 0n || hash.toString('base64') !== root) throw new Error('the path is wrong')
}
