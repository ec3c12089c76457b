import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { Environment } from '../config/settings.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Refusal } from '../kernel/error.ts'
import type { Random } from '../kernel/id.ts'

/** What a command may touch of the world. */
export interface Terminal {
  out(text: string): void
  err(text: string): void
  /** Whether somebody is looking: progress is for people, not for pipes. */
  readonly isTerminal: boolean
  readonly environment: Environment
  readonly clock: Clock
  readonly random: Random
}

/** Does one thing, and answers yes (exit 0) or no (exit 1). Throws `Usage` for a wrong call, `Fault` for a part that is missing. */
export type Command = (args: readonly string[], terminal: Terminal) => Promise<boolean>

/** The call or the configuration is wrong: exit 2. */
export class Usage extends Error {
  override readonly name = 'Usage'
}

/** A refusal as a person at a terminal reads it: field by field where it has fields. */
export function refusalText({ detail, errors }: Refusal): string {
  if (errors === undefined) return detail
  return Object.entries(errors)
    .map(([field, messages]) => `${field} ${messages.join(', ')}`)
    .join('; ')
}

type Options = NonNullable<ParseArgsConfig['options']>

/** Reads a command's options; what is not among them is told together with what is. */
export function readArgs<O extends Options>(
  args: readonly string[],
  options: O,
  usage: string,
): ReturnType<typeof parseArgs<{ args: string[]; options: O; allowPositionals: true; strict: true }>> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new Usage(`${(error as Error).message}\n\n${usage}`)
  }
}
