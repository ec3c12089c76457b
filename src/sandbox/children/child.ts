import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import type { ChildTask, RunQuestion } from '../inside/protocol.ts'
import type { Language, RunError, RunOutcome } from '../run.ts'
import type { WalledCommand } from '../walls/wall.ts'
import { cutUtf8, type HeardOutcome, hearLine, readAnswer } from './answer.ts'
import { childStdio } from './descriptors.ts'
import { BoundedLines } from './lines.ts'
import { processTree, residentBytes } from './memory.ts'

/** How a child is started, and what it is told first. */
export interface ChildRecipe extends WalledCommand {
  readonly task: ChildTask
}

export interface ChildPremises {
  readonly clock: Clock
  readonly log: Log
  /** How long it may take to start. */
  readonly startMs?: number
}

/** What came of a run in a child. `left` and `draining`: the house itself ended it; `unbegun`: the child was gone before. */
export type RunEnd = { readonly outcome: RunOutcome } | { readonly ended: 'left' | 'draining' | 'unbegun' }

/** Why a child was ended. */
export type EndReason =
  | { readonly is: 'time' | 'memory' | 'left' | 'draining' | 'unneeded' }
  /** It said what no honest child says, or nothing where it should have. */
  | { readonly is: 'odd'; readonly why: string }
  /** It ended by itself, or somebody else ended it. */
  | { readonly is: 'exited'; readonly why: string }

/** A process behind walls that runs code of one language. What it says is a stranger’s word; whatever it does, each run has its end. */
export class Child {
  readonly language: Language
  /** Resolves once it waits for its first run, or with the reason why it never will. */
  readonly started: Promise<string | undefined>
  /** Resolves once nothing is left of it. */
  readonly gone: Promise<void>
  readonly #process: ChildProcess | undefined
  readonly #premises: ChildPremises
  readonly #lines = new BoundedLines()
  #state: 'starting' | 'idle' | 'running' | 'ended' = 'starting'
  #startTimer: NodeJS.Timeout | undefined
  readonly #toldStart = Promise.withResolvers<string | undefined>()
  readonly #toldGone = Promise.withResolvers<void>()
  #hasExited = false
  #run: Running | undefined
  /** Until it has started: later on, it may hold what the code prints, which belongs into no log. */
  #stderr = ''
  #stderrBytes = 0
  #pids: readonly number[] = []
  #baseBytes = 0

