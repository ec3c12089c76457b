import { refuse } from '../../kernel/error.ts'
import type { RequestParts } from '../fields/request.ts'
import type { Examined } from './examine.ts'
import { type OffLoop, openOffLoop } from './off-loop.ts'
import type { ExaminationPlan } from './plan.ts'

/** Examines large requests in a thread of its own. */
export type Examining = OffLoop<ExaminationPlan, RequestParts, Examined>

export function openExamining(): Examining {
  return openOffLoop({
    thread: new URL(
      import.meta.url.endsWith('.ts') ? './examining-thread.ts' : './examining-thread.js',
      import.meta.url,
    ),
    name: 'inspection',
    late: (deadlineMs) =>
      refuse('not-inspectable', { detail: `the body could not be inspected within ${deadlineMs} ms; send less of it` }),
    crowded: refuse('overloaded', { detail: 'too many large bodies wait to be inspected', retryAfterMs: 1000 }),
  })
}
