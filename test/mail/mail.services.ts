import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { outboxCases } from './outbox-cases.ts'

suite('outbox, on PostgreSQL', () => outboxCases(throwAwaySchema))
