import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { parseStrict } from '../../kernel/json.ts'
import { compilePolicy } from './compile.ts'
import type { Policy } from './policy.ts'

/** A policy with the name that routes ask it by. */
export interface NamedPolicy {
  readonly name: string
  readonly policy: Policy
}

/** A policy in place, or the JSON file that holds it. What is wrong with it is a mistake of the configuration, at its own path. */
export const policyOptions = z
  .looseObject({ name: z.string().min(1).max(64) })
  .transform((given, context): NamedPolicy => {
    const { name, ...rest } = given
    const document = 'file' in rest ? readDocument(rest, context) : rest
    if (document === undefined) return z.NEVER
    const compiled = compilePolicy(document)
    if ('policy' in compiled) return { name, policy: compiled.policy }
    for (const { path, message } of compiled.mistakes)
      context.addIssue({ code: 'custom', path: stepsOf('file' in rest ? `file.${path}` : path), message })
    return z.NEVER
  })

function readDocument(given: Readonly<Record<string, unknown>>, context: z.RefinementCtx): unknown {
  const { file, ...others } = given
  const wrong = (message: string): undefined => void context.addIssue({ code: 'custom', path: ['file'], message })
  if (typeof file !== 'string' || Object.keys(others).length > 0)
    return wrong('expected the path of a JSON file, and nothing beside it but `name`')
  const read = readJson(file)
  return 'problem' in read ? wrong(read.problem) : read.value
}

/** What a JSON file holds; of two members of one name neither is guessed at. */
export function readJson(file: string): { readonly value: unknown } | { readonly problem: string } {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    return { problem: `\`${file}\` cannot be read (${(error as NodeJS.ErrnoException).code})` }
  }
  const parsed = parseStrict(text)
  return 'error' in parsed ? { problem: `\`${file}\` is no JSON: ${parsed.error}` } : parsed
}

/** `rules[2].condition` in steps. */
function stepsOf(path: string): (string | number)[] {
  return path
    .split(/[.[\]]+/)
    .filter((step) => step !== '')
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step))
}
