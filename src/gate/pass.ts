import { catalogue, Fault, refuse } from '../kernel/error.ts'
import type { Log } from '../kernel/log.ts'
import type { Exchange, Refusal, Stage } from './exchange.ts'

export type Outcome = Refusal | undefined | Promise<Refusal | undefined>

/** Runs the stages in order until one refuses. Synchronous until a stage has to wait. */
export function pass(stages: readonly Stage[], exchange: Exchange, from = 0): Outcome {
  for (let next = from; ; next++) {
    const stage = stages[next]
    if (stage === undefined) return undefined
    const outcome = stage(exchange)
    if (outcome === undefined) continue
    return outcome instanceof Promise ? resume(outcome, stages, exchange, next + 1) : outcome
  }
}

async function resume(
  outcome: Promise<Refusal | undefined>,
  stages: readonly Stage[],
  exchange: Exchange,
  next: number,
): Promise<Refusal | undefined> {
  return (await outcome) ?? pass(stages, exchange, next)
}

/**
 * What comes of the stages, whatever happens. Here is the one catch: what a stage throws becomes a refusal that says nothing
 * about its cause, and a log line that says everything.
 */
export function settled(stages: readonly Stage[], exchange: Exchange, log: Log): Outcome {
  let outcome: Outcome
  try {
    outcome = pass(stages, exchange)
  } catch (error) {
    return failed(error, exchange, log)
  }
  return outcome instanceof Promise ? outcome.catch((error: unknown) => failed(error, exchange, log)) : outcome
}

/**
 * Sends an exchange down its way and calls `done` with what came of it, whatever happens; `lost` where not even a refusal could be
 * written.
 */
export function serve(exchange: Exchange, log: Log, done: (exchange: Exchange) => void, lost: () => void): void {
  const outcome = settled(exchange.stages, exchange, log)
  if (outcome instanceof Promise) void outcome.then(settle)
  else settle(outcome)

  function settle(refusal: Refusal | undefined): void {
    exchange.refusal = refusal
    try {
      done(exchange)
    } catch (error) {
      // An answer that cannot be written, a header of an upstream for one: what was not begun becomes a refusal.
      exchange.refusal = failed(error, exchange, log)
      try {
        done(exchange)
      } catch (again) {
        failed(again, exchange, log)
        lost()
      }
    }
  }
}

function failed(error: unknown, exchange: Exchange, log: Log): Refusal {
  if (exchange.left) return refuse('client-left')
  const code = error instanceof Fault ? error.code : 'internal'
  const fields = { request_id: exchange.id, route: exchange.route.name, err: error }
  if (catalogue[code].status >= 500) log.error(fields, 'a stage failed')
  else log.info(fields, 'a stage could not go on')
  return refuse(code, error instanceof Fault && error.told !== undefined ? { detail: error.told } : {})
}
