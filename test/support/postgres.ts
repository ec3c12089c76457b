import { randomBytes } from 'node:crypto'
import { after } from 'node:test'
import pg from 'pg'

const server = process.env['TEST_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/test'
const schemas: string[] = []

/** The address of an empty schema on a real server. It is dropped when the tests of this file are through. */
export async function throwAwaySchema(): Promise<string> {
  const name = `gatehouse_${randomBytes(6).toString('hex')}`
  await ask(`create schema ${name}`)
  schemas.push(name)
  const url = new URL(server)
  // The server itself is never killed here: it need not wait for the disk.
  url.searchParams.set('options', `-c search_path=${name} -c synchronous_commit=off`)
  url.searchParams.set('application_name', name)
  return url.href.replaceAll('+', '%20')
}

after(async () => {
  for (const name of schemas) await ask(`drop schema ${name} cascade`)
})

/** Cuts every connection that was made to such an address, and answers how many there were. */
export async function cutConnections(url: string): Promise<number> {
  const name = new URL(url).searchParams.get('application_name')
  return (await ask(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${name}'`)).length
}

async function ask(sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}
