/**
 * How long the emergency of the whole house takes: `node bench/audit/emergency.ts sqlite|postgres [SESSIONS]`. Fills a fresh store with
 * sessions, a million where nobody says otherwise, ten to an account, and gives the command that ends them all. PostgreSQL is that of
 * `TEST_POSTGRES_URL`.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { sql } from 'kysely'
import pg from 'pg'
import { openStore } from '../../src/store/database.ts'

const [kind = '', count = '1000000'] = process.argv.slice(2)
if (kind !== 'sqlite' && kind !== 'postgres') throw new Error('expected `sqlite` or `postgres`')
const sessions = Number(count)
const folder = await mkdtemp(join(tmpdir(), 'gatehouse-emergency-'))
const server = process.env['TEST_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const schema = 'gatehouse_bench_emergency'
try {
  const url = kind === 'sqlite' ? `sqlite:${join(folder, 'gatehouse.db')}` : await freshSchema()
  await fill(url)
  const config = join(folder, 'gatehouse.config.ts')
  await writeFile(config, `export default ${JSON.stringify({ store: url })}\n`)
  const began = performance.now()
  const command = ['src/main.ts', 'incident', 'emergency', '--all', '--reason', 'a bench', '--config', config]
  const child = spawn(process.execPath, [...command, '--data', folder], { stdio: ['ignore', 'inherit', 'pipe'] })
  for await (const line of createInterface(child.stderr)) console.log(`${seconds(began)} s: ${line}`)
  console.log(`${seconds(began)} s: the rows of ${sessions} sessions have ended, on ${kind}`)
} finally {
  await rm(folder, { recursive: true })
  if (kind === 'postgres') await ask(`drop schema if exists ${schema} cascade`)
}

async function fill(url: string): Promise<void> {
  const store = await openStore(url)
  const now = Date.now()
  const from = (first: number, last: number) =>
    kind === 'sqlite'
      ? sql`(with recursive numbers(n) as (select ${sql.lit(first)} union all select n + 1 from numbers where n < ${sql.lit(last)}) select n from numbers) as numbers`
      : sql`generate_series(${sql.lit(first)}::bigint, ${sql.lit(last)}::bigint) as numbers(n)`
  const id = (place: string) => (kind === 'sqlite' ? `printf('%012x', ${place})` : `lpad(to_hex(${place}), 12, '0')`)
  const user = sql.raw(`'01970000-0000-7000-8000-' || ${id('n / 10')}`)
  await sql`insert into users (id, email, name, status, created_at, updated_at)
    select ${sql.raw(`'01970000-0000-7000-8000-' || ${id('n')}`)}, n || '@people.example', 'Somebody', 'active', ${now}, ${now}
    from ${from(0, Math.ceil(sessions / 10))}`.execute(store.db)
  await sql`insert into sessions (id, user_id, kind, generation, refresh_hash, rotated_at, created_at, seen_at, expires_at, address, user_agent, methods, authenticated_at)
    select ${sql.raw(`'01970000-0000-7000-8001-' || ${id('n')}`)}, ${user}, 'tokens', 0, ${sql.raw(id('n'))} || 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495', ${now}, ${now}, ${now}, ${now + 86_400_000}, '192.0.2.1', 'Mozilla/5.0 (X11; Linux x86_64)', 'password', ${now}
    from ${from(1, sessions)}`.execute(store.db)
  if (kind === 'postgres') await sql`analyze`.execute(store.db)
  await store.close()
}

async function freshSchema(): Promise<string> {
  await ask(`drop schema if exists ${schema} cascade`, `create schema ${schema}`)
  const url = new URL(server)
  url.searchParams.set('options', `-c search_path=${schema}`)
  return url.href.replaceAll('+', '%20')
}

async function ask(...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1)
}
