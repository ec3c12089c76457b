import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { incidentCases } from './incident-cases.ts'

suite('incidents, on PostgreSQL', () => incidentCases(throwAwaySchema))
