import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { keyCases } from './cases.ts'

suite('keys, on PostgreSQL', () => keyCases(throwAwaySchema))
