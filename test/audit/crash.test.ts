import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { crashCases } from './crash-cases.ts'

suite('a crash, on SQLite', () =>
  crashCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`, 2))
