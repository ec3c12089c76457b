import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { accountCases } from './account-cases.ts'
import { sessionCases } from './session-cases.ts'

suite('sessions, on PostgreSQL', () => sessionCases(throwAwaySchema))
suite('accounts, on PostgreSQL', () => accountCases(throwAwaySchema))
