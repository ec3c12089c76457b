import { z } from 'zod'
import { parseStrict } from '../../kernel/json.ts'
import type { RunError, RunFinding, RunOutcome } from '../run.ts'

/** What a line of a child comes to, once it has been read as a stranger’s. */
export type HeardLine =
  | { readonly is: 'ready' }
  | { readonly is: 'output'; readonly output: string }
  | { readonly is: 'done'; readonly done: HeardOutcome }
  /** Nothing that an honest child says. */
  | { readonly is: 'odd'; readonly why: string }

/** An outcome as a child tells it: of the right shape, and nothing else is known of it. */
export type HeardOutcome = z.output<typeof outcome>

export function hearLine(text: string): HeardLine {
  const parsed = parseStrict(text, { depthMax: 16 })
  if ('error' in parsed) return { is: 'odd', why: short(`expected a line of JSON: ${parsed.error}`, whyMax) }
  const line = lines.safeParse(parsed.value)
  if (!line.success) {
    const [issue] = line.error.issues
    // What it says goes into the log, as far as the complaint quotes it.
    const why = `expected a line of the protocol: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`
    return { is: 'odd', why: short(why, whyMax) }
  }
  if ('ready' in line.data) return { is: 'ready' }
  return 'output' in line.data ? { is: 'output', output: line.data.output } : { is: 'done', done: line.data.done }
}

/** What the house holds a child to, when it tells of a run. */
export interface AnswerBounds {
  readonly outputBytes: number
  readonly resultBytes: number
  /** How long it took by the house’s own clock. */
  readonly tookMs: number
}

/** What is told to whoever asked for the run, and whether the child may go on. */
export interface ReadAnswer {
  readonly outcome: RunOutcome
  readonly fit: boolean
}

/** Makes an outcome of what a child says: every text is cut, every number bounded, and its result is read as JSON of a stranger. */
export function readAnswer(done: HeardOutcome, { outputBytes, resultBytes, tookMs }: AnswerBounds): ReadAnswer {
  const findings = done.findings.slice(0, findingsMax).map(readFinding)
  const { text: output, cut } = cutUtf8(done.output.toWellFormed(), outputBytes)
  const read = done.error === undefined ? readResult(done.result, resultBytes) : { error: readError(done.error) }
  const outcome: RunOutcome = {
    result: 'error' in read ? null : read.value,
    output,
    outputCut: done.outputCut || cut,
    ...('error' in read && { error: read.error }),
    usage: {
      timeMs: Math.round(Math.min(done.usage.timeMs, tookMs)),
      cpuMs: Math.round(done.usage.cpuMs),
      memoryBytes: Math.round(done.usage.memoryBytes),
    },
    findings,
  }
  // What holds a result that it should have refused itself is not as it was made.
  const honest = done.error !== undefined || !('error' in read)
  return { outcome, fit: done.clean && honest && findings.every(({ what }) => what !== 'escape-attempt') }
}

/** As much of a text as fits, in whole characters. */
export function cutUtf8(text: string, bytesMax: number): { readonly text: string; readonly cut: boolean } {
  if (text.length * 3 <= bytesMax || Buffer.byteLength(text) <= bytesMax) return { text, cut: false }
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytesMax))
  return { text: text.slice(0, read), cut: true }
}

function readResult(text: string, bytesMax: number): { readonly value: unknown } | { readonly error: RunError } {
  if (Buffer.byteLength(text) > bytesMax)
    return {
      error: { code: 'limit', limit: 'result', message: `the result is larger than ${bytesMax} bytes as JSON` },
    }
  const parsed = parseStrict(text, { depthMax: resultDepthMax })
  if ('value' in parsed) return parsed
  return { error: { code: 'result-invalid', message: `the result cannot be said in JSON: ${parsed.error}` } }
}

function readError(error: z.output<typeof runError>): RunError {
  const { code, message, type, line, trace, limit, module } = error
  return {
    code,
    message: short(message, messageMax),
    ...(type !== undefined && { type: short(type, nameMax) }),
    ...(line !== undefined && { line }),
    ...(trace !== undefined && {
      trace: trace.slice(0, traceMax).map((frame) => ({ line: frame.line, in: short(frame.in, nameMax) })),
    }),
    ...(limit !== undefined && { limit }),
    ...(module !== undefined && { module: short(module, nameMax) }),
  }
}

function readFinding({ what, name, line }: z.output<typeof finding>): RunFinding {
  return { what, name: short(name, 64), ...(line !== undefined && { line }) }
}

function short(text: string, bytesMax: number): string {
  return cutUtf8(text.toWellFormed(), bytesMax).text
}

const findingsMax = 32
const traceMax = 64
const messageMax = 2048
const nameMax = 128
const whyMax = 256
/** Deeper than any honest result; not so deep that whoever writes it out again runs out of stack. */
const resultDepthMax = 512

const lineNumber = z.int().min(1).max(10_000_000)
const milliseconds = z.number().min(0).max(1e9)

// Unknown members are dropped rather than refused where they can do no harm: strict only where a child speaks to the house itself.
const runError = z
  .object({
    code: z.enum(['syntax', 'import-forbidden', 'exception', 'result-invalid', 'limit', 'crashed']),
    message: z.string(),
    type: z.string().optional(),
    line: lineNumber.optional(),
    trace: z.array(z.object({ line: lineNumber, in: z.string() })).optional(),
    limit: z.enum(['time', 'memory', 'output', 'result', 'stack']).optional(),
    module: z.string().optional(),
  })
  .refine(
    ({ code, limit }) => (code === 'limit') === (limit !== undefined),
    'expected a limit with `limit`, and only there',
  )

const finding = z.object({
  what: z.enum(['forbidden-import', 'escape-attempt']),
  name: z.string(),
  line: lineNumber.optional(),
})

const outcome = z.strictObject({
  result: z.string(),
  output: z.string(),
  outputCut: z.boolean(),
  error: runError.optional(),
  usage: z.object({
    timeMs: milliseconds,
    cpuMs: milliseconds,
    memoryBytes: z
      .number()
      .min(0)
      .max(2 ** 53),
  }),
  findings: z.array(finding),
  clean: z.boolean(),
})

const lines = z.union([
  z.strictObject({ ready: z.literal(true) }),
  z.strictObject({ output: z.string() }),
  z.strictObject({ done: outcome }),
])
