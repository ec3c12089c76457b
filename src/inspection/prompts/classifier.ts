import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/error.ts'
import { resolveSecret, Secret } from '../../kernel/secret.ts'
import { Breaker } from '../moderation/breaker.ts'
import { openJsonPost, PostFault } from '../moderation/json-post.ts'
import type { ClassifierOptions } from './options.ts'

/** A model that is asked beside the rules of the house. */
export interface PromptClassifier {
  /** Of several texts the surest; by its deadline at the latest. */
  score(texts: readonly string[], signal?: AbortSignal): Promise<ClassifierOutcome>
  close(): Promise<void>
}

export type ClassifierOutcome =
  | { readonly score: number; readonly index: number }
  /** It could not say, which was told; `refused` where the configuration wants no text then. */
  | { readonly down: string; readonly refused: boolean }

export interface ClassifierParts {
  readonly options: ClassifierOptions
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Every failure, at once, in half a sentence without the text. */
  readonly onTrouble: (reason: string) => void
}

/** Texts that one request may ask about, and units of each that are sent: what is beyond has not been judged. */
const textsMax = 64
const textUnitsMax = 100_000

/** Throws a Fault where its key cannot be had. */
export function openPromptClassifier({ options, environment, clock, onTrouble }: ClassifierParts): PromptClassifier {
  const { url, request, answer, deadline, atOnce, whenDown } = options
  const labels = new Set(options.labels.map((label) => label.toLowerCase()))
  const key = options.key === undefined ? undefined : keyOf(options.key, environment)
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key.reveal()}` }
  const way = openJsonPost(url, atOnce)
  const breaker = new Breaker(clock)
  const pointer = stepsOf(answer)

  return {
    close: () => way.close(),
    async score(texts, signal) {
      if (texts.length > textsMax) return down(`expected at most ${textsMax} texts, got ${texts.length}`)
      if (texts.some((text) => text.length > textUnitsMax))
        return down(`expected texts of at most ${textUnitsMax} units`)
      if (!breaker.mayAsk()) return down('it has failed before, and is not asked for a while')
      const late = AbortSignal.timeout(deadline)
      const both = signal === undefined ? late : AbortSignal.any([late, signal])
      try {
        const scores = await Promise.all(texts.map((text) => ask(text, both)))
        breaker.succeeded()
        const score = Math.max(0, ...scores)
        return { score, index: Math.max(0, scores.indexOf(score)) }
      } catch (error) {
        if (signal?.aborted === true) breaker.gaveUp()
        else breaker.failed(error instanceof PostFault ? error.retryAfterMs : 0)
        return down(error instanceof PostFault ? error.message : `it failed (${(error as Error).name})`)
      }
    },
  }

  async function ask(text: string, signal: AbortSignal): Promise<number> {
    const score = scoreIn(at(await way.post(filled(request, text), headers, signal), pointer), labels)
    if (score === undefined) throw new PostFault('its answer has neither a score nor a known label')
    return score
  }

  function down(reason: string): ClassifierOutcome {
    onTrouble(reason)
    return { down: reason, refused: whenDown === 'refuse' }
  }
}

function keyOf(
  reference: NonNullable<ClassifierOptions['key']>,
  environment: Readonly<Record<string, string | undefined>>,
): Secret {
  const secret = resolveSecret(reference, environment)
  if (secret instanceof Secret) return secret
  throw new Fault('unavailable', `prompts: the classifier: ${secret.problem}`)
}

/** The request with the text in its places. The text itself is not looked into: it may hold `$text` too. */
function filled(template: unknown, text: string): unknown {
  if (typeof template === 'string') return template.split('$text').join(text)
  if (Array.isArray(template)) return template.map((one) => filled(one, text))
  if (typeof template !== 'object' || template === null) return template
  return Object.fromEntries(Object.entries(template).map(([name, value]) => [name, filled(value, text)]))
}

/** RFC 6901 §4: `~1` before `~0`. */
function stepsOf(pointer: string): readonly string[] {
  return pointer === ''
    ? []
    : pointer
        .slice(1)
        .split('/')
        .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function at(value: unknown, steps: readonly string[]): unknown {
  let here = value
  for (const step of steps) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return undefined
    here = (here as Record<string, unknown>)[step]
  }
  return here
}

/** A score; a label, which says all or nothing; labels with scores, in one list or in a list of lists. */
function scoreIn(value: unknown, labels: ReadonlySet<string>, depth = 0): number | undefined {
  if (typeof value === 'number') return value >= 0 && value <= 1 ? value : undefined
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'string') return value.trim() === '' ? undefined : labels.has(value.trim().toLowerCase()) ? 1 : 0
  if (typeof value !== 'object' || value === null || depth > 3) return undefined
  if (Array.isArray(value)) {
    // Of a list of labels those that mean an order count, and one without any of them says that it is none.
    const scores = value.map((one) => scoreIn(one, labels, depth + 1))
    return scores.length === 0 || scores.includes(undefined) ? undefined : Math.max(...(scores as number[]))
  }
  const { label, score } = value as { readonly label?: unknown; readonly score?: unknown }
  if (typeof label !== 'string') return undefined
  if (!labels.has(label.toLowerCase())) return 0
  return typeof score === 'number' && score >= 0 && score <= 1 ? score : 1
}
