import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { keyCases } from './key-cases.ts'
import { managedCases } from './managed-cases.ts'
import { rotationCases } from './rotation-cases.ts'

suite('API keys, on PostgreSQL', () => keyCases(throwAwaySchema))
suite('rotation of API keys, on PostgreSQL', () => rotationCases(throwAwaySchema))
suite('managed API keys, on PostgreSQL', () => managedCases(throwAwaySchema))
