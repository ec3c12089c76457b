import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { followCases } from './follow-cases.ts'

suite('followers of the record, on SQLite', { concurrency: true }, () =>
  followCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`),
)
