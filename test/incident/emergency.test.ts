import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { emergencyCases } from './emergency-cases.ts'

suite('emergencies, on SQLite', () =>
  emergencyCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))
