import { HeldSource, type Sink, type Source, sourceOf } from '../../http/source.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import { dataFinding, openDataScreen, struckOut } from '../data-screen.ts'
import type { Finding } from '../finding.ts'
import { openPromptCheck } from '../prompts/check.ts'
import { readCodings } from '../stream/content-coding.ts'
import { DecodedSource } from '../stream/decoded-source.ts'
import { readableAs } from '../stream/media-type.ts'
import type { Redactions } from '../stream/redactions.ts'
import type { Redactor } from '../stream/redactor.ts'
import { screenSource, usualBounds } from '../stream/screen-source.ts'
import { screenedFields } from '../stream/screened-fields.ts'
import { contentTypeIn, fieldIn, setField } from './answer-fields.ts'
import { brokenSchema } from './broken-schema.ts'
import { type Judged, type JudgingPlan, unreadable, type WholeJudge, wholeJudge } from './judge.ts'
import type { AnswerPlan } from './plan.ts'
import { WatchedSource } from './watched.ts'
import { type Gathered, gather, gatherThen } from './whole.ts'

/** Looks at what leaves: personal data, secrets, orders to a model, and what breaks the schema. */
export interface AnswerScreen {
  /** Whether anything is refused or struck out: else what leaves is what came. */
  readonly acts: boolean
  /**
   * Edits the fields of the answer in place, and says what its body is from now on. `found` is told of what is found, some of
   * it while the body flows.
   */
  screen(
    answer: ScreenedAnswer,
    found: (finding: Finding) => void,
  ): ScreenedBody | Refusal | Promise<ScreenedBody | Refusal>
}

export interface ScreenedAnswer {
  readonly status: number
  readonly headers: string[]
  readonly body: Source | Uint8Array | undefined
  /** Whether it describes a body that does not come with it: to HEAD, or 304. */
  readonly bodiless: boolean
  /** Asks for room for bytes that are held. */
  readonly take: (bytes: number) => boolean
  readonly give: (bytes: number) => void
  /** Told of looking that goes on while the answer leaves, and perhaps after; what it answers is called when that is over. */
  readonly looking: () => () => void
}

export interface ScreenedBody {
  readonly body: Source | Uint8Array | undefined
}

/** An answer of more bytes is looked into by a thread of its own. */
const onLoopBytesMax = 32 * 1024

