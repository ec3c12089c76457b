import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { playbookCases } from './playbook-cases.ts'

suite('playbooks, on PostgreSQL', () => playbookCases(throwAwaySchema))
