import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { roleCases } from './role-cases.ts'

suite('roles, on SQLite', () =>
  roleCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))
