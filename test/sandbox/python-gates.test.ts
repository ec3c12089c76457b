// Code that has broken Python itself may call what Python imports with whatever it likes. The gates answer it, or end the run; nothing else.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Ended, type GateKeeper, gatesTo, WalledUp } from '../../src/sandbox/inside/python-gates.ts'
import { wasm } from '../../src/sandbox/inside/web-assembly.ts'

const binary = new URL('pyodide.asm.wasm', import.meta.resolve('pyodide/package.json'))
const imports = wasm.Module.imports(new wasm.Module(readFileSync(fileURLToPath(binary)))).filter(
  ({ kind }) => kind === 'function',
)
const bytes = 256 * 1024

/** Pointers and lengths as nobody honest has them; numbers of files that are doors; and numbers of 64 bits. */
const hostile = [0, 1, 2, 8, 77, 1000, 1001, -1, -8, bytes - 1, bytes, bytes + 1, 2 ** 31 - 1, -(2 ** 31)] as const

interface Answered {
  readonly memory: ArrayBuffer
  /** What went through, beside answers. */
  readonly printed: Uint8Array[]
  readonly slept: number[]
  readonly grown: number[]
}

function keeperOf({ memory, printed, slept, grown }: Answered): GateKeeper {
  return {
    clock: { now: () => 1_700_000_000_000, monotonic: () => 5 },
    memory: () => memory,
    grow: (size) => {
      grown.push(size)
      return false
    },
    giveReserve: () => {},
    print: (text) => void printed.push(text),
    signal: () => 0,
    sleep: (ms) => void slept.push(ms),
    found: () => {},
    callByNumber: () => 0,
  }
}

/** Numbers that follow from one another, so that what fails fails again. */
function* numbersFrom(seed: number): Generator<number> {
  for (let at = seed; ; at = (Math.imul(at, 1_664_525) + 1_013_904_223) >>> 0) yield at >>> 8
}

test('CT6: whatever Python’s imports are called with, they answer with a number or end the run', () => {
  const numbers = numbersFrom(7)
  const next = (below: number) => (numbers.next().value as number) % below
  assert.ok(imports.length > 200)
  for (const { name } of imports)
    for (let turn = 0; turn < 60; turn++) {
      const answered: Answered = { memory: new ArrayBuffer(bytes), printed: [], slept: [], grown: [] }
      // Every word of its memory is a pointer or a length, and most of them lead nowhere.
      const words = new Int32Array(answered.memory)
      for (let at = 0; at < words.length; at += 1 + next(64)) words[at] = hostile[next(hostile.length)] as number
      const args = Array.from({ length: next(7) }, () => hostile[next(hostile.length)] as number)
      // The clocks and the calendar are told times in 64 bits, first or second.
      if (/^(_gmtime|_localtime)_js$/.test(name)) args[0] = BigInt(args[0] ?? 0) as unknown as number
      if (name === 'clock_time_get') args[1] = 1n as unknown as number
      const called = `${name}(${args.join(', ')})`
      try {
        const answer = gatesTo(keeperOf(answered))(name)(...args)
        assert.ok(answer === undefined || typeof answer === 'number' || typeof answer === 'bigint', called)
      } catch (error) {
        assert.ok(
          error instanceof WalledUp || error instanceof Ended || error instanceof RangeError,
          `${called}: ${error}`,
        )
      }
      for (const text of answered.printed) assert.equal(text.buffer, answered.memory, called)
      for (const size of answered.grown) assert.ok(size >= 0 && size < 2 ** 32, called)
    }
})

test('CT6: what Python’s imports are not known to need leads nowhere', () => {
  const answered: Answered = { memory: new ArrayBuffer(bytes), printed: [], slept: [], grown: [] }
  const gates = gatesTo(keeperOf(answered))
  for (const name of [
    '_emscripten_system',
    'Jsv_constructorName',
    'raw_call_js',
    'ffi_call_js',
    '_dlopen_js',
    'toString',
  ])
    assert.throws(() => gates(name)(), WalledUp, name)
  for (const name of ['__syscall_socket', '__syscall_unlinkat', '__syscall_sendto', 'fd_pread'])
    assert.ok(Number(gates(name)()) !== 0, name)
})
