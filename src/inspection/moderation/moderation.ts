import { GenerationCache } from '../../kernel/cache.ts'
import type { Clock } from '../../kernel/clock.ts'
import { KeyedHash } from '../../kernel/keyed-hash.ts'
import { Breaker } from './breaker.ts'
import { type Flag, type Moderator, ModeratorFault } from './moderator.ts'
import type { ModerationOptions } from './options.ts'

/** What several moderators said of some texts. */
export interface ModerationJudgement {
  /** What is at or above its threshold, with who said so. */
  readonly flagged: readonly (Flag & { readonly by: string })[]
  /** Who could not judge, and why. Each was told already. */
  readonly down: readonly ModerationTrouble[]
  /** Somebody could not judge, and the configuration wants no text then. */
  readonly unjudged: boolean
}

export interface ModerationTrouble {
  readonly provider: string
  /** Half a sentence without any of the texts. */
  readonly reason: string
}

export interface Moderation {
  judge(texts: readonly string[], signal?: AbortSignal): Promise<ModerationJudgement>
  close(): Promise<void>
}

export interface ModerationParts {
  readonly options: ModerationOptions
  readonly moderators: readonly Moderator[]
  readonly clock: Clock
  /** Of 8 bytes, of this process alone: what is remembered is found by a keyed hash. */
  readonly hashKey: Uint8Array
  /** Every failure, at once: for the log and the record. */
  readonly onTrouble: (trouble: ModerationTrouble) => void
}

const usual = { threshold: 0.5, deadlineMs: 2_000, atOnce: 8, remembered: 2_000 } as const

/** One text, and all texts of a request together: what is longer has not been judged. */
const pieceUnits = 20_000
const pieceOverlap = 200
const piecesMax = 128

/** Asks all moderators at once, each behind its own breaker, and puts together what they say within the deadline. */
export function openModeration(parts: ModerationParts): Moderation {
  const { options, moderators, clock, hashKey, onTrouble } = parts
  const atOnce = options.atOnce ?? usual.atOnce
  const deadlineMs = options.deadline ?? usual.deadlineMs
  const remembered = options.remembered ?? usual.remembered
  const asked = moderators.map((moderator) => ({
    moderator,
    breaker: new Breaker(clock),
    line: new Line(atOnce, atOnce * 4),
    cache: remembered === 0 ? undefined : new GenerationCache<string, readonly Flag[]>(remembered),
  }))
  const hash = new KeyedHash(hashKey)

  return {
    async judge(texts, signal) {
      const pieces = piecesOf(texts)
      if (pieces.length === 0) return { flagged: [], down: [], unjudged: false }
      if (pieces.length > piecesMax) {
        const trouble = {
          provider: 'all',
          reason: `expected at most ${piecesMax} stretches of text, got ${pieces.length}`,
        }
        onTrouble(trouble)
        return { flagged: [], down: [trouble], unjudged: options.whenDown === 'refuse' }
      }
      const deadline = AbortSignal.timeout(deadlineMs)
      const both = signal === undefined ? deadline : AbortSignal.any([deadline, signal])
      const outcomes = await Promise.all(asked.map((one) => ask(one, pieces, both, signal)))
      const down = outcomes.filter((outcome): outcome is ModerationTrouble => 'reason' in outcome)
      const flagged = outcomes.flatMap((outcome) => ('reason' in outcome ? [] : outcome.flags))
      return { flagged: surest(flagged), down, unjudged: down.length > 0 && options.whenDown === 'refuse' }
    },
    async close() {
      await Promise.all(moderators.map((moderator) => moderator.close()))
    },
  }

  async function ask(
    { moderator, breaker, line, cache }: (typeof asked)[number],
    pieces: readonly Piece[],
    signal: AbortSignal,
    caller: AbortSignal | undefined,
  ): Promise<{ readonly flags: readonly NamedFlag[] } | ModerationTrouble> {
    const keys = cache === undefined ? [] : pieces.map(({ text }) => keyOf(text))
    const known = keys.map((key) => cache?.get(key))
    const open = pieces.map((_, at) => at).filter((at) => known[at] === undefined)
    let answer: readonly Flag[] = []
    if (open.length > 0) {
      const outcome = await attempt(open.map((at) => (pieces[at] as Piece).text))
      if (!Array.isArray(outcome)) return outcome as ModerationTrouble
      answer = outcome
      for (const [place, at] of open.entries()) {
        const key = keys[at]
        if (key !== undefined)
          cache?.set(
            key,
            answer.filter(({ index }) => index === place),
          )
      }
    }
    const flags = [
      ...answer.map((flag) => ({ ...flag, index: open[flag.index] as number })),
      ...known.flatMap((flags, at) => (flags ?? []).map((flag) => ({ ...flag, index: at }))),
    ]
    return {
      flags: flags.filter(isReached).map(({ index, category, score }) => ({
        index: (pieces[index] as Piece).index,
        category,
        score,
        by: moderator.name,
      })),
    }

    async function attempt(texts: readonly string[]): Promise<readonly Flag[] | ModerationTrouble> {
      if (!breaker.mayAsk()) return told('it has failed before, and is not asked for a while')
      const place = await line.take(signal)
      if (place !== 'taken') {
        breaker.gaveUp()
        return told(place === 'full' ? 'too many wait for it' : 'its turn did not come in time')
      }
      try {
        const flags = await withinSignal(moderator.check(texts, signal), signal)
        breaker.succeeded()
        return flags
      } catch (error) {
        // A caller who went away says nothing of the one that was asked.
        if (caller?.aborted === true) breaker.gaveUp()
        else breaker.failed(error instanceof ModeratorFault ? error.retryAfterMs : 0)
        return told(error instanceof ModeratorFault ? error.message : `it failed (${(error as Error).name})`)
      } finally {
        line.leave()
      }
    }

    function told(reason: string): ModerationTrouble {
      const trouble = { provider: moderator.name, reason }
      onTrouble(trouble)
      return trouble
    }
  }

  function isReached({ category, score, decided = false }: Flag): boolean {
    const own = options.categories?.[category] ?? options.threshold
    return own !== 'off' && (score >= (own ?? usual.threshold) || (own === undefined && decided))
  }

  function keyOf(text: string): string {
    hash.of(text)
    return `${hash.high}:${hash.low}:${text.length}`
  }
}

