import type { Clock } from '../../kernel/clock.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Log } from '../../kernel/log.ts'
import type { SandboxOptions } from '../options.ts'
import type { Language } from '../run.ts'
import type { Child } from './child.ts'
import { StartFailures } from './start-failures.ts'
import { FairQueue, type Waiter } from './waiting.ts'

/** How many there are of whom. */
export interface SandboxCensus {
  /** All of them, those that start or end included. */
  readonly children: number
  /** Those that wait for their first run. */
  readonly warm: number
  /** Those that run something. */
  readonly busy: number
  /** Runs that wait for a child. */
  readonly waiting: number
}

export interface PoolPremises {
  readonly clock: Clock
  readonly log: Log
  /** Begins a child of a language, which has not started yet. */
  readonly start: (language: Language) => Promise<Child>
  /** How many of them may start at once: each keeps a core busy. */
  readonly cores: number
}

/**
 * Children, and who has them. Some wait for their first run; the first tenant that takes one has it until it is thrown away.
 */
export class Pool {
  readonly #options: SandboxOptions['pool']
  readonly #languages: readonly Language[]
  readonly #premises: PoolPremises
  readonly #kept = new Set<Kept>()
  readonly #queue = new FairQueue<Waiting>()
  readonly #failures: StartFailures
  readonly #sweep: NodeJS.Timeout
  /** However few there are, one tenant never has them all at work: the others would wait for as long as a run may take. */
  readonly #share: number
  #closed = false

  constructor(options: SandboxOptions['pool'], languages: readonly Language[], premises: PoolPremises) {
    this.#options = options
    this.#languages = languages
    this.#premises = premises
    this.#failures = new StartFailures(premises.clock)
    this.#share = options.children - (options.children === 1 ? 0 : Math.max(1, Math.floor(options.children / 4)))
    this.#sweep = setInterval(() => this.#tidy(), Math.min(sweepMs, Math.max(50, options.idle / 4))).unref()
    this.#pump()
  }

