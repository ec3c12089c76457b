import { createHash, type Hash, hash } from 'node:crypto'
import { equalBytes } from '../../kernel/bytes.ts'
import { isMalformed, type Malformed, parseDictionary } from '../../wire/structured-fields.ts'

/** `Content-Digest` (RFC 9530 §2) of a body that is all there. */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${hash('sha256', body, 'base64')}:`
}

/** The algorithms of RFC 9530 §5 that are safe, with what Node calls them. Others are passed over. */
const algorithms: ReadonlyMap<string, string> = new Map([
  ['sha-256', 'sha256'],
  ['sha-512', 'sha512'],
])

export function isDigestAlgorithm(name: string): boolean {
  return algorithms.has(name)
}

/** Holds a body against its digests, as it comes. */
export class DigestCheck {
  readonly #expected: readonly { readonly hash: Hash; readonly digest: Buffer }[]

  private constructor(expected: readonly { readonly hash: Hash; readonly digest: Buffer }[]) {
    this.#expected = expected
  }

  /** Reads the lines of the field. One digest that is known has to be there; where there are two, both have to fit. */
  static of(lines: readonly string[]): DigestCheck | Malformed {
    const parsed = parseDictionary(lines.join(', '))
    if (isMalformed(parsed)) return { problem: `\`Content-Digest\` is malformed: ${parsed.problem}` }
    const expected: { hash: Hash; digest: Buffer }[] = []
    for (const [name, member] of parsed) {
      const algorithm = algorithms.get(name)
      if (algorithm === undefined) continue
      if (!('item' in member) || member.item.type !== 'bytes')
        return { problem: `\`Content-Digest\` is malformed: \`${name}\` has to be bytes` }
      expected.push({ hash: createHash(algorithm), digest: Buffer.from(member.item.base64, 'base64') })
    }
    if (expected.length === 0) return { problem: '`Content-Digest` has to hold `sha-256` or `sha-512`' }
    return new DigestCheck(expected)
  }

  update(chunk: Uint8Array): void {
    for (const { hash } of this.#expected) hash.update(chunk)
  }

  /** Whether the body was the one. */
  fits(): boolean {
    return this.#expected.every(({ hash, digest }) => equalBytes(hash.digest(), digest))
  }
}
