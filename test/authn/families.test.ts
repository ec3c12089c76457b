import { suite } from 'node:test'
import { familyCases } from './family-cases.ts'

suite('families of clients, on SQLite', () => familyCases(async () => 'sqlite::memory:'))
