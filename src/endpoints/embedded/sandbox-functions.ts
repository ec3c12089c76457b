import type { Principal } from '../../authn/principal.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { CodeToRun, RunOutcome } from '../../sandbox/run.ts'
import type { WallState } from '../../sandbox/walls/wall.ts'
import type { CodeRuns } from '../code-runs.ts'

/** Code of users and models, from functions of the host's. */
export interface SandboxFunctions {
  /** What stands between the code and this machine; nothing where no sandbox is configured. */
  readonly walls: readonly WallState[]
  /**
   * Runs code: `house.sandbox.run({ language: 'python', code: 'result = sum(input)', input: [1, 2] })`. Whatever the code does, there is an
   * outcome; it throws where the code is not run at all: the sandbox is closed, too much is under way, or what is asked for is wrong.
   *
   * @throws `SandboxRefused`, with the code and, by field, what is wrong
   */
  run(asked: CodeToRun, options?: SandboxRunOptions): Promise<RunOutcome>
}

export interface SandboxRunOptions {
  /** Whose code it is: `house.visit(request).principal`. Nobody's code meets what another's left behind; the host itself is one of them. */
  readonly for?: Principal
  /** Hears what it prints while it goes on. */
  readonly onOutput?: (output: string) => void
  /** Ends it. */
  readonly signal?: AbortSignal
}

/** Code that was not run. */
export class SandboxRefused extends Error {
  override readonly name = 'SandboxRefused'
  readonly code: Refusal['code']
  /** What is wrong with what was asked for, by field. */
  readonly errors: Refusal['errors']
  /** When it may be worth another try, in milliseconds. */
  readonly retryAfterMs: number | undefined

  constructor({ code, detail, errors, retryAfterMs }: Refusal) {
    const fields = Object.entries(errors ?? {}).map(([field, messages]) => `${field} ${messages.join(', ')}`)
    super([detail, ...fields].join('; '))
    this.code = code
    this.errors = errors
    this.retryAfterMs = retryAfterMs
  }
}

export function sandboxFunctionsOf(runs: CodeRuns | undefined): SandboxFunctions {
  return {
    walls: runs?.walls ?? [],
    async run(asked, { for: whose, onOutput, signal } = {}) {
      if (runs === undefined) throw new SandboxRefused(refuse('sandbox-unavailable', { detail: notConfigured }))
      const { id, type } = whose ?? host
      const outcome = await runs.run(
        { actor: { id, type }, address: '', requestId: '', userAgent: '' },
        asked,
        onOutput,
        signal,
      )
      if ('code' in outcome) throw new SandboxRefused(outcome)
      return outcome
    },
  }
}

/** The application that embeds the house. */
const host = { id: 'host', type: 'system' } as const

const notConfigured = 'no sandbox is configured: say `sandbox: { enabled: true }`'
