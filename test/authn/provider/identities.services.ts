import { suite } from 'node:test'
import { throwAwaySchema } from '../../support/postgres.ts'
import { identityCases } from './identity-cases.ts'

suite('linked identities, on PostgreSQL', () => identityCases(throwAwaySchema))
