import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { replayCases } from './replay-cases.ts'

suite('signatures are good once, on PostgreSQL', () => replayCases(throwAwaySchema))
