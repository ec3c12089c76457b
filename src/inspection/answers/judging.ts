import { refuse } from '../../kernel/error.ts'
import { type OffLoop, openOffLoop } from '../examination/off-loop.ts'
import { type Judged, type JudgingPlan, unreadable, type WholeAnswer } from './judge.ts'

/** Judges large answers in a thread of its own: neither do they wait for requests, nor requests for them. */
export type Judging = OffLoop<JudgingPlan, WholeAnswer, Judged>

export function openJudgingOffLoop(): Judging {
  return openOffLoop({
    thread: new URL(import.meta.url.endsWith('.ts') ? './judging-thread.ts' : './judging-thread.js', import.meta.url),
    name: 'answers',
    late: (deadlineMs) => unreadable(`it could not be looked into within ${deadlineMs} ms`),
    crowded: refuse('unavailable', { detail: 'too many answers are being read at once', retryAfterMs: 1000 }),
  })
}
