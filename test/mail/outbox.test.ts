import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { outboxCases } from './outbox-cases.ts'

suite('outbox, on SQLite in a file', () =>
  outboxCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))
