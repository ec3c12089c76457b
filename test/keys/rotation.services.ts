import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { rotationCases } from './rotation-cases.ts'

suite('keys take turns, on PostgreSQL', () => rotationCases(throwAwaySchema))
