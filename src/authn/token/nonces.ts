import { createHmac } from 'node:crypto'
import { base64url } from '../../kernel/bytes.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { RootKey } from '../../keys/root.ts'

/**
 * Nonces that say when a proof was made by our clock (RFC 9449 §8): a key's holder cannot write proofs today for later. They
 * are worked out, not kept, so that every node of the house knows those of every other.
 */
export interface Nonces {
  /** The one of this moment. */
  current(): string
  /** Whether a nonce is ours and not older than the step before this one. */
  holds(nonce: string): boolean
}

export function openNonces({ root, clock }: { readonly root: RootKey; readonly clock: Clock }): Nonces {
  const key = root.derive('dpop nonces')
  const known = new Map<number, string>()

  return {
    current: () => of(stepAt(clock.now())),
    holds(nonce) {
      const step = stepAt(clock.now())
      // The step to come is good too: a node whose clock is ahead of this one's gave it out.
      return nonce === of(step) || nonce === of(step - 1) || nonce === of(step + 1)
    },
  }

  function of(step: number): string {
    let nonce = known.get(step)
    if (nonce === undefined) {
      nonce = base64url(createHmac('sha256', key).update(String(step)).digest())
      if (known.size >= knownMax) known.clear()
      known.set(step, nonce)
    }
    return nonce
  }
}

const stepMs = 300_000
const knownMax = 8

function stepAt(nowMs: number): number {
  return Math.floor(nowMs / stepMs)
}