/** Undefined where nothing is looked for. */
export function openAnswerScreen(plan: AnswerPlan): AnswerScreen | undefined {
  const { pii, secrets, check, refusesBroken, bytesMax, key, judging, deadlineMs } = plan
  const data = openDataScreen({ pii, secrets, key, of: 'answers' })
  const prompts = openPromptCheck(plan.prompts, 'answers')
  if (data === undefined && prompts === undefined && check === undefined) return undefined
  const mayRefuse = refusesBroken || prompts?.blocks === true || data?.guard !== undefined
  const acts = mayRefuse || data?.redactor !== undefined
  const wholePlan: JudgingPlan = { pii, secrets, prompts: plan.prompts, bytesMax, key, ordersOnly: false }
  const copyPlan: JudgingPlan = { ...wholePlan, ordersOnly: true }
  const wholes = data === undefined && prompts === undefined ? undefined : wholeJudge(data, prompts, wholePlan)
  const copies = prompts === undefined ? undefined : wholeJudge(data, prompts, copyPlan)

  return {
    acts,
    screen(answer, found) {
      const { body, status, headers, bodiless, take, give, looking } = answer
      if (body === undefined || bodiless) {
        if (data?.redactor !== undefined) screenedFields(headers) // they are those of what would leave unscreened
        return answer
      }
      if (status === 206)
        return acts ? refuse('answer-not-screenable', { reason: 'a part of an answer cannot be screened' }) : answer
      const said = contentTypeIn(headers)
      if ('problem' in said) return acts ? unreadable(said.problem) : answer
      const { contentType } = said
      const schema = check?.of(status)
      const isText = readableAs(contentType).surface !== 'none'
      const waits =
        (schema !== undefined && refusesBroken) || (isText && (prompts?.blocks === true || data?.guard !== undefined))
      const notes = schema !== undefined || (isText && prompts !== undefined)
      if (waits) return whole(body)
      return flowing(notes ? watched(body, noteWhole) : body)

      async function whole(coded: Source | Uint8Array): Promise<ScreenedBody | Refusal> {
        const source = decoded(coded)
        if (source === undefined) return unreadable('its content coding is not known')
        const gathered = await gather(source, bytesMax, take)
        if ('failed' in gathered) return refuse('upstream-broke-off', { reason: gathered.failed.message })
        if ('declined' in gathered) {
          gathered.declined.abort(new Error('there is no room for the answer'))
          return refuse('unavailable', { detail: 'too many answers are being read at once', retryAfterMs: 1_000 })
        }
        if ('more' in gathered) {
          gathered.more.abort(new Error('the answer is larger than what may be looked into'))
          return unreadable(`it has more than ${bytesMax} bytes`)
        }
        const { bytes } = gathered
        const broken = judgeSchema(bytes)
        if (broken !== undefined) return broken
        const judged = wholes === undefined || !isText ? undefined : await judgedBy(wholes, wholePlan, bytes)
        if (judged !== undefined && 'code' in judged) return judged
        for (const finding of judged?.findings ?? []) found(finding)
        if (judged?.refusal !== undefined) return judged.refusal
        const rewritten = judged?.body
        if (rewritten !== undefined || fieldIn(headers, 'content-encoding') !== undefined) screenedFields(headers)
        if (rewritten?.contentType !== undefined) setField(headers, 'Content-Type', rewritten.contentType)
        const leaves = rewritten?.bytes ?? bytes
        sayLength(leaves)
        return { body: leaves }
      }

      function judgedBy(judge: WholeJudge, its: JudgingPlan, bytes: Uint8Array): Judged | Promise<Judged | Refusal> {
        const whole = { bytes, contentType }
        return bytes.byteLength <= onLoopBytesMax ? judge.examine(whole) : judging.examine(its, whole, deadlineMs)
      }

      function judgeSchema(bytes: Uint8Array): Refusal | undefined {
        const broken = schema && brokenSchema(schema, contentType, bytes, data)
        if (broken === undefined) return undefined
        found(broken.finding)
        plan.tellBroken(broken.reason)
        return refusesBroken ? refuse('answer-invalid', { reason: broken.reason }) : undefined
      }

      /** Judges a copy of what leaves, by what is noted and refused for nothing. */
      function noteWhole(copy: Source | Uint8Array): void {
        const source = decoded(copy)
        if (source === undefined) return
        const seen = looking()
        gatherThen(source, bytesMax, take, (gathered) => {
          const noting = note(gathered)
          if (noting === undefined) seen()
          else void noting.catch(plan.tellFailed).then(seen)
        })
      }

      /** At once where it can: what is found then is in the record of the answer. */
      function note(gathered: Gathered): Promise<void> | undefined {
        if (!('bytes' in gathered)) {
          // It flows on for as long as it likes, and others have bodies too.
          if ('taken' in gathered) give(gathered.taken)
          if ('more' in gathered) gathered.more.abort(new Error('nobody looks at the rest'))
          else if ('declined' in gathered) gathered.declined.abort(new Error('nobody looks at the rest'))
          return undefined
        }
        try {
          judgeSchema(gathered.bytes)
          const judged = copies === undefined || !isText ? undefined : judgedBy(copies, copyPlan, gathered.bytes)
          if (judged instanceof Promise) return judged.then(tellJudged)
          if (judged !== undefined) tellJudged(judged)
        } catch (error) {
          plan.tellFailed(error)
        }
        return undefined
      }

      function tellJudged(judged: Judged | Refusal): void {
        if ('findings' in judged) for (const finding of judged.findings) found(finding)
      }

      function decoded(coded: Source | Uint8Array): Source | Uint8Array | undefined {
        const codings = readCodings(fieldIn(headers, 'content-encoding'))
        if (codings === undefined) return undefined
        let source = coded instanceof HeldSource ? (coded.complete ?? coded) : coded
        for (const coding of codings)
          source = new DecodedSource(source instanceof Uint8Array ? sourceOf(source) : source, coding, usualBounds)
        return source
      }

      function flowing(source: Source | Uint8Array): ScreenedBody | Refusal {
        const seen = data?.watcher === undefined ? source : watch(source, data.watcher)
        if (data?.redactor === undefined) return { body: seen }
        const screening = screenSource(seen, head(), data.redactor)
        if ('unseen' in screening) {
          plan.tellUnseen()
          return { body: seen }
        }
        if ('problem' in screening) {
          if (!(source instanceof Uint8Array)) source.abort(new Error(screening.problem))
          return unreadable(screening.problem)
        }
        screenedFields(headers)
        if (screening.contentType !== undefined) setField(headers, 'Content-Type', screening.contentType)
        if (screening.body instanceof Uint8Array) sayLength(screening.body)
        return { body: telling(screening.body, screening.redactions) }
      }

      function watch(source: Source | Uint8Array, watcher: Redactor): Source | Uint8Array {
        return watched(source, (copy) => {
          const screening = screenSource(copy, head(), watcher)
          if (!('redactions' in screening)) return
          const { body: rewritten, redactions } = screening
          const seen = looking()
          const note = (): void => {
            tell(redactions, found)
            seen()
          }
          if (rewritten instanceof Uint8Array) note()
          else rewritten.flow({ chunk() {}, end: note, fail: note })
        })
      }

      function head(): { readonly contentType: string | undefined; readonly contentEncoding: string | undefined } {
        return { contentType, contentEncoding: fieldIn(headers, 'content-encoding') }
      }

      function telling(source: Source | Uint8Array, redactions: Redactions): Source | Uint8Array {
        if (source instanceof Uint8Array) {
          tell(redactions, foundStruckOut)
          return source
        }
        const seen = looking()
        const note = (): void => {
          tell(redactions, foundStruckOut)
          seen()
        }
        return {
          flow: (sink: Sink) =>
            source.flow({
              chunk: (bytes) => sink.chunk(bytes),
              end(trailers) {
                note()
                sink.end(trailers)
              },
              fail(error) {
                note()
                sink.fail(error)
              },
            }),
          pause: () => source.pause(),
          resume: () => source.resume(),
          abort(reason) {
            note()
            source.abort(reason)
          },
        }
      }

      function foundStruckOut(finding: Finding): void {
        found(struckOut(finding))
      }

      function tell({ first }: Redactions, to: (finding: Finding) => void): void {
        for (const { kind, rule, at } of first.splice(0)) to(dataFinding(kind, rule, { in: 'answer', at }))
      }

      function sayLength(bytes: Uint8Array): void {
        setField(headers, 'Content-Length', String(bytes.byteLength))
      }
    },
  }
}

/** A body of which `look` sees a copy. */
function watched(source: Source | Uint8Array, look: (copy: Source | Uint8Array) => void): Source | Uint8Array {
  const whole = source instanceof HeldSource ? (source.complete ?? source) : source
  if (!(whole instanceof Uint8Array)) return new WatchedSource(whole, look)
  look(whole)
  return whole
}
