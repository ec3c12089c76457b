// RFC 9162 §2.1 as it is written there: recursive, over all leaves, without anything stored.
import { hash } from 'node:crypto'

export function leaf(data: string | Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.of(0), Buffer.from(data)]), 'buffer')
}

/** MTH over leaves that are hashed already. */
export function root(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return hash('sha256', '', 'buffer')
  if (leaves.length === 1) return leaves[0] as Buffer
  const k = largestPowerBelow(leaves.length)
  return node(root(leaves.slice(0, k)), root(leaves.slice(k)))
}

/** PATH(m, D[n]). */
export function path(m: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length === 1) return []
  const k = largestPowerBelow(leaves.length)
  return m < k
    ? [...path(m, leaves.slice(0, k)), root(leaves.slice(k))]
    : [...path(m - k, leaves.slice(k)), root(leaves.slice(0, k))]
}

/** PROOF(m, D[n]). */
export function proof(m: number, leaves: readonly Buffer[]): Buffer[] {
  return subproof(m, leaves, true)
}

function subproof(m: number, leaves: readonly Buffer[], whole: boolean): Buffer[] {
  if (m === leaves.length) return whole ? [] : [root(leaves)]
  const k = largestPowerBelow(leaves.length)
  return m <= k
    ? [...subproof(m, leaves.slice(0, k), whole), root(leaves.slice(k))]
    : [...subproof(m - k, leaves.slice(k), false), root(leaves.slice(0, k))]
}

function node(left: Buffer, right: Buffer): Buffer {
  return hash('sha256', Buffer.concat([Buffer.of(1), left, right]), 'buffer')
}

function largestPowerBelow(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}
