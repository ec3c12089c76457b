import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { Environment } from '../config/settings.ts'
import { isRefusal } from '../endpoints/desk/guard.ts'
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

/** What one verb of a command wants: so many names, and these options beside those by which the house is found. */
export interface VerbShape {
  readonly operands: number
  /** How many more it takes. */
  readonly optional?: number
  readonly options: readonly string[]
}

/** The verb of a call, with its operands. Throws `Usage` for one that there is not, or that is called as it cannot be. */
export function readVerb<Verb extends string>(
  command: string,
  verbs: Readonly<Record<Verb, VerbShape>>,
  { values, positionals }: { readonly values: object; readonly positionals: readonly string[] },
  usage: string,
): readonly [verb: Verb, ...operands: string[]] {
  const [verb = '', ...operands] = positionals
  const wanted = Object.hasOwn(verbs, verb) ? verbs[verb as Verb] : undefined
  if (wanted === undefined) throw new Usage(verb === '' ? usage : `unknown \`${command} ${verb}\`\n\n${usage}`)
  const { operands: least, optional = 0 } = wanted
  if (operands.length < least || operands.length > least + optional) throw new Usage(usage)
  for (const name of Object.keys(values))
    if (!everywhere.has(name) && !wanted.options.includes(name))
      throw new Usage(`\`${command} ${verb}\` has no \`--${name}\`\n\n${usage}`)
  return [verb as Verb, ...operands]
}

const everywhere: ReadonlySet<string> = new Set(['config', 'data', 'help'])

/** Tells what came of a change: beside what the command prints, or why it was refused. */
export function told<Outcome extends object>(
  outcome: Outcome | Refusal | undefined,
  terminal: Terminal,
  done: string,
): boolean {
  if (!isRefusal(outcome)) {
    terminal.err(`done: ${done}`)
    return true
  }
  if (outcome.code === 'body-invalid') throw new Usage(refusalText(outcome))
  terminal.err(outcome.detail)
  return false
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
