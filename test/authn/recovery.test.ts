import { suite } from 'node:test'
import { recoveryCases } from './recovery-cases.ts'

suite('recovery codes, on SQLite', () => recoveryCases(async () => 'sqlite::memory:'))
