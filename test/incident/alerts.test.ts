import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { alertCases } from './alert-cases.ts'

suite('alerts, on SQLite', () =>
  alertCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))
