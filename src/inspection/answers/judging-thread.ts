/** The thread that looks into large answers. */
import { answerQuestions } from '../examination/answer-questions.ts'
import { openJudging } from './judge.ts'

answerQuestions(openJudging)
