import { hash } from 'node:crypto'
import { GenerationCache } from '../../kernel/cache.ts'
import type { Allowance, Claim, Limit } from '../limiter.ts'
import { kindOf } from './redis-script.ts'

/** A claim, and what Redis and this node need of it beside. */
export interface Ask {
  readonly claim: Claim
  /** Of the limit and the key: two claims of one budget have one name. */
  readonly name: string
  /** Where Redis has it. */
  readonly key: string
  /** Units to lease beside. */
  readonly lease: number
  /** The id of what is held, where the limit is `concurrency`. */
  readonly hold: string | undefined
}

export interface Answer {
  readonly allowance: Allowance
  readonly leased: number
  readonly leasedMs: number
}

/** So long a node is believed to hold what it does not speak of again. */
export const holdMs = 15_000

/** The names of budgets, and the keys that Redis has them under. */
export class BudgetNames {
  readonly #prefix: string
  readonly #salt: string
  /** Of each limit, whatever its counts depend on: under other numbers it begins anew. */
  readonly #limits = new WeakMap<Limit, string>()
  /** Of those who ask often: a hash takes longer than to look it up. */
  readonly #keys = new GenerationCache<string, string>(keysMax)

  constructor(prefix: string, salt: string) {
    // All keys of a house are in one slot of a cluster, so that one program may take from several of them.
    this.#prefix = `{${prefix}}`
    this.#salt = salt
  }

  /** No longer than its limit's name allows: what strangers choose has no say in that. */
  nameOf({ limit, key }: Claim): string {
    let name = this.#limits.get(limit)
    if (name === undefined) {
      const { algorithm, windowMs, burst } = limit
      name = `${kindOf[algorithm]} ${limit.limit} ${windowMs} ${burst} ${limit.name.length} ${limit.name} `
      this.#limits.set(limit, name)
    }
    return key.length <= keyLengthMax ? `${name}=${key}` : `${name}#${hash('sha256', key, 'base64url')}`
  }

  /** Names nobody: 128 bits of a hash, salted with what only the house knows. */
  keyOf(name: string): string {
    let key = this.#keys.get(name)
    if (key === undefined) {
      key = `${this.#prefix}:${name.charAt(0)}:${hash('sha256', this.#salt + name, 'base64url').slice(0, 22)}`
      this.#keys.set(name, key)
    }
    return key
  }

  /** Of something that there is once in a house. */
  own(name: string): string {
    return `${this.#prefix}:${name}`
  }
}

const keyLengthMax = 64
/** Beyond twice as many, those not asked for longest are hashed anew. */
const keysMax = 10_000
