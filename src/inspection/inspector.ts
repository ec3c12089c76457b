import { type Refusal, refuse } from '../kernel/error.ts'
import type { Consultation } from './consultation.ts'
import type { Examination, Examined } from './examination/examine.ts'
import type { Examining } from './examination/examining.ts'
import { filesOf, hasFields } from './examination/files.ts'
import type { ExaminationPlan } from './examination/plan.ts'
import { readMediaType } from './fields/media-type.ts'
import type { RequestParts } from './fields/request.ts'
import type { Finding } from './finding.ts'
import { refuseFor } from './told.ts'
import { openPartMeter, type WrongFile } from './uploads/part-meter.ts'
import { errorsOf, findingOf, uploadBounds } from './uploads/uploads.ts'
import type { Scanned, VirusScan } from './uploads/virus-scan.ts'

/** What is looked for in the requests of one route. Made at load. */
export interface Inspector {
  /** Whether anything may be refused or struck out: else nobody waits for what comes of looking. */
  readonly acts: boolean
  /** Whether the body of a request has to be there, whole; a refusal where it has to and cannot. */
  needsBody(body: BodyHead): boolean | Refusal
  /** Looks at each piece of such a body as it comes, and says what is wrong with a file that is too much, before the rest of it is here. */
  meter(body: BodyHead): ((chunk: Uint8Array) => Inspected | undefined) | undefined
  /** Whether a copy of the body is looked into while it flows on: nothing is done about what is found. */
  watches(body: BodyHead): boolean
  /** Whether a body goes on unread because of what it says that it is, and must not turn out to be text. */
  letsPass(body: BodyHead): boolean
  /** Bytes of a body that are looked into, at most. */
  readonly bodyBytesMax: number
  /** It waits only for what is large, or asked elsewhere. */
  inspect(parts: RequestParts): Inspected | Promise<Inspected>
}

/** What the head of a request says of its body. */
export interface BodyHead {
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
  /** Bytes announced; undefined where nobody did. */
  readonly contentLength: number | undefined
}

/** What came of looking. */
export interface Inspected {
  readonly findings: readonly Finding[]
  /** How sure it is that the request attacks, from 0 to 1. */
  readonly score: number
  /** Why it does not go on; undefined where it does. */
  readonly refusal: Refusal | undefined
  /** The body as it goes on, where something in it was struck out. */
  readonly body: Examined['body']
  /** What others say whom nobody waits for: it never rejects. */
  readonly later: Promise<readonly Finding[]> | undefined
}

export interface InspectorParts {
  readonly examination: Examination
  readonly plan: ExaminationPlan
  readonly offLoop: Examining
  readonly deadlineMs: number
  readonly consultation: Consultation | undefined
  readonly virusScan: VirusScan | undefined
  /** Told of what could not be looked into, where it goes on all the same. */
  readonly tellFailed: (error: unknown) => void
}

/** A body of more bytes is looked into by a thread of its own. */
const onLoopBytesMax = 32 * 1024

