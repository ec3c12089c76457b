import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { clientCases } from './client-cases.ts'
import { registrationCases } from './registration-cases.ts'

suite('clients, on PostgreSQL', () => clientCases(throwAwaySchema))
suite('registration, on PostgreSQL', () => registrationCases(throwAwaySchema))
