import { join } from 'node:path'
import { suite } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { playbookAttackCases } from './playbook-attack-cases.ts'

suite('what is done to playbooks, on SQLite', () =>
  playbookAttackCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))
