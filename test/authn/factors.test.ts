import { suite } from 'node:test'
import { factorsCases } from './factors-cases.ts'

suite('factors, on SQLite', () => factorsCases(async () => 'sqlite::memory:'))
