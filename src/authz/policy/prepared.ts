import { sha256Hex } from '../../kernel/bytes.ts'
import { canonical } from '../../kernel/json.ts'
import { compilePolicy } from './compile.ts'
import type { Mistake } from './mistakes.ts'
import type { Policy } from './policy.ts'

/** A document that can be decided by. */
export interface PreparedPolicy {
  /** JSON, as it was written. */
  readonly text: string
  /** SHA-256 of its canonical form (RFC 8785), as hex: two documents with one fingerprint say the same. */
  readonly fingerprint: string
  readonly ruleCount: number
  readonly policy: Policy
}

/** Reads a document, or says everything that is wrong with it. 10,000 rules take some tenths of a second. */
export function preparePolicy(document: unknown): PreparedPolicy | { readonly mistakes: readonly Mistake[] } {
  const compiled = compilePolicy(document)
  if ('mistakes' in compiled) return compiled
  const text = JSON.stringify(document) // nothing that compiles is without a spelling in JSON
  const plain = JSON.parse(text) as { readonly rules: readonly unknown[] }
  let spelled: string
  try {
    spelled = canonical(plain)
  } catch (error) {
    return { mistakes: [{ path: '', message: (error as Error).message }] }
  }
  return { text, fingerprint: sha256Hex(spelled), ruleCount: plain.rules.length, policy: compiled.policy }
}

/** The fingerprint of a text that may be no document any more. */
export function fingerprintOf(text: string): string {
  try {
    return sha256Hex(canonical(JSON.parse(text)))
  } catch {
    return sha256Hex(text)
  }
}
