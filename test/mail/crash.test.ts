import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { mailCrashCases } from './crash-cases.ts'

suite('letters and crashes, on SQLite in a file', () =>
  mailCrashCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))
