import { suite } from 'node:test'
import { passkeyCases } from './passkey-cases.ts'

suite('passkeys, on SQLite', () => passkeyCases(async () => 'sqlite::memory:'))
