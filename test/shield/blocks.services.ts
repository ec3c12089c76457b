import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { blockCases } from './block-cases.ts'

suite('blocks of addresses, on PostgreSQL', () => blockCases(throwAwaySchema))
