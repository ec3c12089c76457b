import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { revocationCases } from './revocation-cases.ts'

suite('revocations in the store, on PostgreSQL', () => revocationCases(throwAwaySchema))
