import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { blockCases } from './block-cases.ts'

suite('blocks of addresses, on SQLite', () =>
  blockCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))
