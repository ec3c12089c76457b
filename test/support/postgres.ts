import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import pg from 'pg'

const server = process.env['TEST_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/test'

/** The address of an empty schema on a real server, for as long as one test runs. */
export async function throwAwaySchema(context: TestContext): Promise<string> {
  const name = `gatehouse_${randomBytes(6).toString('hex')}`
  await ask(`create schema ${name}`)
  context.after(() => ask(`drop schema ${name} cascade`))
  const url = new URL(server)
  url.searchParams.set('options', `-c search_path=${name}`)
  return url.href.replaceAll('+', '%20')
}

/** One statement on a connection of its own. */
export async function ask(sql: string, url: string = server): Promise<Readonly<Record<string, unknown>>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}
