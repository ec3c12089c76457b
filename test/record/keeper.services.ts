import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { keeperCases } from './keeper-cases.ts'

suite('processes that keep one record, on PostgreSQL', { concurrency: true }, () => keeperCases(throwAwaySchema))
