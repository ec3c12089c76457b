import { type Refusal, refuse } from '../../kernel/error.ts'
import { type DataScreen, dataFinding, findData } from '../data-screen.ts'
import type { Field } from '../field.ts'
import { answerFields } from '../fields/answer.ts'
import type { Finding } from '../finding.ts'
import { placeText } from '../place.ts'
import type { PromptCheck } from '../prompts/check.ts'
import type { AnswerJudge } from '../schema/answer.ts'
import { redactBody } from '../stream/redact-body.ts'
import type { Redactor } from '../stream/redactor.ts'
import { refuseFor } from '../told.ts'
import type { AnswerPlan } from './plan.ts'

/** What an answer is held against that is here whole. */
export interface WholeChecks {
  /** The schema of its status. */
  readonly schema: AnswerJudge | undefined
  readonly prompts: PromptCheck | undefined
  readonly data: DataScreen | undefined
}

/** Judges a whole answer: why it must not leave, or nothing. What is only noted is told to `found`. */
export function judgeAnswer(
  bytes: Uint8Array,
  contentType: string | undefined,
  { schema, prompts, data }: WholeChecks,
  { refusesBroken, bytesMax, tellBroken }: Pick<AnswerPlan, 'refusesBroken' | 'bytesMax' | 'tellBroken'>,
  found: (finding: Finding) => void,
): Refusal | undefined {
  const fault = schema?.(contentType, bytes)
  if (fault !== undefined) {
    const reason =
      'malformed' in fault
        ? fault.malformed
        : fault.invalid.map((one) => `${'pointer' in one ? one.pointer : one.name} ${one.detail}`).join('; ')
    found({ ...brokenAnswer, place: { in: 'answer', at: '' } })
    tellBroken(reason)
    if (refusesBroken) return refuse('answer-invalid', { reason })
  }
  const guard = data?.guard
  if (prompts === undefined && guard === undefined) return undefined
  const read = answerFields(bytes, contentType, bytesMax)
  if ('problem' in read) return prompts?.blocks === true || guard !== undefined ? unreadable(read.problem) : undefined
  return (
    judgeOrders(read.fields, prompts, found) ??
    (guard === undefined ? undefined : judgeData(bytes, contentType, read.fields, guard, found))
  )
}

/** An answer that may not leave because nobody could look into it. */
export function unreadable(reason: string): Refusal {
  return refuse('answer-not-screenable', { reason })
}

const brokenAnswer = {
  kind: 'schema',
  what: 'answer',
  rule: 'schema/answer',
  confidence: 1,
  start: 0,
  end: 0,
  decoded: [],
} satisfies Omit<Finding, 'place'>

function judgeOrders(
  fields: readonly Field[],
  prompts: PromptCheck | undefined,
  found: (finding: Finding) => void,
): Refusal | undefined {
  const orders = prompts?.judge(fields)
  for (const finding of orders?.findings ?? []) found(finding)
  return orders === undefined || orders.refused.length === 0
    ? undefined
    : { ...refuseFor('prompt-injection-detected', orders.refused), ...refuse('answer-refused'), extensions: {} }
}

/** In the texts, and in what is no text of its own: numbers. */
function judgeData(
  bytes: Uint8Array,
  contentType: string | undefined,
  fields: readonly Field[],
  guard: Redactor,
  found: (finding: Finding) => void,
): Refusal | undefined {
  let guarded = findData(fields, guard)
  if (guarded.length === 0) {
    const struck = redactBody(bytes, contentType, guard)
    if ('problem' in struck) return unreadable(struck.problem)
    if ('redactions' in struck)
      guarded = struck.redactions.first.map(({ kind, rule, at }) => dataFinding(kind, rule, { in: 'answer', at }))
  }
  for (const finding of guarded) found(finding)
  const [first] = guarded
  return first === undefined
    ? undefined
    : refuse('answer-refused', { reason: `${first.what} at ${placeText(first.place)}` })
}
