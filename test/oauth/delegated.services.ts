import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { delegatedCases } from './delegated-cases.ts'

suite('delegated sessions, on PostgreSQL', () => delegatedCases(throwAwaySchema))
