import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { sealerCases } from './sealer-cases.ts'

suite('the sealer on PostgreSQL', () => sealerCases(throwAwaySchema))
