import type { Answerer, Exchange } from '../../gate/exchange.ts'
import type { Outbound } from '../../http/message.ts'
import { pairs } from '../../http/raw-headers.ts'
import { HeldSource } from '../../http/source.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { CodeToRun, RunOutcome } from '../../sandbox/run.ts'
import { problemOf } from '../../wire/problem.ts'
import type * as wire from '../../wire/sandbox.ts'
import type { CodeRuns, Runner } from '../code-runs.ts'
import { input } from './auth.ts'
import { json } from './reply.ts'

type Runs = keyof typeof wire.sandbox

/** Code that users and models wrote, run where it reaches nothing (CT6). */
export function sandboxEndpoints(runs: CodeRuns | undefined): Record<Runs, Answerer> {
  return {
    async runCode(exchange) {
      if (runs === undefined) return refuse('not-found', { detail: 'no sandbox is configured' })
      const asked = input<typeof wire.codeBody>(exchange) as CodeToRun
      const left = new AbortController()
      exchange.abandon = () => left.abort()
      if (exchange.left) left.abort()
      if (!wantsEvents(exchange)) {
        const outcome = await runs.run(runnerOf(exchange), asked, undefined, left.signal)
        return 'code' in outcome ? outcome : json(200, answerOf(outcome))
      }
      return streamed(exchange, left, (hear) => runs.run(runnerOf(exchange), asked, hear, left.signal))
    },
  }
}

function runnerOf({ principal, client, id, request }: Exchange): Runner {
  return {
    actor: { id: principal.id, type: principal.type },
    address: client,
    requestId: id,
    userAgent: request.head.userAgent ?? '',
  }
}

/** The same for both forms of the answer, and for the command. */
export function answerOf({ result, output, outputCut, error, usage }: RunOutcome): Readonly<Record<string, unknown>> {
  return {
    result,
    output,
    ...(outputCut && { outputCut }),
    ...(error !== undefined && { error }),
    usage: {
      timeMs: Math.round(usage.timeMs),
      cpuMs: Math.round(usage.cpuMs),
      memoryMb: Math.round(usage.memoryBytes / 1024 ** 2),
    },
  }
}

function wantsEvents({ request }: Exchange): boolean {
  for (const [name, value] of pairs(request.headers))
    if (name.toLowerCase() === 'accept' && /\btext\/event-stream\b/i.test(value)) return true
  return false
}

/**
 * Server-sent events: `output` as it is printed, `done` with what is otherwise the whole answer. What is refused before it has begun to be
 * answered is an ordinary problem; a run that is refused later, having waited, ends with `problem`.
 */
async function streamed(
  exchange: Exchange,
  left: AbortController,
  run: (hear: (output: string) => void) => Promise<RunOutcome | Refusal>,
): Promise<Outbound | Refusal> {
  const body = new HeldSource({ pause() {}, resume() {}, abort: () => left.abort() })
  const begun = Promise.withResolvers<void>()
  const send = (event: string, data: unknown): void =>
    body.chunk(Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`))
  const running = run((output) => {
    send('output', output)
    begun.resolve()
  })
  const patience = setTimeout(() => begun.resolve(), patienceMs)
  const first = await Promise.race([running, begun.promise])
  clearTimeout(patience)
  if (first !== undefined && 'code' in first) return first
  const heartbeat = setInterval(() => body.chunk(Buffer.from(':\n\n')), heartbeatMs)
  void running
    .then(
      (outcome) =>
        'code' in outcome ? send('problem', problemOf(outcome, exchange.id)) : send('done', answerOf(outcome)),
      () => send('problem', problemOf(refuse('internal'), exchange.id)),
    )
    .finally(() => {
      clearInterval(heartbeat)
      body.end([])
    })
  return {
    status: 200,
    headers: ['Content-Type', 'text/event-stream', 'Cache-Control', 'no-store', 'X-Accel-Buffering', 'no'],
    body,
  }
}

/** A run that says nothing for so long is answered all the same, so that nobody takes it for lost. */
const patienceMs = 1_000
const heartbeatMs = 15_000
