import type { Clock } from '../kernel/clock.ts'
import { type Refusal, refuse } from '../kernel/error.ts'
import type { Random } from '../kernel/id.ts'
import type { Log } from '../kernel/log.ts'
import type { Field } from './field.ts'
import type { Finding } from './finding.ts'
import { isModelText } from './model-text.ts'
import { type Moderation, openModeration } from './moderation/moderation.ts'
import { openModerators } from './moderation/open.ts'
import type { ModerationOptions } from './moderation/options.ts'
import { openPromptClassifier, type PromptClassifier } from './prompts/classifier.ts'
import type { PromptOptions } from './prompts/options.ts'
import { usualThreshold } from './prompts/scanner.ts'
import { refuseFor } from './told.ts'

/** Asks others about the texts of a request: moderators, and a model that knows orders to models. */
export interface Consultation {
  /** Whether anything may be refused. */
  readonly acts: boolean
  consult(fields: readonly Field[]): Promise<Consulted>
}

export interface Consulted {
  readonly findings: readonly Finding[]
  readonly refusal: Refusal | undefined
}

export interface ConsultantParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Those who are asked, each opened once however many routes ask them. */
export class Consultants {
  readonly #parts: ConsultantParts
  readonly #moderations = new Map<string, Moderation>()
  readonly #classifiers = new Map<string, PromptClassifier>()

  constructor(parts: ConsultantParts) {
    this.#parts = parts
  }

  /** Undefined where nobody is asked. */
  of(moderation: ModerationOptions | undefined, prompts: PromptOptions | undefined): Consultation | undefined {
    const { mode = 'off' } = moderation ?? {}
    const { requests = 'off', classifier: classifierOptions, threshold = usualThreshold } = prompts ?? {}
    const moderated = moderation === undefined || mode === 'off' ? undefined : this.#moderation(moderation)
    const classifier =
      classifierOptions === undefined || requests === 'off' ? undefined : this.#classifier(classifierOptions)
    if (moderated === undefined && classifier === undefined) return undefined
    const isMeant = isModelText(prompts?.fields)
    return {
      acts:
        (moderated !== undefined && (mode === 'block' || moderation?.whenDown === 'refuse')) ||
        (classifier !== undefined && (requests === 'block' || classifierOptions?.whenDown === 'refuse')),
      async consult(fields) {
        const [ofModeration, ofClassifier] = await Promise.all([
          moderated === undefined ? nobody : askModeration(moderated, mode === 'block', fields),
          classifier === undefined
            ? nobody
            : askClassifier(classifier, threshold, requests === 'block', fields.filter(isMeant)),
        ])
        return {
          findings: [...ofModeration.findings, ...ofClassifier.findings],
          refusal: ofModeration.refusal ?? ofClassifier.refusal,
        }
      },
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#moderations.values(), ...this.#classifiers.values()].map((one) => one.close()))
  }

  #moderation(options: ModerationOptions): Moderation {
    const { clock, random, log, environment } = this.#parts
    return opened(this.#moderations, options, () =>
      openModeration({
        options,
        moderators: openModerators(options, environment),
        clock,
        hashKey: random.bytes(8),
        onTrouble: (trouble) => log.warn({ ...trouble }, 'texts could not be moderated'),
      }),
    )
  }

  #classifier(options: NonNullable<PromptOptions['classifier']>): PromptClassifier {
    const { clock, log, environment } = this.#parts
    return opened(this.#classifiers, options, () =>
      openPromptClassifier({
        options,
        environment,
        clock,
        onTrouble: (reason) => log.warn({ reason }, 'texts could not be classified'),
      }),
    )
  }
}

function opened<One extends { close(): Promise<void> }>(
  known: Map<string, One>,
  options: object,
  open: () => One,
): One {
  const key = JSON.stringify(options)
  let one = known.get(key)
  if (one === undefined) known.set(key, (one = open()))
  else if (known.delete(key)) known.set(key, one) // the latest last
  const [oldest] = known
  if (known.size > openedMax && oldest !== undefined) {
    known.delete(oldest[0])
    void oldest[1].close()
  }
  return one
}

/** Configurations come and go; those that no route has named for so long are let go. */
const openedMax = 64

const nobody: Consulted = { findings: [], refusal: undefined }

async function askModeration(moderation: Moderation, blocks: boolean, texts: readonly Field[]): Promise<Consulted> {
  const fields = texts.filter(isModelText(undefined))
  const { flagged, down, unjudged } = await moderation.judge(fields.map(({ text }) => text))
  const found = flagged.map(({ index, category, score, by }) =>
    findingOf(fields[index] as Field, 'moderation', category, `moderation/${by}`, score),
  )
  const all = down.length > 0 ? [...found, unasked('moderation')] : found
  if (blocks && found.length > 0) return { findings: all, refusal: refuseFor('moderation-refused', found) }
  return { findings: all, refusal: unjudged ? refuse('moderation-unavailable', { retryAfterMs: 10_000 }) : undefined }
}

async function askClassifier(
  classifier: PromptClassifier,
  threshold: number,
  blocks: boolean,
  fields: readonly Field[],
): Promise<Consulted> {
  if (fields.length === 0) return nobody
  const outcome = await classifier.score(fields.map(({ text }) => text))
  if ('down' in outcome)
    return {
      findings: [unasked('prompt')],
      refusal: outcome.refused ? refuse('moderation-unavailable', { retryAfterMs: 10_000 }) : undefined,
    }
  const field = fields[outcome.index]
  if (field === undefined || outcome.score < threshold) return nobody
  const findings = [findingOf(field, 'prompt', 'classifier', 'prompt/classifier', outcome.score)]
  return { findings, refusal: blocks ? refuseFor('prompt-injection-detected', findings) : undefined }
}

function findingOf(
  { place, text }: Field,
  kind: 'moderation' | 'prompt',
  what: string,
  rule: string,
  confidence: number,
): Finding {
  return { kind, what, rule, place, confidence, start: 0, end: text.length, decoded: [] }
}

/** Somebody did not answer: the record says so of each request that went on unasked. */
function unasked(kind: 'moderation' | 'prompt'): Finding {
  return {
    kind,
    what: 'unasked',
    rule: `${kind}/unasked`,
    place: { in: 'body', at: '' },
    confidence: 1,
    start: 0,
    end: 0,
    decoded: [],
  }
}
