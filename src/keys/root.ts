import { hkdfSync } from 'node:crypto'
import { closeSync, linkSync, mkdirSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../kernel/error.ts'
import { type Random, secretText } from '../kernel/id.ts'
import type { Database } from '../store/database.ts'
import { open, seal } from './sealing.ts'

/** The one secret of a house. Every other key is derived from it, or lies in the store sealed under it. */
export interface RootKey {
  /** 32 bytes for one purpose (HKDF-SHA-256, RFC 5869): knowing one tells nothing about another. */
  derive(purpose: string): Buffer
}

export interface RootPlace {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly dataDir: string
  readonly random: Random
  readonly db: Database
}

/**
 * Takes the root secret from `GATEHOUSE_SECRET`, or from `root.key` in the data folder, which is made when it is absent.
 * Throws a Fault when it is too short, open to others, or not the one that the store was made with.
 */
export async function openRootKey({ environment, dataDir, random, db }: RootPlace): Promise<RootKey> {
  const given = environment['GATEHOUSE_SECRET']
  if (given !== undefined && given.length < lengthMin) {
    throw new Fault('unavailable', `GATEHOUSE_SECRET: expected at least ${lengthMin} characters, got ${given.length}`)
  }
  const root = rootKey(given ?? readOrMake(dataDir, random))
  await mustFit(root, db, random, given === undefined ? `\`${join(dataDir, fileName)}\`` : 'GATEHOUSE_SECRET')
  return root
}

/** The root key of a secret at hand. */
export function rootKey(secret: string): RootKey {
  return { derive: (purpose) => Buffer.from(hkdfSync('sha256', secret, 'gatehouse root', purpose, 32)) }
}

const lengthMin = 32
const fileName = 'root.key'

function readOrMake(dataDir: string, random: Random): string {
  const path = join(dataDir, fileName)
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    return read(path) ?? make(path, random)
  } catch (error) {
    if (error instanceof Fault) throw error
    throw new Fault('unavailable', `the root secret \`${path}\` cannot be had: ${(error as Error).message}`, error)
  }
}

function read(path: string): string | undefined {
  let mode: number
  try {
    mode = statSync(path).mode
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new Fault('unavailable', `the root secret \`${path}\` can be read by others: \`chmod 600\` it`)
  }
  const text = readFileSync(path, 'utf8').trim()
  if (text.length < lengthMin)
    throw new Fault('unavailable', `the root secret \`${path}\` is shorter than ${lengthMin} characters`)
  return text
}

/** Written whole beside its place and then linked there, so that of two starters one wins and the other reads it complete. */
function make(path: string, random: Random): string {
  const draft = `${path}.${process.pid}`
  const file = openSync(draft, 'w', 0o600)
  writeSync(file, `${secretText(random)}\n`)
  closeSync(file)
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    unlinkSync(draft)
  }
  return read(path) as string
}

/** A sealed word in the store tells at start whether this secret is the store's, before anything is read as garbage. */
async function mustFit(root: RootKey, db: Database, random: Random, source: string): Promise<void> {
  const key = root.derive('house check')
  const place = 'house.value.root-check'
  await db
    .insertInto('house')
    .values({ name: 'root-check', value: seal(key, 'gatehouse', place, random) })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
  const row = await db.selectFrom('house').select('value').where('name', '=', 'root-check').executeTakeFirstOrThrow()
  if (open(key, row.value, place) !== 'gatehouse') {
    throw new Fault('unavailable', `the root secret is not the one this store was made with; it came from ${source}`)
  }
}
