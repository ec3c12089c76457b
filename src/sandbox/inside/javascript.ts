// JavaScript in the child: an isolate of V8 for each run, thrown away after it. Texts alone cross its border.
import { childClock } from './clock.ts'
import type { Interpreter, StartInterpreter } from './interpreter.ts'
import { type Failure, failureOf, forbiddenImport, reaches, syntaxFailure } from './javascript-failure.ts'
import { type GuestResult, guestScript } from './javascript-guest.ts'
import { type Context, type Isolate, type IsolatedVm, loadIsolatedVm, type Reference } from './javascript-native.ts'
import type { ChildOutcome, RunQuestion } from './protocol.ts'

export const startJavaScript: StartInterpreter = async (task) => {
  const vm = loadIsolatedVm(task.interpreter)
  return { run: (question, print) => new Run(vm, question, print).outcome() } satisfies Interpreter
}

/** The name that the code goes by in its own errors. */
const fileName = '<code>'
/** What V8 itself takes in an isolate, beside what the code holds. */
const ownMb = 8
/** How long past its time a run may take to be ended by V8. */
const graceMs = 250

type Ending = { readonly json: string } | { readonly failure: Failure }

/** One run, from its first look at the code to what is said of it. */
class Run {
  readonly #vm: IsolatedVm
  readonly #question: RunQuestion
  readonly #print: (output: string) => void
  readonly #startedAt = childClock.monotonic()
  #isolate: Isolate | undefined
  #guest: Reference | undefined
  #output = ''
  #bytes = 0
  #cut = false
  #over = false
  #clean = true
  #memoryBytes = 0

  constructor(vm: IsolatedVm, question: RunQuestion, print: (output: string) => void) {
    this.#vm = vm
    this.#question = question
    this.#print = print
  }

