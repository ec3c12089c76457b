// The thread that Python runs in. It holds nothing but the interpreter; whoever started it keeps the time.
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { parentPort, workerData } from 'node:worker_threads'
import { childClock } from './clock.ts'
import type { ChildTask } from './protocol.ts'
import { Ended, WalledUp } from './python-gates.ts'
import { imageOf, type PythonImage } from './python-image.ts'
import { startMachine } from './python-machine.ts'
import { compile, makeImage, originOf } from './python-maker.ts'
import { printerInto } from './python-output.ts'
import { wasm } from './web-assembly.ts'

/** What the thread is told to begin with. */
export interface PythonThreadStart {
  readonly task: ChildTask
  /** A signal for Python in its first number. */
  readonly signals: SharedArrayBuffer
}

/** A run, as the thread is told of it. */
export interface PythonThreadRun {
  readonly code: string
  readonly input: string
  readonly memoryBytes: number
  readonly resultBytes: number
  readonly room: SharedArrayBuffer
}

/** What the thread says of a run. */
export interface PythonThreadDone {
  /** What the trusted function said: a head, and the result as JSON; `undefined` where it could not say anything. */
  readonly said?: string
  /** Why the machine broke down. */
  readonly broke?: 'walled-up' | 'ended' | 'stack' | 'trap'
  readonly why?: string
  readonly timeMs: number
  readonly cpuMs: number
  readonly memoryBytes: number
  readonly found: readonly string[]
  readonly clean: boolean
}

const sleepMsMax = 50
/** What stands in an answer beside the result. */
const headBytesMax = 256 * 1024
const port = parentPort
if (port === null) throw new Error('expected to be started as a thread')
const { task, signals: signalBuffer } = workerData as PythonThreadStart
const signals = new Int32Array(signalBuffer)
const module = compile(task)
const image = storedImage() ?? (await makeImage(module, task, childClock))
let machine = startMachine(module, image, childClock)
// Python has no way to anything of JavaScript. Should it ever find one, it finds no more than this.
for (const name of [
  'fetch',
  'WebSocket',
  'EventSource',
  'XMLHttpRequest',
  'navigator',
  'process',
  'Worker',
  'MessageChannel',
  'BroadcastChannel',
])
  Reflect.deleteProperty(globalThis, name)

port.on('message', (asked: PythonThreadRun) => port.postMessage(run(asked)))
port.postMessage('ready')

function storedImage(): PythonImage | undefined {
  if (task.snapshot === undefined) return undefined
  let bytes: Uint8Array
  try {
    bytes = readFileSync(task.snapshot)
  } catch {
    return undefined
  }
  return imageOf(bytes, originOf(task))
}

function run({ code, input, memoryBytes, resultBytes, room }: PythonThreadRun): PythonThreadDone {
  if (!machine.fits(memoryBytes)) machine = startMachine(module, image, childClock)
  const question = new TextEncoder().encode(JSON.stringify({ code, input, resultBytes }))
  const started = childClock.monotonic()
  const cpuBefore = process.threadCpuUsage()
  let answer: Uint8Array | undefined
  let broken: unknown
  try {
    answer = machine.call(question, {
      memoryBytes,
      answerBytes: resultBytes + headBytesMax,
      print: printerInto(room),
      signal: () => Atomics.exchange(signals, 0, 0),
      sleep: (ms) => {
        if (ms > 0) Atomics.wait(signals, 0, 0, Math.min(ms, sleepMsMax))
      },
    })
  } catch (error) {
    broken = error
  }
  const cpu = process.threadCpuUsage(cpuBefore)
  const done = {
    timeMs: childClock.monotonic() - started,
    cpuMs: (cpu.user + cpu.system) / 1000,
    memoryBytes: machine.peakBytes(),
    found: [...machine.found],
  }
  if (broken !== undefined) return { ...done, ...breakdown(broken), clean: false }
  const clean = machine.reset()
  return { ...done, ...(answer !== undefined && { said: new TextDecoder().decode(answer) }), clean }
}

function breakdown(error: unknown): { broke: NonNullable<PythonThreadDone['broke']>; why?: string } {
  if (error instanceof WalledUp) return { broke: 'walled-up', why: error.message }
  if (error instanceof Ended) return { broke: 'ended' }
  // The only `RangeError` of JavaScript that names the stack; those of memory come from reading past its end.
  if (error instanceof RangeError && /call stack/.test(error.message)) return { broke: 'stack' }
  return { broke: 'trap', ...(error instanceof wasm.RuntimeError && { why: error.message }) }
}
