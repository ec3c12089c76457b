import { suite } from 'node:test'
import { totpCases } from './totp-cases.ts'

suite('authenticator codes, on SQLite', () => totpCases(async () => 'sqlite::memory:'))
