// Python in the child: a thread runs it, and this one, which has nothing else to do, keeps its time.
import process from 'node:process'
import { Worker } from 'node:worker_threads'
import { childClock } from './clock.ts'
import type { Interpreter, StartInterpreter } from './interpreter.ts'
import type { ChildOutcome, RunQuestion } from './protocol.ts'
import { outputRoom, Printed } from './python-output.ts'
import type { PythonThreadDone, PythonThreadRun, PythonThreadStart } from './python-thread.ts'

/** How long code has to come to its end once it is told that its time is over. */
const graceMs = 200
/** How often what was printed is told while the run goes on. */
const hearMs = 50
/** `SIGINT`: the one signal that Python is given, and takes for the end of its time. */
const interrupt = 2
/** Calls of Python that go through C, and what parses code, need the stack of the machine. */
const stackSizeMb = 32
const heapMb = 160

interface Failure {
  readonly code: string
  readonly message: string
  readonly [more: string]: unknown
}

/** What is known of a run: what the thread says of it, or that it had to be ended. */
type Ending = PythonThreadDone | 'overdue' | 'lost'

export const startPython: StartInterpreter = async (task) => {
  const signals = new SharedArrayBuffer(4)
  const thread = new Worker(
    new URL(import.meta.url.endsWith('.ts') ? './python-thread.ts' : './python-thread.js', import.meta.url),
    {
      workerData: { task, signals } satisfies PythonThreadStart,
      resourceLimits: { maxOldGenerationSizeMb: heapMb, stackSizeMb },
      env: {},
    },
  )
  // An error is followed by the end of the thread, which whoever waits hears of.
  let why = 'the thread of the interpreter ended'
  thread.on('error', (error: unknown) => {
    why = error instanceof Error ? error.message : String(error)
  })
  let lost = false
  thread.on('exit', () => {
    lost = true
  })
  await new Promise<void>((resolve, reject) => {
    thread.once('message', () => resolve())
    thread.once('exit', () => reject(new Error(`expected Python to start, but: ${why}`)))
  })
  thread.removeAllListeners('message')
  return pythonOf(thread, new Int32Array(signals), () => lost)
}

function pythonOf(thread: Worker, signals: Int32Array, lost: () => boolean): Interpreter {
  return {
    run: async (question, print) => {
      const room = outputRoom(question.outputBytes)
      const printed = new Printed(room)
      const cpuBefore = process.cpuUsage()
      const started = childClock.monotonic()
      let timedOut = false
      const { code, input, memoryBytes, resultBytes } = question
      const hearing = question.live ? setInterval(() => tell(printed.more()), hearMs) : undefined
      const ending = await new Promise<Ending>((resolve) => {
        if (lost()) return resolve('lost')
        Atomics.store(signals, 0, 0)
        let overdue: NodeJS.Timeout | undefined
        const deadline = setTimeout(() => {
          timedOut = true
          Atomics.store(signals, 0, interrupt)
          // Wakes it where it sleeps.
          Atomics.notify(signals, 0)
          overdue = setTimeout(() => thread.terminate(), graceMs)
        }, question.timeMs)
        const ended = (ending: Ending) => {
          clearTimeout(deadline)
          clearTimeout(overdue)
          thread.removeListener('message', answered)
          thread.removeListener('exit', gone)
          resolve(ending)
        }
        const answered = (done: PythonThreadDone) => ended(done)
        const gone = () => ended(timedOut ? 'overdue' : 'lost')
        thread.once('message', answered)
        thread.once('exit', gone)
        thread.postMessage({ code, input, memoryBytes, resultBytes, room } satisfies PythonThreadRun)
      })
      clearInterval(hearing)
      tell(printed.more(true))
      const outcome = outcomeOf(ending, question, timedOut)
      const output = { output: printed.text, outputCut: printed.cut }
      if (typeof ending !== 'string') return { ...outcome, ...output }
      const cpu = process.cpuUsage(cpuBefore)
      const timeMs = childClock.monotonic() - started
      return { ...outcome, ...output, usage: { timeMs, cpuMs: (cpu.user + cpu.system) / 1000, memoryBytes: 0 } }

      function tell(output: string): void {
        if (output !== '') print(output)
      }
    },
  }
}

