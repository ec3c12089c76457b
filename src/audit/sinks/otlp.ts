import type { Clock } from '../../kernel/clock.ts'
import type { AuditEvent } from '../event.ts'
import { type ChainedEvent, type Follower, NotTaken } from '../follow/follower.ts'
import { deliveredEvent, deliveredText } from './delivered.ts'
import { type OtlpSinkOptions, sinkName } from './options.ts'
import { answerBytesMax, openPost } from './post.ts'

export interface OtlpParts {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
}

/**
 * OTLP/HTTP in its JSON encoding (opentelemetry-proto 1, `ExportLogsServiceRequest`). Where a collector takes a part of a
 * page and does not say which, the page comes again in halves: the specification would have the rest be lost.
 */
export function otlpSink(options: OtlpSinkOptions, { environment, clock }: OtlpParts): Follower {
  const way = openPost(options, environment, clock)
  const resource = { attributes: [attribute('service.name', options.serviceName)] }

  return {
    name: sinkName(options),
    pageMax: options.batch,
    from: options.from,
    onRejected: options.onRejected,
    async take(events, signal) {
      const observed = nanoseconds(clock.now())
      const logRecords = events.map((event) => recordOf(event, options.personal, observed))
      const body = JSON.stringify({
        resourceLogs: [{ resource, scopeLogs: [{ scope: { name: 'gatehouse.audit' }, logRecords }] }],
      })
      const answer = await way.post(body, { 'content-type': 'application/json' }, signal)
      const problem = partialProblem(answer)
      if (problem !== undefined) throw new NotTaken(problem, { rejected: true })
      return undefined
    },
    close: () => way.close(),
  }
}

function recordOf(chained: ChainedEvent, personal: boolean, observed: string): object {
  const event = deliveredEvent(chained, personal)
  const attributes = {
    'gatehouse.seq': chained.seq,
    'gatehouse.hash': chained.hash,
    'gatehouse.id': event.id,
    'gatehouse.type': event.type,
    'gatehouse.action': event.action,
    'gatehouse.result': event.result,
    'gatehouse.resource.type': event.resource.type,
    'gatehouse.resource.id': event.resource.id,
    'gatehouse.request_id': event.request_id,
    'gatehouse.actor.type': event.actor.type,
    'user.id': event.actor.id,
    'client.address': event.address,
    'user_agent.original': event.user_agent,
  }
  return {
    timeUnixNano: nanoseconds(event.at),
    observedTimeUnixNano: observed,
    ...severityOf(event),
    eventName: `gatehouse.${event.type}.${event.action}`,
    body: { stringValue: deliveredText(chained, personal) },
    attributes: Object.entries(attributes).flatMap(([key, value]) => (value === '' ? [] : [attribute(key, value)])),
  }
}

function attribute(key: string, value: string | number): object {
  // 64-bit integers are texts in the JSON of Protocol Buffers.
  return { key, value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value } }
}

function severityOf({ type, result }: AuditEvent): { readonly severityNumber: number; readonly severityText: string } {
  if (result === 'error') return { severityNumber: 17, severityText: 'ERROR' }
  return type === 'security_incident' || result !== 'success'
    ? { severityNumber: 13, severityText: 'WARN' }
    : { severityNumber: 9, severityText: 'INFO' }
}

function nanoseconds(ms: number): string {
  return String(BigInt(Math.trunc(ms)) * 1_000_000n)
}

/** What a collector did not take of what it took, in its own words. */
function partialProblem(answer: string): string | undefined {
  if (answer.length >= answerBytesMax) throw new NotTaken('its answer is too long to be a collector’s')
  let partial: { readonly rejectedLogRecords?: unknown; readonly errorMessage?: unknown } | undefined
  try {
    partial = (JSON.parse(answer) as { readonly partialSuccess?: typeof partial } | null)?.partialSuccess
  } catch {
    return undefined // an answer of 200 says that they were taken, whatever else it says
  }
  const rejected = Number(partial?.rejectedLogRecords ?? 0)
  return rejected > 0 ? `it rejected ${rejected} of them: ${String(partial?.errorMessage ?? '')}` : undefined
}
