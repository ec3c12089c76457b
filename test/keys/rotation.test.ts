import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { rotationCases } from './rotation-cases.ts'

suite('keys take turns, on SQLite', () =>
  rotationCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))
