import type { Answerer } from '../../gate/exchange.ts'
import { json } from './reply.ts'

/** What the house can say of itself. A stranger learns yes or no, and not why. */
export interface Pulse {
  readonly draining: () => boolean
  /** Whether the store answers and the audit log is being written. */
  readonly sound: () => Promise<boolean>
}

export function healthEndpoints(pulse: Pulse): Record<'health' | 'live' | 'ready', Answerer> {
  const ready: Answerer = async () => {
    if (pulse.draining()) return json(503, { status: 'draining' })
    return (await pulse.sound()) ? json(200, { status: 'ok' }) : json(503, { status: 'unavailable' })
  }
  return { health: ready, ready, live: () => json(200, { status: 'ok' }) }
}
