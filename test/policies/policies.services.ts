import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { nodeCases } from './node-cases.ts'
import { policyCases } from './policy-cases.ts'

suite('policies, on PostgreSQL', () => {
  policyCases(throwAwaySchema)
  nodeCases(throwAwaySchema)
})