  constructor(recipe: ChildRecipe, premises: ChildPremises) {
    this.language = recipe.task.language
    this.#premises = premises
    this.started = this.#toldStart.promise
    this.gone = this.#toldGone.promise
    this.#process = this.#spawn(recipe)
    if (this.#process === undefined) return
    this.#lines.allow({ lineBytes: 256, allBytes: 256 })
    this.#say(recipe.task)
    const startMs = premises.startMs ?? 15_000
    this.#startTimer = setTimeout(() => this.#odd(`it has not started within ${startMs} ms`), startMs).unref()
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  get isIdle(): boolean {
    return this.#state === 'idle'
  }

  /** One run at a time, of a child that has started. Never throws, and never hangs. */
  async run(question: RunQuestion, hear?: (output: string) => void): Promise<RunEnd> {
    if (this.#state !== 'idle') return { ended: 'unbegun' }
    const { clock } = this.#premises
    const run: Running = {
      question,
      hear,
      beganAt: clock.monotonic(),
      told: Promise.withResolvers(),
      output: '',
      outputLeft: question.outputBytes,
      outputCut: false,
      peakBytes: 0,
    }
    this.#run = run
    this.#state = 'running'
    const lineBytes = (question.resultBytes + question.outputBytes) * 6 + lineSlack
    this.#lines.allow({ lineBytes, allBytes: lineBytes + question.outputBytes * 24 })
    this.#say(question)
    // The child ends what is late by itself. This is for the one that does not.
    const watchdog = setTimeout(() => this.end({ is: 'time' }), question.timeMs + lateMs)
    const watch = setInterval(() => void this.#weigh(run), weighMs)
    try {
      return await run.told.promise
    } finally {
      clearTimeout(watchdog)
      clearInterval(watch)
    }
  }

  /** Ends it at once, and whatever runs in it. */
  end(reason: EndReason): Promise<void> {
    if (this.#state === 'ended') return this.gone
    const was = this.#state
    this.#state = 'ended'
    clearTimeout(this.#startTimer)
    this.#lines.forbid()
    this.#kill()
    if ('why' in reason)
      this.#premises.log.warn(
        {
          pid: this.pid,
          language: this.language,
          why: reason.why,
          ...(was === 'starting' && { stderr: this.#stderr }),
        },
        'a child of the sandbox was ended',
      )
    const run = this.#run
    this.#run = undefined
    run?.told.resolve(endOf(reason, run, this.#premises.clock.monotonic() - run.beganAt))
    this.#toldStart.resolve('why' in reason ? this.#startFailure(reason.why) : 'it was ended before it had started')
    return this.gone
  }

  #spawn({ command, args, feeds }: ChildRecipe): ChildProcess | undefined {
    let child: ChildProcess
    try {
      child = spawn(command, args, {
        env: {},
        cwd: '/',
        detached: true,
        windowsHide: true,
        stdio: childStdio(feeds.length),
      })
    } catch (error) {
      this.#hasExited = true
      this.#exited((error as Error).message)
      return undefined
    }
    child.once('error', (error) => {
      if (child.pid === undefined) this.#exited(error.message)
    })
    child.once('exit', (code, signal) => {
      // What it may have started beside the walls stands in its group, whose number nobody else has had time to be given.
      this.#kill()
      this.#hasExited = true
      this.#exited(signal === null ? `it ended with ${code}` : `it was ended by ${signal}`)
      setTimeout(() => this.#toldGone.resolve(), goneMs).unref()
    })
    child.once('close', () => this.#toldGone.resolve())
    child.stdout?.on('data', (chunk: Buffer) => {
      if (this.#state === 'ended') return
      if (!this.#lines.read(chunk, (line) => this.#heard(line))) this.#odd('it said more than it may')
    })
    child.stdout?.once('end', () => {
      // Whoever closes its mouth can tell nothing any more. One that has ended says so itself, a moment later.
      setTimeout(() => this.#odd('it closed its output'), closedMs).unref()
    })
    child.stderr?.on('data', (chunk: Buffer) => this.#heardBeside(chunk))
    for (const pipe of pipesOf(child)) pipe.on('error', ignore) // its end tells of itself
    for (const [at, feed] of feeds.entries()) (child.stdio[3 + at] as Socket | undefined)?.end(feed)
    // A child that waits keeps nobody's process alive; each run has a timer of its own, which does.
    child.unref()
    for (const pipe of pipesOf(child)) pipe.unref()
    return child
  }

  #exited(why: string): void {
    void this.end({ is: 'exited', why })
    if (this.#process?.pid === undefined) this.#toldGone.resolve() // there never was one
  }

  #heard(text: string): boolean {
    const line = hearLine(text)
    const run = this.#run
    if (line.is === 'ready' && this.#state === 'starting') {
      this.#lines.forbid()
      clearTimeout(this.#startTimer)
      void this.#settle()
      return true
    }
    if (line.is === 'output' && run?.question.live === true) {
      this.#print(run, line.output)
      return true
    }
    if (line.is === 'done' && run !== undefined) {
      this.#done(run, line.done)
      return true
    }
    this.#odd(line.is === 'odd' ? line.why : `it said \`${line.is}\` while it was ${this.#state}`)
    return true
  }

  /** It is as it will be before each run: what it holds now is not the code's. */
  async #settle(): Promise<void> {
    const { pid } = this
    this.#pids = pid === undefined ? [] : await processTree(pid)
    this.#baseBytes = (await residentBytes(this.#pids)) ?? 0
    if (this.#state !== 'starting') return
    this.#state = 'idle'
    this.#toldStart.resolve(undefined)
  }

  #print(run: Running, said: string): void {
    const { text, cut } = cutUtf8(said.toWellFormed(), run.outputLeft)
    run.outputLeft -= Buffer.byteLength(text)
    run.outputCut ||= cut
    run.output += text
    if (text === '' || run.hear === undefined) return
    try {
      run.hear(text)
    } catch (error) {
      run.hear = undefined
      this.#premises.log.warn({ err: error }, 'whoever listens to a run failed, and hears no more of it')
    }
  }

  #done(run: Running, done: HeardOutcome): void {
    const { outputBytes, resultBytes } = run.question
    const tookMs = this.#premises.clock.monotonic() - run.beganAt
    const { outcome, fit } = readAnswer(done, { outputBytes, resultBytes, tookMs })
    this.#run = undefined
    this.#state = 'idle'
    this.#lines.forbid()
    run.told.resolve({ outcome })
    if (!fit) void this.end({ is: 'unneeded' })
  }

  async #weigh(run: Running): Promise<void> {
    const bytes = await residentBytes(this.#pids)
    if (bytes === undefined || this.#run !== run) return
    run.peakBytes = Math.max(run.peakBytes, bytes - this.#baseBytes)
    if (run.peakBytes > run.question.memoryBytes + memorySlack) void this.end({ is: 'memory' })
  }

  #heardBeside(chunk: Buffer): void {
    if (this.#state === 'starting') this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(0, stderrMax)
    this.#stderrBytes += chunk.length
    if (this.#stderrBytes > stderrFlood) this.#odd('it flooded its standard error')
  }

  #startFailure(why: string): string {
    const [first = ''] = this.#stderr.split('\n').filter((line) => line.trim() !== '')
    return first === '' ? why : `${why}: ${first.trim().slice(0, 200)}`
  }

  #odd(why: string): void {
    void this.end({ is: 'odd', why })
  }

  #say(what: ChildTask | RunQuestion): void {
    this.#process?.stdin?.write(`${JSON.stringify(what)}\n`)
  }

  #kill(): void {
    const child = this.#process
    if (child?.pid === undefined || this.#hasExited) return
    // From here on somebody may wait until it is gone.
    child.ref()
    for (const pipe of pipesOf(child)) pipe.ref()
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      child.kill('SIGKILL') // a system without groups, or a group that is gone
    }
  }
}

/** A run as long as it lasts. */
interface Running {
  readonly question: RunQuestion
  hear: ((output: string) => void) | undefined
  readonly beganAt: number
  readonly told: PromiseWithResolvers<RunEnd>
  /** What was told live: what is left of a run that is ended from outside. */
  output: string
  outputLeft: number
  outputCut: boolean
  /** As the house weighs it. */
  peakBytes: number
}

function endOf(reason: EndReason, run: Running, tookMs: number): RunEnd {
  switch (reason.is) {
    case 'left':
      return { ended: 'left' }
    case 'draining':
    case 'unneeded':
      return { ended: 'draining' }
    case 'time':
      return failed({
        code: 'limit',
        limit: 'time',
        message: `the run was ended: it took more than ${run.question.timeMs} ms`,
      })
    case 'memory':
      return failed({
        code: 'limit',
        limit: 'memory',
        message: `the run was ended: it held more than ${Math.floor(run.question.memoryBytes / 1024 ** 2)} MB`,
      })
    case 'odd':
    case 'exited':
      return failed({ code: 'crashed', message: 'the run was ended: it brought its interpreter down' })
  }

  function failed(error: RunError): RunEnd {
    const usage = { timeMs: Math.round(tookMs), cpuMs: 0, memoryBytes: Math.max(0, run.peakBytes) }
    return { outcome: { result: null, output: run.output, outputCut: run.outputCut, error, usage, findings: [] } }
  }
}

/** Its ends of them. */
function pipesOf(child: ChildProcess): readonly Socket[] {
  return child.stdio.filter((pipe) => pipe !== null && pipe !== undefined) as Socket[]
}

function ignore(): void {}

const lateMs = 1000
const weighMs = 100
/** What an interpreter needs beside the code's own data: copies of input and result, garbage not yet collected. */
const memorySlack = 192 * 1024 ** 2
const lineSlack = 256 * 1024
const stderrMax = 4096
const stderrFlood = 1024 ** 2
const closedMs = 1000
const goneMs = 2000
