import type { Answerer } from '../../gate/exchange.ts'
import type { Meters } from '../../gate/meters.ts'
import { refuse } from '../../kernel/error.ts'
import { text } from './reply.ts'

/**
 * Prometheus metrics, for loopback and for the addresses that the configuration names. A request that says it was
 * forwarded, by a peer that nobody trusts, is no local one: a proxy on this machine does not open the metrics to the world.
 */
export function metricsEndpoint(
  meters: Meters,
  allows: (address: string) => boolean,
  trusts: (address: string) => boolean,
): Answerer {
  return async ({ client, request }) => {
    const forwarded = request.head.forwardedFor !== undefined && !trusts(request.peer)
    if (forwarded || !allows(client))
      return refuse('not-found', { reason: 'metrics are for loopback and for `metrics.allow`' })
    return text(200, meters.contentType, await meters.exposition())
  }
}
