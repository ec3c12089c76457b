import { hash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { equalBytes } from '../../kernel/bytes.ts'
import { Fault } from '../../kernel/error.ts'

/**
 * Passwords that were seen in breaches, in a file. Each is there as the first 48 bits of its SHA-1, in ascending order: six
 * gigabytes hold a thousand million, and a password that is not among so many is taken for one of them once in 280,000 times.
 */
export interface BreachList {
  readonly count: number
  /** Whether a password is on the list. Reads a few kilobytes of the file, and a `Fault` when it cannot. */
  has(password: string): boolean
}

/**
 * Opens a list that `buildBreachList` made. The file is opened anew for each question: one that was renamed into its place
 * is heard at once, and no handle is left behind.
 */
export function openBreachList(path: string): BreachList {
  const { count } = reading(path, ({ header }) => header)
  return { count, has: (password) => reading(path, (file) => find(file, breachKey(password))) }
}

/** The number that a password has on the list; the digest of a published dump has it in its first six bytes. */
export function breachKey(password: string): number {
  return hash('sha1', password.normalize('NFC'), 'buffer').readUIntBE(0, keyBytes)
}

export const keyBytes = 6
export const headerBytes = 64
const keyEnd = 2 ** (8 * keyBytes)

/** `GHBREACH`, version, bytes of a key, number of keys, SHA-256 of the keys; and eight bytes of the SHA-256 of all that. */
export interface Header {
  readonly count: number
  readonly digest: Uint8Array
}

const magic = Buffer.from('GHBREACH')
const version = 1
const at = { version: 8, keyBytes: 12, count: 16, digest: 24, check: 56 } as const

export function writeHeader({ count, digest }: Header): Buffer {
  const bytes = Buffer.alloc(headerBytes)
  magic.copy(bytes)
  bytes.writeUInt32BE(version, at.version)
  bytes.writeUInt32BE(keyBytes, at.keyBytes)
  bytes.writeBigUInt64BE(BigInt(count), at.count)
  bytes.set(digest, at.digest)
  bytes.set(checkOf(bytes), at.check)
  return bytes
}

/** An open list whose header and size are in order. */
export interface BreachFile {
  readonly header: Header
  /** Reads so many bytes at so many behind the header. */
  read(count: number, offset: number): Buffer
  /** What to throw where the file contradicts itself. */
  damaged(what: string): Fault
}

/** Opens the file for as long as `act` takes. */
export function reading<T>(path: string, act: (file: BreachFile) => T): T {
  const damaged = (what: string, cause?: unknown): Fault =>
    new Fault('unavailable', `the breach list \`${path}\` ${what}`, cause)
  const handle = attempt(() => openSync(path, 'r'))
  try {
    const stat = attempt(() => fstatSync(handle))
    if (!stat.isFile()) throw damaged('is not a file')
    const header = readHeader(read(headerBytes, 0), stat.size)
    return act({ header, read: (count, offset) => read(count, headerBytes + offset), damaged })
  } finally {
    closeSync(handle)
  }

  function attempt<R>(call: () => R): R {
    try {
      return call()
    } catch (error) {
      throw damaged(`cannot be read: ${(error as Error).message}`, error)
    }
  }

  function read(count: number, position: number): Buffer {
    const bytes = Buffer.allocUnsafe(count)
    for (let filled = 0; filled < count; ) {
      const got = attempt(() => readSync(handle, bytes, filled, count - filled, position + filled))
      if (got === 0) throw damaged('is cut off')
      filled += got
    }
    return bytes
  }

  function readHeader(bytes: Buffer, fileBytes: number): Header {
    if (!bytes.subarray(0, magic.length).equals(magic)) throw damaged('is not one: `gatehouse breach build` makes them')
    if (!equalBytes(bytes.subarray(at.check), checkOf(bytes))) throw damaged('has a damaged header')
    const found = bytes.readUInt32BE(at.version)
    if (found !== version || bytes.readUInt32BE(at.keyBytes) !== keyBytes)
      throw damaged(`is of version ${found}, and version ${version} is what can be read`)
    const count = Number(bytes.readBigUInt64BE(at.count))
    const expected = headerBytes + count * keyBytes
    if (fileBytes !== expected) throw damaged(`should have ${expected} bytes, and has ${fileBytes}`)
    return { count, digest: bytes.subarray(at.digest, at.check) }
  }
}

function checkOf(header: Buffer): Buffer {
  return hash('sha256', header.subarray(0, at.check), 'buffer').subarray(0, headerBytes - at.check)
}

const blockKeys = 512

/**
 * Digests are spread evenly, so where a key would lie can be told from its size: among a thousand million it takes three
 * or four reads. Should a file be made otherwise, halving finds it too.
 */
function find({ header, read, damaged }: BreachFile, key: number): boolean {
  let [low, end] = [0, header.count]
  let [lowKey, endKey] = [0, keyEnd]
  for (let round = 0; low < end; round++) {
    const share = round < 8 ? (key - lowKey) / (endKey - lowKey) : 0.5
    const guess = low + Math.floor(share * (end - low))
    const begin = Math.max(low, Math.min(guess - blockKeys / 2, end - blockKeys))
    const count = Math.min(blockKeys, end - begin)
    const block = read(count * keyBytes, begin * keyBytes)
    const [first, last] = [keyAt(block, 0), keyAt(block, count - 1)]
    if (!(lowKey <= first && first <= last && last <= endKey)) throw damaged('is not in order')
    if (key < first) [end, endKey] = [begin, first]
    else if (key > last) [low, lowKey] = [begin + count, last]
    else return isIn(block, count, key)
  }
  return false
}

function isIn(block: Buffer, count: number, key: number): boolean {
  let [low, end] = [0, count]
  while (low < end) {
    const middle = (low + end) >>> 1
    const there = keyAt(block, middle)
    if (there === key) return true
    if (there < key) low = middle + 1
    else end = middle
  }
  return false
}

function keyAt(block: Buffer, index: number): number {
  return block.readUIntBE(index * keyBytes, keyBytes)
}
