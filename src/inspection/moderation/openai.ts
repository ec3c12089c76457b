import { z } from 'zod'
import type { Secret } from '../../kernel/secret.ts'
import type { Category } from './category.ts'
import { openJsonPost, PostFault } from './json-post.ts'
import { type Flag, type Moderator, ModeratorFault } from './moderator.ts'

export interface OpenaiParts {
  readonly name: string
  /** `https://api.openai.com/v1/moderations`, or that of another who speaks so. */
  readonly url: string
  readonly model: string
  readonly key: Secret | undefined
  /** Texts in one request. */
  readonly batch: number
  /** From which score on, where the model itself has flagged nothing; 1 leaves it to the model. */
  readonly threshold: number
  readonly connections: number
}

/** Their names for categories, and ours. One that is not here is taken for `harmful-instructions`: unknown is not harmless. */
const names: Readonly<Record<string, Category>> = {
  violence: 'violence',
  'violence/graphic': 'violence',
  hate: 'hate',
  'hate/threatening': 'hate',
  harassment: 'harassment',
  'harassment/threatening': 'harassment',
  'self-harm': 'self-harm',
  'self-harm/intent': 'self-harm',
  'self-harm/instructions': 'self-harm',
  sexual: 'sexual',
  'sexual/minors': 'sexual',
  illicit: 'illegal',
  'illicit/violent': 'harmful-instructions',
  // Mistral's and others' names for what OpenAI has none for.
  pii: 'personal-information',
  hate_and_discrimination: 'hate',
  violence_and_threats: 'violence',
  dangerous_and_criminal_content: 'illegal',
  selfharm: 'self-harm',
}

/** Judgements nobody acts upon here: advice of a kind, not harm. */
const passedOver = new Set(['health', 'financial', 'law'])

const answerShape = z.object({
  results: z.array(
    z.object({
      flagged: z.boolean().optional(),
      categories: z.record(z.string(), z.boolean().nullable()),
      category_scores: z.record(z.string(), z.number().nullable()),
    }),
  ),
})

/** Asks an endpoint that speaks as OpenAI's `POST /v1/moderations` does. */
export function openOpenaiModerator(parts: OpenaiParts): Moderator {
  const { name, url, model, key, batch, threshold } = parts
  const way = openJsonPost(url, parts.connections)
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key.reveal()}` }

  return {
    name,
    close: () => way.close(),
    async check(texts, signal) {
      const flags: Flag[] = []
      for (let from = 0; from < texts.length; from += batch) {
        const input = texts.slice(from, from + batch)
        flags.push(...flagsOf(await ask(input, signal), input.length, from))
      }
      return flags
    },
  }

  async function ask(input: readonly string[], signal: AbortSignal): Promise<unknown> {
    try {
      return await way.post({ model, input }, headers, signal)
    } catch (error) {
      if (error instanceof PostFault) throw new ModeratorFault(error.message, error.retryAfterMs)
      throw error
    }
  }

  function flagsOf(answer: unknown, count: number, from: number): Flag[] {
    const { data } = answerShape.safeParse(answer)
    if (data === undefined) throw new ModeratorFault('its answer is no moderation')
    // One that leaves a text out has not judged it.
    if (data.results.length !== count) throw new ModeratorFault(`expected ${count} results, got ${data.results.length}`)
    return data.results.flatMap(({ flagged, categories, category_scores: scores }, at) => {
      // Some flag what they give no score for.
      const found = [...new Set([...Object.keys(categories), ...Object.keys(scores)])].flatMap((theirs): Flag[] => {
        if (passedOver.has(theirs)) return []
        const score = scores[theirs] ?? undefined
        const isFlagged = categories[theirs] === true
        if (!isFlagged && (score ?? 0) < threshold) return []
        const category = names[theirs] ?? 'harmful-instructions'
        return [{ index: from + at, category, score: clamped(score ?? 1), ...(isFlagged && { decided: true }) }]
      })
      const named = Object.entries(categories).some(([theirs, is]) => is === true && passedOver.has(theirs))
      if (found.length > 0 || flagged !== true || named) return found
      return [{ index: from + at, category: 'harmful-instructions', score: 1, decided: true }]
    })
  }
}

function clamped(score: number): number {
  return Math.min(1, Math.max(0, score))
}
