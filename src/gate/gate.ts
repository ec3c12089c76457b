import type { Delivered, Inbound, Outbound } from '../http/message.ts'
import { refuse } from '../kernel/error.ts'
import { conclude } from './conclude.ts'
import type { Exchange } from './exchange.ts'
import { serve } from './pass.ts'
import type { Plan } from './plan.ts'
import { record } from './record.ts'

/** Where requests come in: the plan of the day, and whether the house still takes new ones. */
export interface Gate {
  /** Sends a request down its way; `concluded` is called once, with the answer to deliver. */
  handle(request: Inbound, concluded: (passage: Passage) => void): Exchange
  /** Whether this request may become a tunnel. */
  tunnels(method: string, path: string): boolean
  /**
   * Requests from now on follow this plan; those on their way keep the one that admitted them. Resolves when the last of these
   * has ended: what they lean on has to stand until then.
   */
  follow(plan: Plan): Promise<void>
  /** Takes no new requests, and answers when the last one on its way has ended. */
  drain(): Promise<void>
  readonly draining: boolean
  readonly inFlight: number
}

/** An exchange that has come to its answer. */
export interface Passage {
  readonly exchange: Exchange
  readonly plan: Plan
  readonly outbound: Outbound
  /** To be called once the answer has left, or broke off: it is recorded then. `status` where the host chose another. */
  finish(delivered: Delivered, status?: number): void
}

/** How long the record of an exchange waits for those who look at copies of what has gone on. */
const seenMs = 10_000

export function openGate(first: Plan): Gate {
  let era = eraOf(first)
  let draining = false
  let inFlight = 0
  const emptied: (() => void)[] = []

  return {
    handle(request, concluded) {
      const admitting = era
      const { plan: current } = admitting
      const exchange = current.admit(request)
      inFlight++
      admitting.inFlight++
      let finished = false
      if (draining && !exchange.route.whileDraining) {
        exchange.refusal = refuse('draining', { retryAfterMs: 1000 })
        settle(exchange)
      } else {
        serve(exchange, current.rooms.log, settle, () => finish({ bytes: 0, whole: false }, 500))
      }
      return exchange

      function settle(ended: Exchange): void {
        const outbound = conclude(ended, current.cors)
        if (draining) outbound.headers.push('Connection', 'close')
        concluded({
          exchange: ended,
          plan: current,
          outbound,
          finish: (delivered, status = outbound.status) => finish(delivered, status),
        })
      }

      function finish({ bytes, whole }: Delivered, status: number): void {
        if (finished) return
        finished = true
        exchange.end()
        const endedAt = current.rooms.clock.monotonic()
        exchange.whenSeen(seenMs, () => {
          exchange.close()
          record(exchange, { status, bytes, whole, endedAt }, current.rooms)
          inFlight--
          admitting.inFlight--
          if (inFlight === 0) for (const tell of emptied.splice(0)) tell()
          if (admitting.inFlight === 0) admitting.ended?.()
        })
      }
    },
    tunnels: (method, path) => era.plan.tunnels(method, path),
    follow(next) {
      const before = era
      era = eraOf(next)
      return before.inFlight === 0 ? Promise.resolve() : new Promise((resolve) => (before.ended = resolve))
    },
    drain() {
      draining = true
      return inFlight === 0 ? Promise.resolve() : new Promise((resolve) => emptied.push(resolve))
    },
    get draining() {
      return draining
    },
    get inFlight() {
      return inFlight
    },
  }
}

/** The time of one plan. */
interface Era {
  readonly plan: Plan
  inFlight: number
  ended: (() => void) | undefined
}

function eraOf(plan: Plan): Era {
  return { plan, inFlight: 0, ended: undefined }
}
