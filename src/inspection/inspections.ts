import { type AnswerScreen, openAnswerScreen } from './answers/answer-screen.ts'
import { type Judging, openJudgingOffLoop } from './answers/judging.ts'
import { type ConsultantParts, Consultants } from './consultation.ts'
import { openExamination } from './examination/examine.ts'
import { type Examining, openExamining } from './examination/examining.ts'
import type { ExaminationPlan } from './examination/plan.ts'
import { type Inspector, openInspector } from './inspector.ts'
import { type EffectiveInspection, type InspectionOptions, inspectionOf } from './options.ts'
import type { AnswerCheck } from './schema/answer.ts'
import { uploadBounds } from './uploads/uploads.ts'
import { openVirusScan } from './uploads/virus-scan.ts'

/** Looks into requests and answers, by whichever configuration holds. */
export interface Inspections {
  /** Makes what the routes of one configuration look for. */
  by(house: InspectionOptions): (route: InspectedRoute) => RouteInspection
  close(): Promise<void>
}

/** What is known of a route where its inspection is made. */
export interface InspectedRoute {
  readonly name: string
  readonly inspection: InspectionOptions | undefined
  /** The schema of its body, which tells what its fields are for. */
  readonly schema: unknown
  readonly answers: AnswerCheck | undefined
  readonly refusesBrokenAnswers: boolean
  readonly answerMax: number | undefined
}

/** What is looked for on a route; undefined: nothing. */
export interface RouteInspection {
  readonly inspector: Inspector | undefined
  readonly answers: AnswerScreen | undefined
}

export interface InspectionParts extends ConsultantParts {
  /** 32 bytes, of this house: hashes and tokens in the place of personal data are made with it. */
  readonly key: Uint8Array
}

export function openInspections(parts: InspectionParts): Inspections {
  const offLoop = openExamining()
  const judging = openJudgingOffLoop()
  const consultants = new Consultants(parts)
  return {
    by: (house) => (route) => inspectionOfRoute(house, route, { ...parts, offLoop, judging, consultants }),
    async close() {
      await Promise.all([offLoop.close(), judging.close(), consultants.close()])
    },
  }
}

/** The largest body, or answer, that is looked into where nobody says otherwise; with files there is room for the largest of them. */
const usualBytesMax = 1024 * 1024
const usualDeadlineMs = 1000

interface Opened extends InspectionParts {
  readonly offLoop: Examining
  readonly judging: Judging
  readonly consultants: Consultants
}

function inspectionOfRoute(
  house: InspectionOptions,
  route: InspectedRoute,
  { key, log, offLoop, judging, consultants }: Opened,
): RouteInspection {
  const options = inspectionOf(house, route.inspection)
  const { injection, prompts, pii, secrets, uploads, html, moderation, deadline = usualDeadlineMs } = options
  const consultation = consultants.of(moderation, prompts)
  const plan: ExaminationPlan = {
    injection,
    prompts,
    pii,
    secrets,
    uploads,
    html,
    texts: consultation === undefined ? 'unwanted' : consultation.acts ? 'needed' : 'wanted',
    schema: route.schema,
    bodyBytesMax: bodyBytesMaxOf(options),
    key,
  }
  const examination = openExamination(plan)
  const virusScan = uploads?.clamd && openVirusScan(uploads.clamd, log)
  return {
    inspector:
      examination &&
      openInspector({
        examination,
        plan,
        offLoop,
        deadlineMs: deadline,
        consultation,
        virusScan,
        tellFailed: (error) => log.error({ route: route.name, err: error }, 'a request could not be looked into'),
      }),
    answers: openAnswerScreen({
      pii,
      secrets,
      prompts,
      check: route.answers,
      refusesBroken: route.refusesBrokenAnswers,
      bytesMax: route.answerMax ?? options.bodyMax ?? usualBytesMax,
      deadlineMs: deadline,
      judging,
      key,
      tellBroken: (what) => log.warn({ route: route.name, broken: what }, 'an answer breaks the schema of its route'),
      tellFailed: (error) => log.error({ route: route.name, err: error }, 'an answer could not be looked into'),
      tellUnseen: () => log.debug({ route: route.name }, 'an answer was not screened: it is no text'),
    }),
  }
}

function bodyBytesMaxOf({ bodyMax, uploads }: EffectiveInspection): number {
  if (bodyMax !== undefined) return bodyMax
  return uploads === undefined ? usualBytesMax : uploadBounds(uploads).fileBytesMax + usualBytesMax
}
