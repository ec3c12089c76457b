import type { ChildClock } from './clock.ts'
import { gatesTo } from './python-gates.ts'
import { type PythonImage, pageBytes } from './python-image.ts'
import {
  exported,
  type WasmFunction,
  type WasmImports,
  type WasmInstance,
  type WasmMemory,
  type WasmModule,
  type WasmTable,
  wasm,
} from './web-assembly.ts'

/** What a run may have of its machine, and what it is given. */
export interface RunOfMachine {
  readonly memoryBytes: number
  /** The largest answer that is read: what says more is not the trusted function. */
  readonly answerBytes: number
  print(bytes: Uint8Array): void
  /** A signal for Python, or 0. */
  signal(): number
  sleep(ms: number): void
}

/** Python in a module of its own, started from an image, with gates of ours instead of JavaScript. */
export interface PythonMachine {
  /** What the trusted function answers; `undefined` where an exception came out of it. Throws where the machine broke down. */
  call(question: Uint8Array, run: RunOfMachine): Uint8Array | undefined
  /** Whether its memory is no larger than such a limit allows: what an earlier run made of it is there without being asked for. */
  fits(memoryBytes: number): boolean
  /** The most memory that code and data held since the last reset. */
  peakBytes(): number
  /** Doors that were tried since the last reset. */
  readonly found: readonly string[]
  /** Makes it what the image says; `false` where that cannot be said of all of it. */
  reset(): boolean
  /** Its memory as it stands, for another image. */
  memory(): Uint8Array
  readonly instance: WasmInstance
}

/** What Python may have beyond its limit to say that it reached it. */
const reserveBytes = 8 * 1024 ** 2
/** A memory never shrinks: one that grew by more than this is given up rather than wiped. */
const keptGrowthBytes = 64 * 1024 ** 2
/** V8 pays for each growth by all that there is already: page by page, code makes it pay for minutes. */
const growthBytes = 2 * 1024 ** 2
const foundMax = 16

/** A run for when there is none: while an image is made. */
export const noRun: RunOfMachine = {
  memoryBytes: 256 * 1024 ** 2,
  answerBytes: 0,
  print: () => {},
  signal: () => 0,
  sleep: () => {},
}

/**
 * Makes a machine of an image.
 *
 * @param between what it has while there is no run
 */
export function startMachine(
  module: WasmModule,
  image: PythonImage,
  clock: ChildClock,
  between = noRun,
): PythonMachine {
  let run = between
  let reserve = 0
  /** How large its memory was when the run began: an earlier one may have made it grow. */
  let bytesBefore = 0
  const found: string[] = []
  const gates = gatesTo({
    clock,
    memory: () => memory.buffer,
    grow: (bytes) => {
      const has = memory.buffer.byteLength
      const most = image.heapEnd + run.memoryBytes + reserve
      if (bytes <= has) return true
      if (bytes > most) return false
      const wanted = Math.min(most, Math.max(bytes, has + growthBytes))
      try {
        memory.grow(Math.ceil((wanted - has) / pageBytes))
        return true
      } catch {
        return false
      }
    },
    giveReserve: () => {
      reserve = reserveBytes
    },
    print: (bytes) => run.print(bytes),
    signal: () => run.signal(),
    sleep: (ms) => run.sleep(ms),
    found: (name) => {
      if (found.length < foundMax && !found.includes(name)) found.push(name)
    },
    callByNumber: (number, args) => (table.get(number) as WasmFunction)(...args),
  })

  const instance = new wasm.Instance(module, importsOf(module, image, gates))
  const memory = instance.exports['memory'] as WasmMemory
  const table = instance.exports['__indirect_function_table'] as WasmTable
  const stackPointer = instance.exports['__stack_pointer'] as { value: number }
  const numbersOfModule = table.length
  fillTable()
  const numbers = table.length
  exported(instance, 'emscripten_stack_init')()
  if (memory.buffer.byteLength < image.pages * pageBytes)
    memory.grow(image.pages - memory.buffer.byteLength / pageBytes)
  restore()

  const malloc = exported(instance, 'malloc')
  const free = exported(instance, 'free')
  const breakOf = exported(instance, 'sbrk')
  const bytesOf = exported(instance, 'PyBytes_FromStringAndSize')
  const startOf = exported(instance, 'PyBytes_AsString')
  const sizeOf = exported(instance, 'PyBytes_Size')
  const callWith = exported(instance, 'PyObject_CallOneArg')

  return {
    instance,
    found,
    call: (question, given) => {
      run = given
      bytesBefore = memory.buffer.byteLength
      const at = malloc(question.length) >>> 0
      if (at === 0) return undefined
      new Uint8Array(memory.buffer).set(question, at)
      const argument = bytesOf(at, question.length)
      free(at)
      if (argument === 0) return undefined
      const answer = callWith(image.runner, argument)
      if (answer === 0) return undefined
      const [start, size] = [startOf(answer) >>> 0, sizeOf(answer)]
      if (start === 0 || size < 0 || size > given.answerBytes) return undefined
      return new Uint8Array(memory.buffer).slice(start, start + size)
    },
    fits: (memoryBytes) => memory.buffer.byteLength <= Math.max(image.pages * pageBytes, image.heapEnd + memoryBytes),
    peakBytes: () => {
      const ends = memory.buffer.byteLength > bytesBefore ? memory.buffer.byteLength : breakOf(0) >>> 0
      return Math.max(0, ends - image.heapEnd)
    },
    reset: () => {
      run = between
      reserve = 0
      found.length = 0
      if (memory.buffer.byteLength - image.pages * pageBytes > keptGrowthBytes) return false
      restore()
      return table.length === numbers
    },
    memory: () => new Uint8Array(memory.buffer),
  }

  function restore(): void {
    const bytes = new Uint8Array(memory.buffer)
    bytes.set(image.memory)
    bytes.fill(0, image.memory.length)
    stackPointer.value = image.stackPointer
  }

  function fillTable(): void {
    const last = Math.max(image.trampoline.number, ...image.table.map(([number]) => number))
    table.grow(last + 1 - numbersOfModule)
    for (const [number, name] of image.table) table.set(number, exported(instance, name))
    const trampoline = new wasm.Instance(new wasm.Module(image.trampoline.module), {
      env: { __indirect_function_table: table, memory },
    })
    table.set(image.trampoline.number, exported(trampoline, 'trampoline_call'))
  }
}

function importsOf(module: WasmModule, image: PythonImage, gates: (name: string) => unknown): WasmImports {
  const imports: Record<string, Record<string, unknown>> = {}
  for (const { module: space, name, kind } of wasm.Module.imports(module)) {
    const names = (imports[space] ??= {})
    if (kind === 'function') names[name] = gates(name)
    else if (kind === 'global')
      names[name] = new wasm.Global({ value: 'i32', mutable: true }, image.functionNumbers[name] ?? 0)
    else throw new Error(`expected the interpreter to import functions and numbers, not a ${kind}`)
  }
  return imports
}
