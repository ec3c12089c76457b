import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { serviceCases } from './service-cases.ts'

suite('services, on SQLite in memory', () => serviceCases(async () => 'sqlite::memory:'))
suite('services, on SQLite in a file', () =>
  serviceCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))
