import { Fault } from '../../kernel/error.ts'

const free = 0
const held = 1
/** Held, and somebody may sleep until it is free. */
const wanted = 2
/** Not given back for as long as anybody waits: who holds it is gone. */
const lost = 3

/** Tries before a thread sleeps: a holder is done in less, unless its core was taken from it. */
const triesMax = 200
const sleepMs = 50

/**
 * Locks between threads (the mutex of Drepper, “Futexes are tricky”, in shared memory). Who takes several takes them
 * in ascending order.
 */
export class Locks {
  readonly #words: Int32Array
  /** In a row, without anybody giving back. */
  readonly #sleepsMax: number
  readonly count: number

  constructor(memory: SharedArrayBuffer, patienceMs: number) {
    this.#words = new Int32Array(memory)
    this.#sleepsMax = Math.ceil(patienceMs / sleepMs)
    this.count = this.#words.length
  }

  /** Takes a lock, or throws when its holder is gone: what it guards may be half written. */
  take(lock: number): void {
    if (Atomics.compareExchange(this.#words, lock, free, held) !== free) this.#wait(lock)
  }

  giveBack(lock: number): void {
    if (Atomics.exchange(this.#words, lock, free) !== held) Atomics.notify(this.#words, lock, 1)
  }

  #wait(lock: number): void {
    for (let tries = 0; tries < triesMax; tries++) {
      if (Atomics.load(this.#words, lock) === free && Atomics.compareExchange(this.#words, lock, free, held) === free)
        return
    }
    for (let sleeps = 0; sleeps < this.#sleepsMax; ) {
      const state = Atomics.exchange(this.#words, lock, wanted)
      if (state === free) return
      if (state === lost) break
      sleeps = Atomics.wait(this.#words, lock, wanted, sleepMs) === 'timed-out' ? sleeps + 1 : 0
    }
    // The next who comes need not wait as long. Should the holder be alive after all, giving back mends it.
    Atomics.compareExchange(this.#words, lock, wanted, lost)
    throw new Fault('unavailable', 'a thread ended while it counted: its counts cannot be trusted')
  }
}