  /** A child that is the caller's until it is given back, or why there is none. */
  take(tenant: string, language: Language, left?: AbortSignal): Promise<Child | Refusal> {
    if (this.#closed) return Promise.resolve(refuse('draining', { retryAfterMs: 1000 }))
    if (left?.aborted === true) return Promise.resolve(refuse('client-left'))
    const failure = this.#failures.refusal(language)
    if (failure !== undefined) return Promise.resolve(failure)
    const { promise, resolve } = Promise.withResolvers<Child | Refusal>()
    const onLeft = (): void => this.#answer(waiting, refuse('client-left'))
    const { patience } = this.#options
    const waiting: Waiting = {
      tenant,
      language,
      resolve,
      timer: setTimeout(() => {
        this.#answer(waiting, this.#overloaded(`no child was free within ${patience} ms`))
      }, patience),
      forget: () => left?.removeEventListener('abort', onLeft),
    }
    left?.addEventListener('abort', onLeft, { once: true })
    // Those for whom a place is free do not wait for anybody.
    const places = this.#options.children - this.#count(({ state }) => state === 'busy')
    const surplus = this.#queue.add(waiting, this.#options.waiting + Math.max(0, places))
    if (surplus !== undefined) this.#settle(surplus, this.#overloaded('too many runs wait'))
    this.#pump()
    return promise
  }

  /** Whoever took a child is done with it. */
  giveBack(child: Child): void {
    const kept = [...this.#kept].find((one) => one.child === child)
    if (kept === undefined || kept.state !== 'busy') return
    kept.runs++
    kept.state = 'idle'
    kept.since = this.#premises.clock.monotonic()
    if (!child.isIdle || kept.runs >= this.#options.runsPerChild) this.#end(kept)
    this.#pump()
  }

  census(): SandboxCensus {
    return {
      children: this.#kept.size,
      warm: this.#count((kept) => kept.state === 'idle' && kept.tenant === undefined),
      busy: this.#count(({ state }) => state === 'busy'),
      waiting: this.#queue.size,
    }
  }

  /** Why no child of any language starts, where that is so. */
  get failure(): string | undefined {
    return this.#failures.ofAll(this.#languages)
  }

  /** Ends all that runs and all that waits, and resolves when no process is left. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#sweep)
    for (const waiting of this.#queue.drain()) this.#settle(waiting, refuse('draining', { retryAfterMs: 1000 }))
    const all = [...this.#kept]
    for (const kept of all) this.#end(kept, 'draining')
    await Promise.all(all.map(({ gone }) => gone.promise))
  }

  /** Gives children to those who wait, and begins what is missing. Called whenever anything has changed. */
  #pump(): void {
    if (this.#closed) return
    for (;;) {
      const served = this.#queue.next((tenant, language) => this.#idleFor(tenant, language))
      if (served === undefined) break
      served.found.state = 'busy'
      served.found.tenant = served.one.tenant
      this.#settle(served.one, served.found.child as Child)
    }
    for (const language of this.#languages) while (this.#isMissed(language) && this.#makeRoom()) this.#begin(language)
    if (this.#queue.size === 0) this.#warmUp()
  }

  #idleFor(tenant: string, language: Language): Kept | undefined {
    if (this.#busyOf(tenant) >= this.#share) return undefined
    let found: Kept | undefined
    for (const kept of this.#kept) {
      if (kept.state !== 'idle' || kept.language !== language || kept.child?.isIdle !== true) continue
      // Its own first: it is warm in ways that a fresh one is not, and nobody else can have it.
      if (kept.tenant === tenant) return kept
      if (kept.tenant === undefined) found ??= kept
    }
    return found
  }

  /** Whether more wait for a language than children of it are starting. */
  #isMissed(language: Language): boolean {
    const starting = this.#count((kept) => kept.state === 'starting' && kept.language === language)
    if (this.#count(({ state }) => state === 'starting') >= this.#premises.cores) return false
    if (!this.#failures.mayTry(language) || (starting > 0 && this.#failures.hasFailed(language))) return false
    return this.#queue.demand(language, (tenant) => this.#share - this.#busyOf(tenant)) > starting
  }

  /** Whether there is a place for one more; where there is none, the child that has been idle for longest is ended for it. */
  #makeRoom(): boolean {
    if (this.#kept.size < this.#options.children) return true
    if (this.#count(({ state }) => state === 'ending') === 0) {
      const idle = [...this.#kept].filter(({ state }) => state === 'idle')
      const longest = idle.reduce<Kept | undefined>((a, b) => (a === undefined || b.since < a.since ? b : a), undefined)
      if (longest !== undefined) this.#end(longest)
    }
    return false // its place is free when it is gone
  }

  /** One at a time, and only while a core is free for it. */
  #warmUp(): void {
    const { warm, children } = this.#options
    if (this.#count(({ state }) => state === 'starting' || state === 'ending') > 0) return
    if (this.#count(({ state }) => state === 'busy') >= this.#premises.cores) return
    for (const language of this.#languages) {
      const ready = this.#count((one) => one.state === 'idle' && one.tenant === undefined && one.language === language)
      if (ready >= warm || !this.#failures.mayTry(language)) continue
      if (this.#kept.size < children) return this.#begin(language)
      const before = this.#premises.clock.monotonic() - abandonedMs
      const abandoned = [...this.#kept].find(
        (one) => one.state === 'idle' && one.tenant !== undefined && one.since < before,
      )
      if (abandoned !== undefined) return this.#end(abandoned)
    }
  }

  #begin(language: Language): void {
    const kept: Kept = {
      language,
      child: undefined,
      tenant: undefined,
      state: 'starting',
      since: this.#premises.clock.monotonic(),
      runs: 0,
      gone: Promise.withResolvers(),
    }
    this.#kept.add(kept)
    void this.#premises.start(language).then(
      (child) => this.#follow(kept, child),
      (error: Error) => {
        this.#failed(language, error.message)
        this.#forget(kept)
      },
    )
  }

  async #follow(kept: Kept, child: Child): Promise<void> {
    kept.child = child
    void child.gone.then(() => {
      // One that ends while it waits has a fault that the next one may have too: not at once again.
      if (kept.state === 'idle' && kept.tenant === undefined) this.#failed(kept.language, 'it ended while it waited')
      this.#forget(kept)
    })
    if (kept.state === 'ending') return void child.end({ is: 'unneeded' })
    const failure = await child.started
    // Something may have ended it meanwhile, which is no fault of its own.
    if ((kept.state as Kept['state']) === 'ending') return
    if (failure !== undefined) {
      kept.state = 'ending'
      this.#failed(kept.language, failure)
      return
    }
    this.#failures.succeeded(kept.language)
    kept.state = 'idle'
    kept.since = this.#premises.clock.monotonic()
    this.#pump()
  }

  #forget(kept: Kept): void {
    this.#kept.delete(kept)
    kept.gone.resolve()
    this.#pump()
  }

  #failed(language: Language, why: string): void {
    if (this.#closed) return
    this.#premises.log.warn({ language, why }, 'a child of the sandbox did not start')
    this.#failures.failed(language, why)
    const refusal = this.#failures.refusal(language)
    if (refusal === undefined) return
    for (const waiting of this.#queue.drain(language)) this.#settle(waiting, refusal)
  }

  #end(kept: Kept, why: 'unneeded' | 'draining' = 'unneeded'): void {
    kept.state = 'ending'
    void kept.child?.end({ is: why })
  }

  #tidy(): void {
    const before = this.#premises.clock.monotonic() - this.#options.idle
    for (const kept of this.#kept)
      if (kept.state === 'idle' && kept.tenant !== undefined && kept.since <= before) this.#end(kept)
    this.#pump()
  }

  #answer(waiting: Waiting, refusal: Refusal): void {
    if (this.#queue.remove(waiting)) this.#settle(waiting, refusal)
  }

  #settle(waiting: Waiting, answer: Child | Refusal): void {
    clearTimeout(waiting.timer)
    waiting.forget()
    waiting.resolve(answer)
  }

  #overloaded(reason: string): Refusal {
    const rounds = Math.ceil((this.#queue.size + 1) / this.#options.children)
    return refuse('overloaded', { retryAfterMs: Math.min(30_000, 1000 * rounds), reason: `the sandbox: ${reason}` })
  }

  #busyOf(tenant: string): number {
    return this.#count((kept) => kept.state === 'busy' && kept.tenant === tenant)
  }

  #count(which: (kept: Kept) => boolean): number {
    let count = 0
    for (const kept of this.#kept) if (which(kept)) count++
    return count
  }
}

/** A place of the pool. */
interface Kept {
  readonly language: Language
  child: Child | undefined
  /** Whose it is, for ever, once it has been somebody's. */
  tenant: string | undefined
  state: 'starting' | 'idle' | 'busy' | 'ending'
  /** Since when it is in that state. */
  since: number
  runs: number
  readonly gone: PromiseWithResolvers<void>
}

interface Waiting extends Waiter {
  readonly resolve: (answer: Child | Refusal) => void
  readonly timer: NodeJS.Timeout
  readonly forget: () => void
}

const sweepMs = 1000
/** A tenant's child that has done nothing for so long gives way to one that waits for anybody. */
const abandonedMs = 10_000
