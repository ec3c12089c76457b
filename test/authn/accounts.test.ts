import { suite } from 'node:test'
import { accountCases } from './account-cases.ts'

suite('accounts, on SQLite', () => accountCases(async () => 'sqlite::memory:'))
