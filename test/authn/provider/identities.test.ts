import { suite } from 'node:test'
import { identityCases } from './identity-cases.ts'

suite('linked identities, on SQLite', () => identityCases(async () => 'sqlite::memory:'))
