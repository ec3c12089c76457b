import { createHash } from 'node:crypto'
import type { Actor, AuditEvent } from '../audit/event.ts'
import { inOrder } from '../audit/event-text.ts'
import type { AuditLog } from '../audit/log.ts'
import type { Gauges, Meters } from '../gate/meters.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Refusal } from '../kernel/error.ts'
import { type Random, uuidv7 } from '../kernel/id.ts'
import type { CodeToRun, RunErrorCode, RunFinding, RunOutcome } from '../sandbox/run.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'

/** Who wants code run, and how they came. */
export interface Runner {
  readonly actor: Actor
  readonly address: string
  readonly requestId: string
  readonly userAgent: string
}

interface CodeRunRooms {
  readonly sandbox: Sandbox
  readonly audit: Pick<AuditLog, 'note'>
  readonly meters: Pick<Meters, 'codeRun'>
  readonly clock: Clock
  readonly random: Random
}

/** Runs of the sandbox that somebody answers for: each is counted and remembered, whichever way it was asked for. */
export class CodeRuns {
  readonly #rooms: CodeRunRooms

  constructor(rooms: CodeRunRooms) {
    this.#rooms = rooms
  }

  get walls(): Sandbox['walls'] {
    return this.#rooms.sandbox.walls
  }

  /** Each actor is a tenant: nobody's code meets what another's has left behind. */
  async run(
    { actor, address, requestId, userAgent }: Runner,
    asked: CodeToRun,
    hear?: (output: string) => void,
    left?: AbortSignal,
  ): Promise<RunOutcome | Refusal> {
    const { sandbox, audit, meters, clock, random } = this.#rooms
    const outcome = await sandbox.run(`${actor.type} ${actor.id}`, asked, hear, left)
    // Whoever leaves takes no run out of the record: it may have done its work.
    if ('code' in outcome && outcome.code !== 'client-left') return outcome
    const at = clock.now()
    const said = 'code' in outcome ? 'left' : (outcome.error?.code ?? 'ok')
    meters.codeRun(asked.language, said, 'code' in outcome ? 0 : outcome.usage.timeMs / 1000)
    audit.note({
      action: 'run',
      actor,
      address,
      at,
      details: inOrder({
        language: asked.language,
        outcome: said,
        time_limit_ms: asked.limits?.timeMs ?? sandbox.usual.timeMs,
        memory_limit_mb: asked.limits?.memoryMb ?? sandbox.usual.memoryMb,
        ...('code' in outcome ? {} : detailsOf(outcome)),
      }),
      id: uuidv7(at, random),
      request_id: requestId,
      resource: { id: `sha256:${createHash('sha256').update(asked.code).digest('hex')}`, type: 'code' },
      result: resultOf[said],
      type: 'api_access',
      user_agent: userAgent,
      v: 1,
    })
    return outcome
  }
}

/** What its owner should know of a sandbox at any time. */
export function sandboxGauges(sandbox: Sandbox | undefined): Gauges {
  if (sandbox === undefined) return {}
  return {
    gatehouse_sandbox_children: {
      help: 'Processes that run code, or wait for some',
      read: () => sandbox.census().children,
    },
    gatehouse_sandbox_busy: { help: 'Those of them that run something', read: () => sandbox.census().busy },
    gatehouse_sandbox_warm: { help: 'Those of them that belong to nobody yet', read: () => sandbox.census().warm },
    gatehouse_sandbox_waiting: { help: 'Runs that wait for a process', read: () => sandbox.census().waiting },
  }
}

/** Nothing of the code itself, of its input or of what it printed. */
function detailsOf({ error, findings, usage }: RunOutcome): AuditEvent['details'] {
  return {
    ...(error?.limit !== undefined && { limit: error.limit }),
    ...(error?.module !== undefined && { module: error.module }),
    ...(findings.length > 0 && { findings: namesOf(findings) }),
    ...(findings.some(({ what }) => what === 'escape-attempt') && { escape_attempt: true }),
    time_ms: Math.round(usage.timeMs),
    cpu_ms: Math.round(usage.cpuMs),
    memory_mb: Math.round(usage.memoryBytes / 1024 ** 2),
  }
}

function namesOf(findings: readonly RunFinding[]): string {
  const names = new Set(findings.map(({ what, name }) => `${what}:${name}`))
  return [...names].join(' ').slice(0, 256).toWellFormed()
}

const resultOf: Readonly<Record<RunErrorCode | 'ok' | 'left', AuditEvent['result']>> = {
  ok: 'success',
  left: 'failure',
  syntax: 'failure',
  'import-forbidden': 'denied',
  exception: 'failure',
  'result-invalid': 'failure',
  limit: 'failure',
  crashed: 'error',
}
