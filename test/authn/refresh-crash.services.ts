import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { refreshCrashCases } from './refresh-crash-cases.ts'

suite('a refresh and a crash, on PostgreSQL', () => refreshCrashCases(throwAwaySchema))
