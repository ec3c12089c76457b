import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { dpopReplayCases } from './dpop-replay-cases.ts'

suite('proofs are seen once, on PostgreSQL', () => dpopReplayCases(throwAwaySchema))
