import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { checkpointCases } from './checkpoint-cases.ts'
import { checkpointVerifyCases } from './checkpoint-verify-cases.ts'
import { scrubberCases } from './scrubber-cases.ts'

suite('checkpoints on PostgreSQL', () => {
  checkpointCases(throwAwaySchema)
  checkpointVerifyCases(throwAwaySchema)
  scrubberCases(throwAwaySchema)
})
