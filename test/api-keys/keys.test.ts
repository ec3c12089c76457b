import { suite } from 'node:test'
import { keyCases } from './key-cases.ts'
import { managedCases } from './managed-cases.ts'
import { rotationCases } from './rotation-cases.ts'

suite('API keys, on SQLite', () => keyCases(async () => 'sqlite::memory:'))
suite('rotation of API keys, on SQLite', () => rotationCases(async () => 'sqlite::memory:'))
suite('managed API keys, on SQLite', () => managedCases(async () => 'sqlite::memory:'))
