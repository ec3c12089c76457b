import { hkdfSync } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { base64url } from '../kernel/bytes.ts'
import { Fault } from '../kernel/error.ts'
import { type Random, secretText } from '../kernel/id.ts'
import { readOwnFile } from '../kernel/secret.ts'
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
  const check = await checkOf(db)
  const path = join(dataDir, fileName)
  const root = rootKey(given ?? readOrMake(path, check === undefined ? random : undefined))
  mustFit(root, check ?? (await leaveCheck(root, db, random)), given === undefined ? `\`${path}\`` : 'GATEHOUSE_SECRET')
  return root
}

/** The root key of a secret at hand. */
export function rootKey(secret: string): RootKey {
  return { derive: (purpose) => Buffer.from(hkdfSync('sha256', secret, 'gatehouse root', purpose, 32)) }
}

const lengthMin = 32
const fileName = 'root.key'

/** `random` makes the file where there is none; without it, an absent file is a Fault. */
function readOrMake(path: string, random: Random | undefined): string {
  try {
    const text = read(path)
    if (text !== undefined) return text
    if (random !== undefined) return make(path, random)
  } catch (error) {
    if (error instanceof Fault) throw error
    throw new Fault('unavailable', `the root secret \`${path}\` cannot be had: ${(error as Error).message}`, error)
  }
  throw new Fault(
    'unavailable',
    `the root secret that this store was made with is missing: set GATEHOUSE_SECRET, or put \`${path}\` back`,
  )
}

function read(path: string): string | undefined {
  let content: string | undefined
  try {
    content = readOwnFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  if (content === undefined)
    throw new Fault('unavailable', `the root secret \`${path}\` can be read by others: \`chmod 600\` it`)
  const text = content.trim()
  if (text.length < lengthMin)
    throw new Fault('unavailable', `the root secret \`${path}\` is shorter than ${lengthMin} characters`)
  return text
}

/**
 * Written whole beside its place and then linked there: of two starters one wins, and the other reads it complete. The
 * draft's name is random, for threads share a process id, and so do the containers that share a folder.
 */
function make(path: string, random: Random): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${base64url(random.bytes(9))}`
  const file = openSync(draft, 'wx', 0o600)
  try {
    writeSync(file, `${secretText(random)}\n`)
    fsyncSync(file) // what is sealed under it will be on the disk too
  } finally {
    closeSync(file)
  }
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    unlinkSync(draft)
  }
  return read(path) as string
}

/** A word that the store keeps sealed tells at start whether a secret is the store's, before anything is read as garbage. */
function mustFit(root: RootKey, check: string, source: string): void {
  if (open(root.derive(checkPurpose), check, checkPlace) === 'gatehouse') return
  throw new Fault('unavailable', `the root secret is not the one this store was made with; it came from ${source}`)
}

/** The store's own check: of two starters, the one that came first left it. */
async function leaveCheck(root: RootKey, db: Database, random: Random): Promise<string> {
  await db
    .insertInto('house')
    .values({ name: checkName, value: seal(root.derive(checkPurpose), 'gatehouse', checkPlace, random) })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
  return (await checkOf(db)) as string
}

async function checkOf(db: Database): Promise<string | undefined> {
  const row = await db.selectFrom('house').select('value').where('name', '=', checkName).executeTakeFirst()
  return row?.value
}

const checkName = 'root-check'
const checkPurpose = 'house check'
const checkPlace = 'house.value.root-check'