function outcomeOf(ending: Ending, question: RunQuestion, timedOut: boolean): ChildOutcome {
  const nothing = {
    result: 'null',
    output: '',
    outputCut: false,
    usage: { timeMs: 0, cpuMs: 0, memoryBytes: 0 },
    findings: [],
    clean: false,
  }
  if (ending === 'overdue') return { ...nothing, error: timeLimit(question) }
  if (ending === 'lost') return { ...nothing, error: crashed('its interpreter was lost') }
  const { said, broke, why, found, clean, timeMs, cpuMs, memoryBytes } = ending
  const usage = { timeMs, cpuMs, memoryBytes }
  const doors = found.map((name) => ({ what: 'escape-attempt', name }))
  if (broke === 'stack')
    return {
      ...nothing,
      usage,
      findings: doors,
      error: { code: 'limit', message: 'calls are nested too deeply', limit: 'stack' },
    }
  if (broke !== undefined)
    return { ...nothing, usage, findings: doors, error: crashed(why ?? 'its interpreter broke down') }
  const { result, error, findings } = read(said, question, timedOut)
  return {
    ...nothing,
    clean,
    usage,
    result,
    findings: [...findings, ...doors.filter(({ name }) => !findings.some((told) => nameOf(told) === name))],
    ...(error !== undefined && { error }),
  }
}

/** What the trusted function said: code that found its way to it may have changed that, and harmed itself alone. */
function read(
  said: string | undefined,
  question: RunQuestion,
  timedOut: boolean,
): { readonly result: string; readonly error?: Failure; readonly findings: readonly unknown[] } {
  const none = { result: 'null', findings: [] }
  if (said === undefined)
    return { ...none, error: timedOut ? timeLimit(question) : crashed('its interpreter gave no answer') }
  const end = said.indexOf('\n')
  const head = headOf(said.slice(0, end))
  if (head === undefined) return { ...none, error: crashed('its interpreter gave an answer that cannot be read') }
  const { error, findings } = head
  if (error?.['limit'] === 'time') return { ...none, findings, error: timeLimit(question, error['line']) }
  if (error !== undefined) return { ...none, findings, error: limited(error, question) }
  const result = said.slice(end + 1)
  const bytes = Buffer.byteLength(result)
  if (bytes > question.resultBytes)
    return {
      ...none,
      findings,
      error: {
        code: 'limit',
        message: `the result is larger than ${question.resultBytes} bytes: it has ${bytes}`,
        limit: 'result',
      },
    }
  if (!isJson(result)) return { ...none, findings, error: crashed('its interpreter gave a result that cannot be read') }
  return { result, findings }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function headOf(line: string): { readonly error?: Failure; readonly findings: readonly unknown[] } | undefined {
  let head: { error?: Failure | null; findings?: unknown } | null
  try {
    head = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof head !== 'object' || head === null || !Array.isArray(head.findings)) return undefined
  return { findings: head.findings, ...(head.error && { error: head.error }) }
}

function limited(error: Failure, { memoryBytes }: RunQuestion): Failure {
  if (error['limit'] !== 'memory') return error
  return { ...error, message: `memory limit of ${Math.round(memoryBytes / 1024 ** 2)} MB reached${at(error['line'])}` }
}

function timeLimit({ timeMs }: RunQuestion, line?: unknown): Failure {
  return {
    code: 'limit',
    message: `time limit of ${timeMs} ms reached${at(line)}`,
    limit: 'time',
    ...(typeof line === 'number' && { line }),
  }
}

function at(line: unknown): string {
  return typeof line === 'number' ? `, at line ${line}` : ''
}

function crashed(why: string): Failure {
  return { code: 'crashed', message: why }
}

function nameOf(finding: unknown): unknown {
  return (finding as { name?: unknown } | null)?.name
}
