import type { Decision } from '../../authz/decision.ts'
import { decideByOwner, type OwnershipRule, overrides, owns } from '../../authz/ownership.ts'
import { refuse } from '../../kernel/error.ts'
import { refusalOf } from '../denial.ts'
import type { Exchange, Refusal, Stage } from '../exchange.ts'
import { isSafe } from '../own-page.ts'
import type { Rooms } from '../rooms.ts'
import type { Route } from '../route.ts'
import { type Found, type Lookup, questionOf } from './lookup.ts'

/**
 * Finds out whose it is that a request is about, and lets its owner on. To everybody else it is not there: that answer is
 * one and the same, whether it is somebody else's or nothing at all (OWASP API1:2023). It stands after `decide`: that a
 * permission is missing says nothing of any one thing.
 */
export function owned({ owner, policies }: Route, rooms: Rooms): Stage | undefined {
  if (owner === undefined) return undefined
  const { rule, source } = owner
  switch (source.by) {
    case 'param':
      return byParam(source.param, rule, rooms)
    case 'lookup':
      return byLookup(source.lookup, rule, policies.length > 0, rooms)
    case 'answer':
      return undefined // `screen` has it
  }
}

function byParam(param: string, rule: OwnershipRule, rooms: Rooms): Stage {
  return (exchange) => {
    exchange.owner = isReadable(exchange) ? exchange.params[param] : undefined
    if (rule.decidedBy === 'policy') return undefined
    return settle(decideByOwner(exchange.principal, exchange.owner, rule), exchange, rooms)
  }
}

function byLookup(lookup: Lookup, rule: OwnershipRule, policiesAsk: boolean, rooms: Rooms): Stage {
  const { owners } = rooms
  return (exchange) => {
    const { principal } = exchange
    const overruled = rule.decidedBy === 'owner' && overrides(principal, rule)
    if (overruled && !policiesAsk) return settle(decideByOwner(principal, undefined, rule), exchange, rooms)
    const question = isReadable(exchange) ? questionOf(lookup, exchange.params) : undefined
    if (question === undefined) return conclude({ is: 'not-there' }, rule, exchange, rooms)
    const fresh = !isSafe(exchange)
    // Of a change that broke off, or that a host makes, nobody sees an answer: it may have been made all the same.
    if (fresh) exchange.atEnd = () => owners.forget(question)
    const known = fresh ? undefined : owners.known(question)
    // What is known lets in, and keeps nobody out: a quick no would tell that there is something to know.
    if (known !== undefined && (overruled || rule.decidedBy === 'policy' || owns(principal, known.owner, rule)))
      return conclude({ is: 'there', owner: known.owner }, rule, exchange, rooms)
    return owners
      .ask(question, { shared: rule.decidedBy === 'owner' ? principal.id : '', requestId: exchange.id }, fresh)
      .then((found) => (exchange.left ? refuse('client-left') : conclude(found, rule, exchange, rooms)))
  }
}

function conclude(found: Found, rule: OwnershipRule, exchange: Exchange, rooms: Rooms): Refusal | undefined {
  switch (found.is) {
    case 'unknown':
      settle(undiscovered, exchange, rooms)
      return refuse('unavailable', { retryAfterMs: 1_000, reason: found.reason })
    case 'not-there': {
      if (rule.decidedBy === 'policy') return undefined
      const decision = decideByOwner(exchange.principal, undefined, rule)
      return settle(decision.effect === 'permit' ? decision : notThere, exchange, rooms)
    }
    case 'there':
      exchange.owner = found.owner
      if (rule.decidedBy === 'policy') return undefined
      return settle(decideByOwner(exchange.principal, found.owner, rule), exchange, rooms)
  }
}

/** Writes down what the owner has to do with it, beside what was decided before. */
export function settle(decision: Decision, exchange: Exchange, rooms: Rooms): Refusal | undefined {
  exchange.decision = { ...decision, because: `${exchange.decision.because}; ${decision.because}` }
  return decision.effect === 'permit' ? undefined : refusalOf(decision, exchange, rooms)
}

/**
 * A path that is no text names nothing, and neither does one with parameters in a segment (RFC 3986 §3.3), which some servers cut
 * off and others do not: what is found by one reading of it might be released by another.
 */
function isReadable({ request: { target } }: Exchange): boolean {
  if (target.path.includes(';')) return false
  if (!target.path.includes('%')) return true
  try {
    decodeURIComponent(target.path)
    return true
  } catch {
    return false
  }
}

export const notThere: Decision = { effect: 'deny', because: 'there is no such thing', lacks: { kind: 'ownership' } }
const undiscovered: Decision = {
  effect: 'deny',
  because: 'its owner could not be found out',
  lacks: { kind: 'decision' },
}