type NamedFlag = Flag & { readonly by: string }

interface Piece {
  readonly text: string
  readonly index: number
}

/** Long texts in stretches that overlap: what stands on a border is seen whole in one of them. */
function piecesOf(texts: readonly string[]): Piece[] {
  const pieces: Piece[] = []
  for (const [index, text] of texts.entries()) {
    if (text.trim() === '') continue
    for (let from = 0; from < text.length && pieces.length <= piecesMax; from += pieceUnits - pieceOverlap) {
      pieces.push({ text: text.slice(from, from + pieceUnits), index })
      if (from + pieceUnits >= text.length) break
    }
  }
  return pieces
}

/** Of one text, category and provider once. */
function surest(flags: readonly NamedFlag[]): readonly NamedFlag[] {
  const best = new Map<string, NamedFlag>()
  for (const flag of flags) {
    const key = `${flag.index} ${flag.category} ${flag.by}`
    const before = best.get(key)
    if (before === undefined || before.score < flag.score) best.set(key, flag)
  }
  return [...best.values()].sort((one, other) => one.index - other.index || other.score - one.score)
}

function withinSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new ModeratorFault('it did not answer in time'))
    if (signal.aborted) late()
    signal.addEventListener('abort', late, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', late))
  })
}

/** So many at once, and so many that wait. */
class Line {
  readonly #places: number
  readonly #waitingMax: number
  readonly #waiting: (() => void)[] = []
  #taken = 0

  constructor(places: number, waitingMax: number) {
    this.#places = places
    this.#waitingMax = waitingMax
  }

  take(signal: AbortSignal): Promise<'taken' | 'full' | 'late'> | 'taken' | 'full' {
    if (this.#taken < this.#places) {
      this.#taken++
      return 'taken'
    }
    if (this.#waiting.length >= this.#waitingMax) return 'full'
    return new Promise((resolve) => {
      const called = (): void => {
        signal.removeEventListener('abort', late)
        resolve('taken')
      }
      const late = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(called), 1)
        resolve('late')
      }
      signal.addEventListener('abort', late, { once: true })
      this.#waiting.push(called)
    })
  }

  /** Whoever waits longest takes the place over. */
  leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#taken--
    else next()
  }
}
