import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { nodeCases } from './node-cases.ts'
import { policyCases } from './policy-cases.ts'

suite('policies, on SQLite', () => {
  policyCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`)
  nodeCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`)
})
