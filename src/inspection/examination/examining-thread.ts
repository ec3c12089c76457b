/** The thread that looks into large bodies. `openOffLoop` speaks to it. */
import { parentPort } from 'node:worker_threads'
import type { RequestParts } from '../fields/request.ts'
import { type Examination, type Examined, openExamination } from './examine.ts'
import type { ExaminationPlan } from './plan.ts'

export interface Question {
  readonly number: number
  /** Told once. */
  readonly plan: ExaminationPlan | undefined
  readonly parts: RequestParts
}

/** `ready` comes first, and once: from then on time counts. */
export type Answer = { readonly ready: true } | { readonly examined: Examined } | { readonly error: unknown }

const port = parentPort
if (port === null) throw new Error('expected to run as a thread, got started as a program')

const examinations = new Map<number, Examination>()

port.on('message', async (question: Question) => {
  port.postMessage(await answerTo(question))
})

port.postMessage({ ready: true } satisfies Answer)

async function answerTo({ number, plan, parts }: Question): Promise<Answer> {
  try {
    if (plan !== undefined) examinations.set(number, openExamination(plan) as Examination) // nobody asks by a plan of nothing
    return { examined: await (examinations.get(number) as Examination).examine(parts) }
  } catch (error) {
    return { error }
  }
}