export function openInspector(parts: InspectorParts): Inspector {
  const { examination, plan, offLoop, deadlineMs, consultation, virusScan, tellFailed } = parts
  const { acts } = examination
  const { bodyBytesMax, uploads } = plan
  return {
    acts,
    bodyBytesMax,
    needsBody({ contentType, contentEncoding, contentLength }) {
      if (!acts) return false // to look changes nothing then, and keeps nobody waiting
      if (!isPlain(contentEncoding))
        return refuse('not-inspectable', {
          detail: 'expected a body without `Content-Encoding`: this route looks into what it is sent',
        })
      if (uploads === undefined && !isReadable(contentType)) return false
      return contentLength === undefined || contentLength <= bodyBytesMax
        ? true
        : refuse('content-too-large', { detail: `this route looks into bodies of ${bodyBytesMax} bytes at most` })
    },
    meter({ contentType }) {
      if (uploads === undefined) return undefined
      const media = contentType === undefined ? undefined : readMediaType(contentType)
      if (media !== undefined && !('problem' in media) && hasFields(media.type)) return undefined
      const meter = openPartMeter(contentType, uploadBounds(uploads))
      return (chunk) => {
        const wrong = meter.update(chunk)
        return wrong && refusedFile(wrong)
      }
    },
    watches({ contentType, contentEncoding, contentLength = 0 }) {
      return !acts && contentLength <= bodyBytesMax && isPlain(contentEncoding) && isReadable(contentType)
    },
    letsPass: ({ contentType }) => acts && uploads === undefined && !isReadable(contentType),
    inspect: acts ? inspect : inspectInPassing,
  }

  function inspect(parts: RequestParts): Inspected | Promise<Inspected> {
    const examined = examine(parts)
    return examined instanceof Promise ? examined.then((late) => settle(parts, late)) : settle(parts, examined)
  }

  /** Where nothing is done about what is found, nothing happens to a request that could not be looked into. It never rejects. */
  function inspectInPassing(parts: RequestParts): Inspected | Promise<Inspected> {
    try {
      const outcome = inspect(parts)
      return outcome instanceof Promise ? outcome.catch(failed) : outcome
    } catch (error) {
      return failed(error)
    }
  }

  function failed(error: unknown): Inspected {
    tellFailed(error)
    return untouched
  }

  function examine(parts: RequestParts): Examined | Refusal | Promise<Examined | Refusal> {
    const { body } = parts
    const isSmall = body === undefined || body.byteLength <= onLoopBytesMax
    // A small archive may hold much.
    const mayUnfold = uploads !== undefined && body !== undefined && body.byteLength > 0
    return isSmall && !mayUnfold ? examination.examine(parts) : offLoop.examine(plan, parts, deadlineMs)
  }

  function settle(parts: RequestParts, examined: Examined | Refusal): Inspected | Promise<Inspected> {
    if ('code' in examined) return { ...untouched, refusal: acts ? examined : undefined }
    const outcome = inspected(examined)
    if (outcome.refusal !== undefined) return outcome
    const scanning = virusScan === undefined ? undefined : scan(virusScan, parts, examined)
    const consulting =
      consultation === undefined || examined.texts.length === 0 ? undefined : consultation.consult(examined.texts)
    if (scanning === undefined && consulting === undefined) return outcome
    if (consultation?.acts === true) return withOthers(outcome, [scanning, consulting])
    const later = consulting?.then(
      ({ findings }) => findings,
      () => [],
    )
    return scanning === undefined ? { ...outcome, later } : withOthers({ ...outcome, later }, [scanning])
  }

  function scan(virusScan: VirusScan, parts: RequestParts, { body }: Examined): Promise<Scanned> | undefined {
    const { contentType } = parts
    const read = filesOf({ contentType: body?.contentType ?? contentType, body: body?.bytes ?? parts.body })
    return 'problem' in read || read.files.length === 0 ? undefined : virusScan.scan(read.files)
  }
}

const untouched: Inspected = { findings: [], score: 0, refusal: undefined, body: undefined, later: undefined }

async function withOthers(outcome: Inspected, asked: readonly (Promise<Scanned> | undefined)[]): Promise<Inspected> {
  const told = (await Promise.all(asked)).filter((one) => one !== undefined)
  return {
    ...outcome,
    findings: [...told.flatMap(({ findings }) => findings), ...outcome.findings],
    refusal: told.find(({ refusal }) => refusal !== undefined)?.refusal,
  }
}

function inspected({ findings, score, refused, body }: Examined): Inspected {
  if (findings.length === 0 && refused === undefined && body === undefined) return untouched
  return { ...untouched, findings, score, body, refusal: refused === undefined ? undefined : refusalOf(refused) }
}

function refusalOf(refused: NonNullable<Examined['refused']>): Refusal {
  if ('problem' in refused) return refuse('not-inspectable', { detail: refused.problem })
  const { code, findings, errors } = refused
  const refusal = refuseFor(code, findings)
  if (errors === undefined) return refusal
  const files = Object.keys(errors)
  return {
    ...refusal,
    detail: `${files.length === 1 ? 'a file is' : `${files.length} files are`} not accepted: ${Object.values(errors).flat()[0]}`,
    errors,
    extensions: {},
  }
}

function refusedFile(wrong: WrongFile): Inspected {
  const findings = [findingOf(wrong)]
  return { ...untouched, findings, refusal: refusalOf({ code: 'upload-refused', findings, errors: errorsOf([wrong]) }) }
}

function isPlain(contentEncoding: string | undefined): boolean {
  return contentEncoding === undefined || /^\s*(?:identity)?\s*$/i.test(contentEncoding)
}

/** Media that are no text to anybody: what is there is for players and viewers. Whatever else a body says that it is, it is read. */
function isReadable(contentType: string | undefined): boolean {
  if (contentType === undefined) return true
  const media = readMediaType(contentType)
  return 'problem' in media || !/^(?:image\/(?!svg)|audio\/|video\/|font\/)/i.test(media.type)
}
