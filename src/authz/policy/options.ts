import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { parseStrict } from '../../kernel/json.ts'
import { type PreparedPolicy, preparePolicy } from './prepared.ts'
import { recordMax } from './recording.ts'

/** A policy of the configuration. */
export interface ConfiguredPolicy {
  readonly name: string
  /** Undefined where it is `managed`: administrators say at run time what decides. */
  readonly document: PreparedPolicy | undefined
  /** A document that is asked beside it, and decides nothing. */
  readonly trial: PreparedPolicy | undefined
  /** How many of the last requests are kept, to be decided again on paper. */
  readonly record: number
}

/**
 * A policy in place, the JSON file that holds it, or the word that administrators write it at run time. What is wrong with it
 * is a mistake of the configuration, at its own path.
 */
export const policyOptions = z
  .looseObject({
    name: z
      .string()
      .max(64)
      .regex(/^[A-Za-z0-9_-]+$/, 'expected a name of letters, digits, `_` and `-`'),
    managed: z.literal(true, { error: 'expected `true`, or nothing' }).optional(),
    trial: z.record(z.string(), z.unknown()).optional(),
    record: z.int().min(0).max(recordMax).default(0),
  })
  .transform((given, context): ConfiguredPolicy => {
    const { name, managed, trial, record, ...rest } = given
    const document = managed === true ? withNothingBeside(rest, context) : read(rest, [], context)
    const tried = trial === undefined ? undefined : read(trial, ['trial'], context)
    return context.issues.length > 0 ? z.NEVER : { name, document, trial: tried, record }
  })

function withNothingBeside(rest: Given, context: z.RefinementCtx): undefined {
  for (const key of Object.keys(rest))
    context.addIssue({
      code: 'custom',
      path: [key],
      message: 'expected nothing beside `managed`: what decides is said at run time',
    })
}

/** The document in place, or in the file that is named. */
function read(given: Given, at: readonly string[], context: z.RefinementCtx): PreparedPolicy | undefined {
  const isFile = 'file' in given
  const document = isFile ? readDocument(given, at, context) : given
  if (document === undefined) return undefined
  const prepared = preparePolicy(document)
  if (!('mistakes' in prepared)) return prepared
  for (const { path, message } of prepared.mistakes)
    context.addIssue({ code: 'custom', path: [...at, ...stepsOf(isFile ? `file.${path}` : path)], message })
  return undefined
}

function readDocument({ file, ...others }: Given, at: readonly string[], context: z.RefinementCtx): unknown {
  const wrong = (message: string): undefined =>
    void context.addIssue({ code: 'custom', path: [...at, 'file'], message })
  if (typeof file !== 'string' || Object.keys(others).length > 0)
    return wrong('expected the path of a JSON file, and no document beside it')
  const found = readJson(file)
  return 'problem' in found ? wrong(found.problem) : found.value
}

/** What a JSON file holds; of two members of one name neither is guessed at. */
export function readJson(file: string): { readonly value: unknown } | { readonly problem: string } {
  const read = readText(file)
  if ('problem' in read) return read
  const parsed = parseStrict(read.text)
  return 'error' in parsed ? { problem: `\`${file}\` is no JSON: ${parsed.error}` } : parsed
}

export function readText(file: string): { readonly text: string } | { readonly problem: string } {
  try {
    return { text: readFileSync(file, 'utf8') }
  } catch (error) {
    return { problem: `\`${file}\` cannot be read (${(error as NodeJS.ErrnoException).code})` }
  }
}

/** `rules[2].condition` in steps. */
function stepsOf(path: string): (string | number)[] {
  return path
    .split(/[.[\]]+/)
    .filter((step) => step !== '')
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step))
}

type Given = Readonly<Record<string, unknown>>
