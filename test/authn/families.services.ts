import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { familyCases } from './family-cases.ts'

suite('families of clients, on PostgreSQL', () => familyCases(throwAwaySchema))
