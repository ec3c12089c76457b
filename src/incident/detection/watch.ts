import type { AuditEvent } from '../../audit/event.ts'
import type { Sighting } from './sightings.ts'

/** What one rule makes of the events that are about it. The same events in the same order are the same answers. */
export interface Watch {
  /** How much of the past it has to have seen to know what it would know. */
  readonly pastMs: number
  /** Takes an event of a key. What it rests on, where it is one too many; undefined otherwise. */
  see(event: AuditEvent, seq: number, key: string): Grounds | undefined
  /** Takes an event after which a key, or what that event names of it, begins anew. */
  forgive(key: string, event: AuditEvent): void
  /** It knows nothing any more. */
  clear(): void
  /** Keys that it holds something of. */
  readonly size: number
}

export interface Grounds {
  readonly sightings: readonly Sighting[]
  /** How many there were, also of those that are not listed. */
  readonly count: number
  /** In a few words, for people. */
  readonly text: string
}

/** Sightings that a rule holds at most: it has as many keys as that allows. */
const sightingsMax = 500_000
const keysMax = 10_000

export function capacityOf(sightingsPerKey: number): number {
  return Math.min(keysMax, Math.floor(sightingsMax / sightingsPerKey))
}
