import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { incidentCases } from './incident-cases.ts'

suite('incidents, on SQLite', () =>
  incidentCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))
