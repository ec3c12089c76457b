// Commands run where the test runs: as they are, without the half second that a process takes to begin.
import type { Command } from '../../src/cli/command.ts'
import { Usage } from '../../src/cli/command.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { Fault } from '../../src/kernel/error.ts'
import { systemRandom } from '../../src/kernel/id.ts'

export interface Outcome {
  readonly code: 0 | 1 | 2 | 3
  readonly out: string
  readonly err: string
}

/** What a command prints, and the exit code that `main.ts` gives for how it ends. */
export async function run(
  command: Command,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  isTerminal = false,
): Promise<Outcome> {
  let out = ''
  let err = ''
  const terminal = {
    out: (text: string) => void (out += `${text}\n`),
    err: (text: string) => void (err += `${text}\n`),
    isTerminal,
    environment,
    clock: systemClock,
    random: systemRandom,
  }
  try {
    const code = (await command(args, terminal)) ? 0 : 1
    return { code, out, err }
  } catch (error) {
    if (!(error instanceof Usage) && !(error instanceof Fault)) throw error
    return { code: error instanceof Usage ? 2 : 3, out, err: `${err}${error.message}\n` }
  }
}
