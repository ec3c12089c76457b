import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { mailCrashCases } from './crash-cases.ts'
import { outboxCases } from './outbox-cases.ts'

suite('outbox, on PostgreSQL', () => outboxCases(throwAwaySchema))
suite('letters and crashes, on PostgreSQL', () => mailCrashCases(throwAwaySchema))
