import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { keeperCases } from './keeper-cases.ts'

suite('processes that keep one record, on SQLite', { concurrency: true }, () =>
  keeperCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`),
)
