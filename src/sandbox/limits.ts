import type { FieldErrors } from '../kernel/error.ts'
import type { RunQuestion } from './inside/protocol.ts'
import type { SandboxOptions } from './options.ts'
import { type CodeToRun, type Language, languages } from './run.ts'

/** What is asked, as a child is asked it. */
export interface CheckedRun {
  readonly language: Language
  readonly question: Omit<RunQuestion, 'live'>
}

/** Reads what a caller asks for, and says everything that is wrong with it at once. Whoever embeds the house may hand over anything. */
export function checkAsked(asked: CodeToRun, options: SandboxOptions): CheckedRun | { readonly errors: FieldErrors } {
  const errors: Record<string, string[]> = {}
  const wrong = (field: string, message: string): void => void (errors[field] ??= []).push(message)

  const language = options.languages.find((one) => one === asked.language)
  if (language === undefined) wrong('language', languageMessage(asked.language, options))
  checkCode(asked.code, options.codeMax, (message) => wrong('code', message))
  const input = inputText(asked.input)
  if ('error' in input) wrong('input', input.error)
  else if (Buffer.byteLength(input.text) > options.inputMax)
    wrong('input', `must be at most ${options.inputMax} bytes as JSON`)
  const { limits, most } = options
  const [timeMost, memoryMost] = [most.time ?? limits.time, (most.memory ?? limits.memory) / 1024 ** 2]
  const timeMs = chosen('timeMs', limits.time, timeMsLeast, timeMost)
  const memoryMb = chosen('memoryMb', limits.memory / 1024 ** 2, memoryMbLeast, memoryMost)

  if (Object.keys(errors).length > 0 || language === undefined || 'error' in input) return { errors }
  const memoryBytes = Math.floor(memoryMb * 1024 ** 2)
  const [outputBytes, resultBytes] = [limits.output, limits.result]
  return { language, question: { code: asked.code, input: input.text, timeMs, memoryBytes, outputBytes, resultBytes } }

  function chosen(name: 'timeMs' | 'memoryMb', usual: number, least: number, greatest: number): number {
    const value: unknown = asked.limits?.[name]
    if (value === undefined) return usual
    if (!Number.isSafeInteger(value)) wrong(`limits.${name}`, 'must be a whole number')
    else if ((value as number) < least) wrong(`limits.${name}`, `must be at least ${least}`)
    else if ((value as number) > greatest) wrong(`limits.${name}`, `must be at most ${Math.floor(greatest)}`)
    return value as number
  }
}

function languageMessage(got: unknown, options: SandboxOptions): string {
  const known = languages.some((one) => one === got)
  const list = options.languages.map((one) => `\`${one}\``).join(' or ')
  return known ? `is not run here: must be ${list}` : `must be ${list}`
}

function checkCode(code: unknown, bytesMax: number, wrong: (message: string) => void): void {
  if (typeof code !== 'string') return wrong('must be text')
  if (code.trim() === '') return wrong('must not be empty')
  if (!code.isWellFormed()) return wrong('must be well-formed Unicode')
  if (Buffer.byteLength(code) > bytesMax) wrong(`must be at most ${bytesMax} bytes`)
}

function inputText(input: unknown): { readonly text: string } | { readonly error: string } {
  if (input === undefined) return { text: 'null' }
  let text: string | undefined
  try {
    text = JSON.stringify(input)
  } catch {
    return { error: 'must be a JSON value' } // it goes in a circle, goes too deep, or holds a BigInt
  }
  if (text === undefined) return { error: 'must be a JSON value' }
  return deepest(text) > depthMax ? { error: `must not be nested deeper than ${depthMax} levels` } : { text }
}

/** How deep a JSON text is nested. */
function deepest(text: string): number {
  let [depth, most, inString] = [0, 0, false]
  for (let at = 0; at < text.length; at++) {
    const unit = text[at]
    if (inString) {
      if (unit === '\\') at++
      else if (unit === '"') inString = false
    } else if (unit === '"') inString = true
    else if (unit === '[' || unit === '{') most = Math.max(most, ++depth)
    else if (unit === ']' || unit === '}') depth--
  }
  return most
}

const timeMsLeast = 10
const memoryMbLeast = 16
const depthMax = 500
