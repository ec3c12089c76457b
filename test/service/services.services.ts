import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { serviceCases } from './service-cases.ts'

suite('services, on PostgreSQL', () => serviceCases(throwAwaySchema))
