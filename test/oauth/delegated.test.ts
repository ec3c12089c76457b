import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { delegatedCases } from './delegated-cases.ts'

suite('delegated sessions, on SQLite in memory', () => delegatedCases(async () => 'sqlite::memory:'))
suite('delegated sessions, on SQLite in a file', () =>
  delegatedCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))
