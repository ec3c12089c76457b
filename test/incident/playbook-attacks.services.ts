import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { playbookAttackCases } from './playbook-attack-cases.ts'

suite('what is done to playbooks, on PostgreSQL', () => playbookAttackCases(throwAwaySchema))
