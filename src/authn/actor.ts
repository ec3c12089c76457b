import { isHandle } from './token/claims.ts'

/** Who acts as a subject (RFC 8693 §4.1): whoever acts now, and inside it whoever had handed that on to them. */
export interface Actor {
  /** An account, or a client of other people, by id. */
  readonly id: string
  readonly actor?: Actor | undefined
}

/** An `act` claim. */
export interface ActClaim {
  readonly sub: string
  readonly act?: ActClaim | undefined
}

/** How many may act one for another. A longer chain is an error, and never cut: who began it is what a reader wants to know. */
export const actorsMax = 5

/** Reads an `act` claim; undefined for what says nobody, or too many. */
export function readActor(claim: unknown, left = actorsMax): Actor | undefined {
  if (typeof claim !== 'object' || claim === null || !('sub' in claim) || !isHandle(claim.sub) || left === 0)
    return undefined
  if (!('act' in claim) || claim.act === undefined) return { id: claim.sub }
  const actor = readActor(claim.act, left - 1)
  return actor === undefined ? undefined : { id: claim.sub, actor }
}

/** The chain in which `id` acts now, and those who acted before hand the errand on to it; undefined where they are too many. */
export function handedTo(id: string, before: Actor | undefined): Actor | undefined {
  if (before?.id === id) return before
  return actorsOf(before).length < actorsMax ? { id, actor: before } : undefined
}

export function actClaim({ id, actor }: Actor): ActClaim {
  return actor === undefined ? { sub: id } : { sub: id, act: actClaim(actor) }
}

/** Everybody who acts, by id: whoever acts now comes first. */
export function actorsOf(actor: Actor | undefined): readonly string[] {
  return actor === undefined ? [] : [actor.id, ...actorsOf(actor.actor)]
}
