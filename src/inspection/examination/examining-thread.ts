/** The thread that looks into large bodies of requests. */
import { answerQuestions } from './answer-questions.ts'
import { type Examination, openExamination } from './examine.ts'
import type { ExaminationPlan } from './plan.ts'

answerQuestions((plan: ExaminationPlan) => openExamination(plan) as Examination) // nobody asks by a plan of nothing
