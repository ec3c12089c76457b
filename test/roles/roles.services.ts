import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { roleCases } from './role-cases.ts'

suite('roles, on PostgreSQL', () => roleCases(throwAwaySchema))
