import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { grantCases } from './grants-cases.ts'

suite('grants, on PostgreSQL', () => grantCases(throwAwaySchema))
