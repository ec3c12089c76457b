import { suite } from 'node:test'
import pg from 'pg'
import { throwAwaySchema } from '../support/postgres.ts'
import { type Breaking, unavailableCases } from './unavailable-cases.ts'

const locked: Breaking = async (_store, url, context) => {
  const client = new pg.Client(url)
  await client.connect()
  context.after(() => client.end())
  await client.query('begin')
  await client.query('lock table audit_events in exclusive mode')
  return () => client.query('rollback')
}

suite('a chain that takes nothing, on PostgreSQL', () =>
  unavailableCases(throwAwaySchema, { 'another connection holds the table of the chain': locked }))
