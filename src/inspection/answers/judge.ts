import { type Refusal, refuse } from '../../kernel/error.ts'
import { type DataScreen, dataFinding, findData, openDataScreen, struckOut } from '../data-screen.ts'
import type { Field } from '../field.ts'
import { answerFields } from '../fields/answer.ts'
import type { Finding } from '../finding.ts'
import type { PersonalOptions } from '../personal/options.ts'
import { placeText } from '../place.ts'
import { openPromptCheck, type PromptCheck } from '../prompts/check.ts'
import type { PromptOptions } from '../prompts/options.ts'
import type { SecretOptions } from '../secrets/options.ts'
import { readableAs } from '../stream/media-type.ts'
import type { Redactor } from '../stream/redactor.ts'
import { type Screening, screenSource } from '../stream/screen-source.ts'
import { surfaceOfBytes } from '../stream/surface-of-bytes.ts'
import { refuseFor } from '../told.ts'

/** What is looked for in an answer that is here whole, as plain data: a thread is told it as it is. */
export interface JudgingPlan {
  readonly pii: PersonalOptions | undefined
  readonly secrets: SecretOptions | undefined
  readonly prompts: PromptOptions | undefined
  /** Bytes of an answer that is looked at whole. */
  readonly bytesMax: number
  /** 32 bytes, for hashes and tokens in the place of personal data. */
  readonly key: Uint8Array
  /** Whether orders alone are looked for: personal data is where a copy is judged of what is screened as it flows. */
  readonly ordersOnly: boolean
}

/** Without content coding. */
export interface WholeAnswer {
  readonly bytes: Uint8Array
  readonly contentType: string | undefined
}

/** What came of looking, as plain data. */
export interface Judged {
  readonly findings: readonly Finding[]
  /** Why it must not leave; undefined where it may. */
  readonly refusal: Refusal | undefined
  /** The answer as it leaves, where it was rewritten. */
  readonly body: WholeAnswer | undefined
}

/** Looks at whole answers, each for itself. */
export interface WholeJudge {
  examine(answer: WholeAnswer): Judged
}

export function openJudging(plan: JudgingPlan): WholeJudge {
  return wholeJudge(openDataScreen({ ...plan, of: 'answers' }), openPromptCheck(plan.prompts, 'answers'), plan)
}

export function wholeJudge(
  data: DataScreen | undefined,
  prompts: PromptCheck | undefined,
  { bytesMax, ordersOnly }: Pick<JudgingPlan, 'bytesMax' | 'ordersOnly'>,
): WholeJudge {
  const guard = ordersOnly ? undefined : data?.guard
  return {
    examine(whole) {
      const answer = { ...whole, contentType: readableType(whole) }
      const findings: Finding[] = []
      const refusal = judgeFields(answer, findings)
      if (refusal !== undefined || ordersOnly) return { findings, refusal, body: undefined }
      if (data?.watcher !== undefined) findings.push(...found(screened(answer, data.watcher)))
      const redacted = data?.redactor === undefined ? undefined : screened(answer, data.redactor)
      if (redacted === undefined || 'unseen' in redacted) return { findings, refusal, body: undefined }
      if ('problem' in redacted) return { findings, refusal: unreadable(redacted.problem), body: undefined }
      findings.push(...found(redacted).map(struckOut))
      const { body: bytes, contentType = whole.contentType } = redacted
      return { findings, refusal, body: { bytes: bytes as Uint8Array, contentType } }
    },
  }

  function judgeFields(answer: WholeAnswer, findings: Finding[]): Refusal | undefined {
    if ((prompts === undefined && guard === undefined) || answer.contentType === undefined) return undefined
    const read = answerFields(answer.bytes, answer.contentType, bytesMax)
    if ('problem' in read) return prompts?.blocks === true || guard !== undefined ? unreadable(read.problem) : undefined
    return (
      judgeOrders(read.fields, prompts, data, findings) ??
      (guard === undefined ? undefined : judgeData(answer, read.fields, guard, findings))
    )
  }
}

/** An answer that may not leave because nobody could look into it. */
export function unreadable(reason: string): Refusal {
  return refuse('answer-not-screenable', { reason })
}

/** A text for the record or the log without what is screened here: names of members hold personal data too. */
export function withoutData(text: string, data: DataScreen | undefined): string {
  return [data?.guard, data?.redactor, data?.watcher].reduce((told, one) => one?.redact(told).text ?? told, text)
}

function judgeOrders(
  fields: readonly Field[],
  prompts: PromptCheck | undefined,
  data: DataScreen | undefined,
  findings: Finding[],
): Refusal | undefined {
  const shown = (finding: Finding): Finding => ({
    ...finding,
    place: { ...finding.place, at: withoutData(finding.place.at, data) },
  })
  const orders = prompts?.judge(fields)
  findings.push(...(orders?.findings.map(shown) ?? []))
  if (orders === undefined || orders.refused.length === 0) return undefined
  const { reason } = refuseFor('prompt-injection-detected', orders.refused.map(shown))
  return refuse('answer-refused', reason === undefined ? {} : { reason })
}

/** What an answer of which nobody says what it is is read as. */
function readableType({ bytes, contentType }: WholeAnswer): string | undefined {
  if (readableAs(contentType).surface !== 'unsaid') return contentType
  const seen = surfaceOfBytes(bytes)
  return seen === 'none' ? undefined : seen === 'json' && isJson(bytes) ? 'application/json' : 'text/plain'
}

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(bytes).toString())
    return true
  } catch {
    return false
  }
}

/** In the texts, and in what is no text of its own: numbers. */
function judgeData(
  answer: WholeAnswer,
  fields: readonly Field[],
  guard: Redactor,
  findings: Finding[],
): Refusal | undefined {
  let guarded = findData(fields, guard)
  if (guarded.length === 0) {
    const read = screened(answer, guard)
    if ('problem' in read) return unreadable(read.problem)
    guarded = found(read)
  }
  findings.push(...guarded)
  const [first] = guarded
  return first === undefined
    ? undefined
    : refuse('answer-refused', { reason: `${first.what} at ${placeText(first.place)}` })
}

/** As it would leave if it flowed. */
function screened({ bytes, contentType }: WholeAnswer, redactor: Redactor): Screening {
  return screenSource(bytes, { contentType, contentEncoding: undefined }, redactor)
}

function found(screening: Screening): readonly Finding[] {
  return 'redactions' in screening
    ? screening.redactions.first.map(({ kind, rule, at }) => dataFinding(kind, rule, { in: 'answer', at }))
    : []
}
