import type { Random } from '../../kernel/id.ts'
import { hashKeyBytes } from '../../kernel/keyed-hash.ts'
import { fixedBytes } from './fixed.ts'
import { countBytes } from './in-flight.ts'
import { logBytes, logSizes } from './log.ts'
import { slidingBytes } from './sliding.ts'
import { setWords, type TablePlace } from './table.ts'
import { bucketBytes } from './token-bucket.ts'

/**
 * What all threads of a process count in. Main makes it once and hands it to each thread: it can be cloned as it
 * stands.
 */
export interface CounterMemory {
  readonly cells: SharedArrayBuffer
  readonly locks: SharedArrayBuffer
  /** Of the hash that finds a cell: new with each process, so that nobody knows whose cells share a set. */
  readonly key: Uint8Array
}

export const counterBytesDefault = 64 * 1024 * 1024
/** Places in a `Float64Array` are whole numbers that the engine is quick with up to here. */
const counterBytesMax = 2 * 1024 * 1024 * 1024

/** Sets that are told apart by a lock: a few threads seldom want one of the same at the same moment. */
const lockCount = 4096

/** Which table counts for which limits. */
export type TableName = keyof typeof tables

interface TableShape {
  readonly ways: number
  readonly cellBytes: number
  /** Of 64 parts of the memory. */
  readonly parts: number
}

/** Most limits are sliding windows of moderate numbers: half of the memory is theirs. */
// biome-ignore format: a table
const tables = {
  'sliding':      { ways: 16, cellBytes: slidingBytes(2),       parts: 32 },
  'sliding-wide': { ways: 16, cellBytes: slidingBytes(4),       parts: 6 },
  'token-bucket': { ways: 16, cellBytes: bucketBytes,           parts: 8 },
  'fixed':        { ways: 16, cellBytes: fixedBytes,            parts: 5 },
  'concurrency':  { ways: 16, cellBytes: countBytes,            parts: 3 },
  'log-16':       { ways: 8,  cellBytes: logBytes(logSizes[0]), parts: 3 },
  'log-64':       { ways: 8,  cellBytes: logBytes(logSizes[1]), parts: 3 },
  'log-256':      { ways: 8,  cellBytes: logBytes(logSizes[2]), parts: 2 },
  'log-1024':     { ways: 8,  cellBytes: logBytes(logSizes[3]), parts: 2 },
} as const satisfies Record<string, TableShape>

/** Of a caller, to tell it from those of its set. */
const tagBytes = 8
/** Of a set: what it keeps beside its cells. */
const setBytes = setWords * 8
/** Of the whole: when windows begin on the clock. */
const headBytes = 8

/** What the smallest memory holds: one set of each table. */
export const counterBytesMin =
  headBytes + lockCount * 4 + Object.values(tables).reduce((sum, shape) => sum + bytesOf(shape, 1), 0)

/**
 * Makes the memory, which neither grows nor shrinks after that. What is not touched costs nothing: the machine gives
 * pages as they are written.
 */
export function counterMemory(bytes: number, random: Random): CounterMemory {
  if (!Number.isSafeInteger(bytes) || bytes < counterBytesMin || bytes > counterBytesMax) {
    throw new Error(`counters take ${counterBytesMin} to ${counterBytesMax} bytes, got \`${bytes}\``)
  }
  return {
    cells: new SharedArrayBuffer(cellsBytesIn(bytes)),
    locks: new SharedArrayBuffer(lockCount * 4),
    key: random.bytes(hashKeyBytes),
  }
}

/** How many callers each table tells apart in so many bytes. */
export function callersCounted(bytes: number): Readonly<Record<TableName, number>> {
  const places = placesIn(cellsBytesIn(bytes))
  return Object.fromEntries(Object.entries(places).map(([name, { sets, ways }]) => [name, sets * ways])) as Record<
    TableName,
    number
  >
}

function cellsBytesIn(bytes: number): number {
  return bytes - lockCount * 4 - (bytes % 8)
}

/** Where each table lies in the shared cells. */
export function placesIn(cellsBytes: number): Readonly<Record<TableName, TablePlace>> {
  const shapes = Object.entries(tables)
  const least = shapes.reduce((sum, [, shape]) => sum + bytesOf(shape, 1), headBytes)
  const parts = shapes.reduce((sum, [, shape]) => sum + shape.parts, 0)
  const spare = cellsBytes - least
  let begin = headBytes
  const places = shapes.map(([name, shape]) => {
    const sets = 1 + Math.floor((spare * shape.parts) / parts / (bytesOf(shape, 2) - bytesOf(shape, 1)))
    const place = { begin: begin / 8, sets, ways: shape.ways, cellWords: shape.cellBytes / 8 }
    begin += bytesOf(shape, sets)
    return [name, place]
  })
  return Object.fromEntries(places) as Record<TableName, TablePlace>
}

/** Of a table: its sets, and one cell that stays blank. */
function bytesOf({ ways, cellBytes }: TableShape, sets: number): number {
  return sets * (ways * (tagBytes + cellBytes) + setBytes) + cellBytes
}
