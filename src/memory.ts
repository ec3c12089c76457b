import type { MessagePort } from 'node:worker_threads'
import { crowdMemory } from './endpoints/shared-crowd.ts'
import { topics } from './hearing.ts'
import { epochMemory } from './kernel/epoch.ts'
import type { Random } from './kernel/id.ts'
import { hashKeyBytes } from './kernel/keyed-hash.ts'
import { type CounterMemory, counterBytesDefault, counterMemory } from './limits/counters/counter-memory.ts'
import { type BlockMemory, blockMemory } from './shield/block-memory.ts'

/** What the threads of one house have in common: made once, by the first of them. */
export interface SharedMemory {
  /** The name of this house in `Via`: what has been at one thread has been here. */
  readonly name: SharedArrayBuffer
  /** By what the tables below are hashed: known to nobody outside. */
  readonly hashKey: SharedArrayBuffer
  /** What was changed, counted (`Epoch`). */
  readonly epoch: SharedArrayBuffer
  /** Bytes of bodies that are held whole (`BodyMemory`). */
  readonly bodies: SharedArrayBuffer
  /** Connections, by address (`openSharedCrowd`). */
  readonly connections: SharedArrayBuffer
  /** What callers have used of their limits. */
  readonly counters: CounterMemory
  /** Addresses that are blocked for a while. */
  readonly blocks: BlockMemory
}

/** One of the threads that serve as one house. */
export interface Thread {
  /** The first is 1. It also does what has to be done once. */
  readonly number: number
  readonly of: number
  /** How audit events come to the first, which alone writes them; undefined there. */
  readonly audit: MessagePort | undefined
}

export function openMemory(random: Random): SharedMemory {
  return {
    name: filled(random.bytes(6)),
    hashKey: filled(random.bytes(hashKeyBytes)),
    epoch: epochMemory(topics.length),
    bodies: new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT),
    connections: crowdMemory(),
    counters: counterMemory(counterBytesDefault, random),
    blocks: blockMemory(blockedMax, random),
  }
}

function filled(bytes: Uint8Array): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(bytes.length)
  new Uint8Array(memory).set(bytes)
  return memory
}

/** Addresses that are blocked at once: 16 MB, of which the system gives what is written to. */
const blockedMax = 1_333_333
