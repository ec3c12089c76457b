import { type KeyObject, verify } from 'node:crypto'
import { equalBytes } from '../../kernel/bytes.ts'
import { DerError, DerReader, integerText, tags, timeMs } from './der.ts'
import { type Extensions, readExtensions } from './extensions.ts'
import { type SignatureAlgorithm, signatureAlgorithmOf } from './signature-algorithms.ts'

/** The certificates that an authority has taken back (RFC 5280 §5). */
export interface RevocationList {
  /** The authority's name as it was written, in DER. */
  readonly issuer: Uint8Array
  readonly fromMs: number
  /** When the next one is due; infinite where the list does not say. */
  readonly untilMs: number
  /** Serial numbers as `integerText` writes them. */
  readonly serials: ReadonlySet<string>
  /** Whether all that it demands of its readers is understood. A list for some certificates only is not. */
  readonly understood: boolean
  readonly signed: Uint8Array
  readonly whole: Uint8Array
  /** Undefined for what is too weak, or not known. */
  readonly algorithm: SignatureAlgorithm | undefined
  readonly signature: Uint8Array
}

/** Reads the DER form of a list; undefined where it is none. */
export function readRevocationList(der: Uint8Array): RevocationList | undefined {
  try {
    return read(der)
  } catch {
    return undefined
  }
}

function read(der: Uint8Array): RevocationList {
  const outer = new DerReader(der)
  const whole = outer.enter(tags.sequence)
  const { whole: signed, content } = whole.take(tags.sequence)
  const algorithm = whole.take(tags.sequence).content
  const signature = whole.take(tags.bitString).content.subarray(1)
  if (!whole.done || !outer.done) throw new DerError('something follows the list')
  const body = new DerReader(content)
  body.optional(tags.integer) // version
  if (!equalBytes(body.take(tags.sequence).content, algorithm)) throw new DerError('two algorithms')
  const issuer = body.take(tags.sequence).whole
  const fromMs = timeMs(body.take())
  const untilMs = isTime(body.next) ? timeMs(body.take()) : Number.POSITIVE_INFINITY
  const serials = new Set<string>()
  let understood = true
  if (body.next === tags.sequence) {
    const entries = body.enter(tags.sequence)
    while (!entries.done) {
      const entry = entries.enter(tags.sequence)
      serials.add(integerText(entry.take(tags.integer).content))
      entry.take() // since when: an entry holds from the moment that it is read
      // A critical word on one entry may mean that it is another authority's certificate (RFC 5280 §5.3.3).
      if (!entry.done && hasCritical(entry.take(tags.sequence).whole)) understood = false
      if (!entry.done) throw new DerError('something follows an entry')
    }
  }
  const extensions = body.optional(tags.context(0))?.content
  if (extensions !== undefined && hasCritical(extensions)) understood = false
  // Read to its end, or not at all: what was passed over could have been what was taken back.
  if (!body.done) throw new DerError('something else stands in the list')
  return {
    issuer,
    fromMs,
    untilMs,
    serials,
    understood,
    signed,
    whole: der,
    algorithm: signatureAlgorithmOf(algorithm),
    signature,
  }
}

function isTime(tag: number | undefined): boolean {
  return tag === tags.utcTime || tag === tags.generalizedTime
}

/** None of the critical extensions of a list (parts, deltas, lists for others) is followed here. */
function hasCritical(extensions: Uint8Array): boolean {
  const found: Extensions = readExtensions(extensions)
  return found.values().some(({ critical }) => critical)
}

/** Whether this key has signed the list. By an algorithm that is not known here nobody has. */
export function isSignedBy({ algorithm, signed, signature }: RevocationList, key: KeyObject): boolean {
  if (algorithm === undefined || algorithm.kind !== key.asymmetricKeyType) return false
  try {
    return verify(algorithm.hash, signed, key, signature)
  } catch {
    return false
  }
}
