import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { playbookCases } from './playbook-cases.ts'

suite('playbooks, on SQLite', () =>
  playbookCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))
