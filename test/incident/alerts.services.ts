import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { alertCases } from './alert-cases.ts'

suite('alerts, on PostgreSQL', () => alertCases(throwAwaySchema))
