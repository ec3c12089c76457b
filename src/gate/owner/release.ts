import { decideByOwner, type OwnershipRule } from '../../authz/ownership.ts'
import type { Outbound } from '../../http/message.ts'
import { HeldSource, type Source } from '../../http/source.ts'
import { refuse } from '../../kernel/error.ts'
import type { Exchange, Refusal } from '../exchange.ts'
import { isSafe } from '../own-page.ts'
import type { Rooms } from '../rooms.ts'
import type { Route } from '../route.ts'
import { questionOf } from './lookup.ts'
import { notThere, settle } from './owned.ts'
import { keepPrivate } from './private-answer.ts'
import { isOwner, valuesOf } from './text.ts'

/** What an owner has to do with the answer of an upstream, before any of it leaves. */
export type Release = (exchange: Exchange, answer: Outbound) => Refusal | undefined

/** Undefined for what belongs to nobody. */
export function releaseOf({ owner, withheld }: Route, rooms: Rooms): Release | undefined {
  if (owner === undefined) return undefined
  const { rule, source } = owner
  const saysOwn = withheld.has('cache-control')
  return (exchange, answer) => {
    if (source.by === 'answer') {
      const refusal = judgeAnswer(source.header, rule, exchange, answer, rooms)
      if (refusal !== undefined) return refusal
    } else if (source.by === 'lookup' && !isSafe(exchange)) {
      const question = questionOf(source.lookup, exchange.params)
      if (question !== undefined) rooms.owners.forget(question)
    }
    if (!saysOwn) keepPrivate(answer.headers)
    return undefined
  }
}

/** The upstream has answered, and said whose it is. What is not the caller's goes no further, and nobody reads the rest. */
function judgeAnswer(
  header: string,
  rule: OwnershipRule,
  exchange: Exchange,
  answer: Outbound,
  rooms: Rooms,
): Refusal | undefined {
  const { status, headers, body } = answer
  const told = valuesOf(headers, header)
  const owner = told.length === 1 && isOwner(told[0]) ? told[0] : undefined
  const decision = decideByOwner(exchange.principal, owner, rule)
  if (decision.effect === 'permit') {
    if (body !== undefined && !(body instanceof Uint8Array))
      exchange.answer = { ...answer, body: withoutTrailer(body, header) }
    return settle(decision, exchange, rooms)
  }
  const isGone = status === 404 || status === 410
  if (owner === undefined && !isGone && status < 500)
    rooms.log.warn(
      { request_id: exchange.id, route: exchange.route.name, status, said: told.length },
      `the upstream has to say one owner, in \`${header}\``,
    )
  const refusal = settle(isGone ? notThere : decision, exchange, rooms)
  return status < 500
    ? refusal
    : refuse('upstream-broke-off', { reason: `the upstream answered ${status}, and the caller is not the owner` })
}

/** Where a field may be a trailer too (RFC 9110 §6.5), it is withheld there as well. */
function withoutTrailer(body: Source, name: string): Source {
  if (body instanceof HeldSource && body.complete !== undefined) return body // it has none
  return {
    flow: (sink) =>
      body.flow({
        chunk: (bytes) => sink.chunk(bytes),
        end: (trailers) =>
          sink.end(trailers.filter((_, at) => (trailers[at - (at % 2)] as string).toLowerCase() !== name)),
        fail: (error) => sink.fail(error),
      }),
    pause: () => body.pause(),
    resume: () => body.resume(),
    abort: (reason) => body.abort(reason),
  }
}
