import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { chainCases } from './cases.ts'

suite('the chain on PostgreSQL', () => chainCases(throwAwaySchema))