  async outcome(): Promise<ChildOutcome> {
    const ending = await this.#ending()
    this.#drain()
    this.#over = true
    const cpuMs = this.#measure()
    const { code } = this.#question
    const failure = 'failure' in ending ? ending.failure : undefined
    const forbidden = failure?.code === 'import-forbidden' ? [{ what: 'forbidden-import', ...nameOf(failure) }] : []
    return {
      result: 'json' in ending ? ending.json : 'null',
      output: this.#output,
      outputCut: this.#cut,
      ...(failure !== undefined && { error: failure }),
      usage: { timeMs: this.#elapsedMs(), cpuMs, memoryBytes: this.#memoryBytes },
      findings: [...forbidden, ...reaches(code)],
      clean: this.#clean,
    }
  }

  /** Whatever the isolate does, one of these is first: what came of the code, the end of its time, or the end of its memory. */
  #ending(): Promise<Ending> {
    const { timeMs, memoryBytes } = this.#question
    return new Promise((resolve) => {
      const lost = (failure: Failure): void => {
        this.#clean = false
        resolve({ failure })
      }
      const overdue = setTimeout(() => lost(this.#late()), timeMs + graceMs)
      const isolate = new this.#vm.Isolate({
        memoryLimit: Math.max(8, Math.ceil(memoryBytes / 1024 ** 2) + ownMb),
        // V8 has not obeyed: the house ends the process.
        onCatastrophicError: () => lost(this.#elapsedMs() >= timeMs ? this.#late() : this.#outOfMemory()),
      })
      this.#isolate = isolate
      void this.#go(isolate)
        .catch((error: unknown): Ending => ({ failure: this.#failureOf(error) }))
        .then((ending) => {
          clearTimeout(overdue)
          resolve(ending)
        })
    })
  }

  async #go(isolate: Isolate): Promise<Ending> {
    const { code, input, outputBytes, resultBytes } = this.#question
    const context = isolate.createContextSync()
    const tell = new this.#vm.Callback((text: string) => this.#hear(text), { ignored: true })
    const begin = context.evalSync(guestScript(), { reference: true, filename: '<sandbox>' })
    this.#guest = begin.applySync(undefined, [tell, input, outputBytes, resultBytes], {
      timeout: this.#leftMs(),
      result: { reference: true },
    }) as Reference
    const last = await this.#evaluate(isolate, context, code)
    if ('failure' in last) return last
    const said = (await this.#guest.apply(undefined, ['result', last.value?.derefInto()], {
      timeout: this.#leftMs(),
      result: { promise: true, copy: true },
    })) as GuestResult
    if ('json' in said && Buffer.byteLength(said.json) <= resultBytes) return said
    if ('invalid' in said) return { failure: { code: 'result-invalid', message: `the result: ${said.invalid}` } }
    return {
      failure: { code: 'limit', limit: 'result', message: `the result is larger than ${resultBytes} bytes as JSON` },
    }
  }

  /** As a script, whose last expression counts; as a module where it waits at its top. */
  async #evaluate(
    isolate: Isolate,
    context: Context,
    code: string,
  ): Promise<{ readonly value: Reference | undefined } | { readonly failure: Failure }> {
    const timeout = () => ({ timeout: this.#leftMs(), reference: true }) as const
    let wrong: unknown
    try {
      const script = await isolate.compileScript(code, { filename: fileName })
      return { value: await script.run(context, timeout()) }
    } catch (error) {
      if (!isOfCompiler(error)) throw error
      wrong = error
    }
    try {
      const module = await isolate.compileModule(
        `${code}\n;globalThis.result = typeof result === 'undefined' ? undefined : result`,
        {
          filename: fileName,
        },
      )
      const [specifier] = module.dependencySpecifiers
      if (specifier !== undefined) return { failure: forbiddenImport(specifier, code) }
      await module.instantiate(context, (specifier) => {
        throw new Error(`\`${specifier}\` cannot be imported here: there are no modules`)
      })
      await module.evaluate({ ...timeout(), promise: true })
      return { value: undefined }
    } catch (error) {
      if (!isOfCompiler(error)) throw error
      return { failure: syntaxFailure(wrong, error) }
    }
  }

  #failureOf(error: unknown): Failure {
    if (this.#elapsedMs() >= this.#question.timeMs)
      return { ...this.#late(), ...lineOf(failureOf(error, this.#question.code)) }
    if (this.#isolate?.isDisposed === true) return this.#outOfMemory()
    const failure = failureOf(error, this.#question.code)
    return failure.limit === 'memory' ? this.#outOfMemory() : failure
  }

  #late(): Failure {
    return { code: 'limit', limit: 'time', message: `time limit of ${this.#question.timeMs} ms reached` }
  }

  #outOfMemory(): Failure {
    const memoryMb = Math.round(this.#question.memoryBytes / 1024 ** 2)
    return { code: 'limit', limit: 'memory', message: `memory limit of ${memoryMb} MB reached` }
  }

  /** What was printed and has not been told, where the isolate can still be asked. */
  #drain(): void {
    if (!this.#clean || this.#guest === undefined || this.#isolate?.isDisposed === true) return
    try {
      const rest = String(this.#guest.applySync(undefined, ['printed'], { timeout: graceMs }))
      this.#hear(rest.slice(1))
      this.#cut ||= rest.startsWith('-')
    } catch {
      this.#clean = false
    }
  }

  /** Is told nothing that is not text, and keeps no more than there is room for. */
  #hear(text: string): void {
    if (this.#over || this.#cut || text === '') return
    const room = this.#question.outputBytes - this.#bytes
    const whole = Buffer.byteLength(text) <= room
    const { read } = whole ? { read: text.length } : new TextEncoder().encodeInto(text, new Uint8Array(room))
    const kept = text.slice(0, read)
    this.#cut = !whole
    this.#bytes += Buffer.byteLength(kept)
    this.#output += kept
    if (kept !== '') this.#print(kept)
  }

  /** Milliseconds of processor time; and the isolate is gone. */
  #measure(): number {
    const isolate = this.#isolate
    if (!this.#clean || isolate === undefined || isolate.isDisposed) return 0
    try {
      const cpuMs = Number(isolate.cpuTime) / 1e6
      const { total_heap_size: heap, externally_allocated_size: outside } = isolate.getHeapStatisticsSync()
      this.#memoryBytes = heap + outside
      isolate.dispose()
      return cpuMs
    } catch {
      this.#clean = false
      return 0
    }
  }

  #elapsedMs(): number {
    return childClock.monotonic() - this.#startedAt
  }

  #leftMs(): number {
    return Math.max(1, Math.ceil(this.#question.timeMs - this.#elapsedMs()))
  }
}

/** Of the compiler, and not thrown by the code: V8 says where in front of everything else. */
function isOfCompiler(error: unknown): boolean {
  return error instanceof SyntaxError && /\[<code>:\d+:\d+\]$/.test(error.message)
}

function nameOf({ module = '', line }: Failure): { readonly name: string; readonly line?: number } {
  return { name: module.slice(0, 64), ...(line !== undefined && { line }) }
}

function lineOf({ line, trace }: Failure): Pick<Failure, 'line' | 'trace'> {
  return { ...(line !== undefined && { line }), ...(trace !== undefined && { trace }) }
}
