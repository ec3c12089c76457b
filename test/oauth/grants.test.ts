import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { grantCases } from './grants-cases.ts'

suite('grants, on SQLite in memory', () => grantCases(async () => 'sqlite::memory:'))
suite('grants, on SQLite in a file', () =>
  grantCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))
