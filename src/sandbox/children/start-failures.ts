import type { Clock } from '../../kernel/clock.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Language } from '../run.ts'

/** Children that did not start. After several in a row nobody is kept waiting for the next; it is tried all the same, ever more seldom. */
export class StartFailures {
  readonly #clock: Clock
  readonly #of = new Map<Language, { count: number; why: string; retryAt: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  failed(language: Language, why: string): void {
    const count = (this.#of.get(language)?.count ?? 0) + 1
    const pauseMs = Math.min(pauseMsMost, pauseMsLeast * 2 ** (count - 1))
    this.#of.set(language, { count, why, retryAt: this.#clock.monotonic() + pauseMs })
  }

  succeeded(language: Language): void {
    this.#of.delete(language)
  }

  hasFailed(language: Language): boolean {
    return this.#of.has(language)
  }

  mayTry(language: Language): boolean {
    return this.#clock.monotonic() >= (this.#of.get(language)?.retryAt ?? 0)
  }

  /** What those are told who ask between two attempts. */
  refusal(language: Language): Refusal | undefined {
    const failure = this.#of.get(language)
    if (failure === undefined || failure.count < inARow || this.mayTry(language)) return undefined
    return refuse('sandbox-unavailable', {
      detail: `the interpreter of \`${language}\` does not start`,
      retryAfterMs: Math.ceil(failure.retryAt - this.#clock.monotonic()),
      reason: failure.why,
    })
  }

  /** One sentence, where none of these languages starts. */
  ofAll(languages: readonly Language[]): string | undefined {
    const failures = languages.map((language) => this.#of.get(language))
    if (!failures.every((failure) => failure !== undefined && failure.count >= inARow)) return undefined
    return `no interpreter starts, and the last attempt says: ${failures[0]?.why}. It is tried again and again; see the log`
  }
}

const inARow = 3
const pauseMsLeast = 250
const pauseMsMost = 30_000
