import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { refreshCrashCases } from './refresh-crash-cases.ts'

suite('a refresh and a crash, on SQLite', () =>
  refreshCrashCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))
