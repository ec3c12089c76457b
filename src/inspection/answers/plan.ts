import type { AnswerCheck } from '../schema/answer.ts'
import type { JudgingPlan } from './judge.ts'
import type { Judging } from './judging.ts'

/** What is looked for in the answers of a route. */
export interface AnswerPlan extends Omit<JudgingPlan, 'ordersOnly'> {
  readonly check: AnswerCheck | undefined
  /** Whether an answer that breaks its schema is refused; else it is noted. */
  readonly refusesBroken: boolean
  /** How long looking at a large answer may take, and waiting for it before that. */
  readonly deadlineMs: number
  /** Looks at large answers. */
  readonly judging: Judging
  /** Told, for the log, what an answer breaks. */
  readonly tellBroken: (what: string) => void
  /** Told what went wrong where an answer was only looked at, and has left. */
  readonly tellFailed: (error: unknown) => void
  /** Told of each answer that was not looked into, because it is no text. */
  readonly tellUnseen: () => void
}
