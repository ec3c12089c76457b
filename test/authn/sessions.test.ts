import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { sessionCases } from './session-cases.ts'

suite('sessions, on SQLite in memory', () => sessionCases(async () => 'sqlite::memory:'))
suite('sessions, on SQLite in a file', () =>
  sessionCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))
