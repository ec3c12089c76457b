import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { followCases } from './follow-cases.ts'

suite('followers of the record, on PostgreSQL', () => followCases(throwAwaySchema))
