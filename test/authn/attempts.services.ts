import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { attemptCases } from './attempt-cases.ts'

suite('attempts, on PostgreSQL', () => attemptCases(throwAwaySchema))
