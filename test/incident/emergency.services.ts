import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { emergencyCases } from './emergency-cases.ts'

suite('emergencies, on PostgreSQL', () => emergencyCases(throwAwaySchema))
