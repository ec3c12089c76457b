import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { checkpointCases } from './checkpoint-cases.ts'
import { checkpointVerifyCases } from './checkpoint-verify-cases.ts'
import { scrubberCases } from './scrubber-cases.ts'

suite('checkpoints on SQLite in memory', () => {
  checkpointCases(async () => 'sqlite::memory:')
  checkpointVerifyCases(async () => 'sqlite::memory:')
  scrubberCases(async () => 'sqlite::memory:')
})

suite('checkpoints on SQLite in a file', () =>
  checkpointCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))
