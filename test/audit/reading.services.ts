import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { readingCases } from './reading-cases.ts'

suite('reading the record on PostgreSQL', () => readingCases(throwAwaySchema))
