import { availableParallelism } from 'node:os'
import { hash, verify } from '@node-rs/argon2'
import { type Refusal, refuse } from '../../kernel/error.ts'
import { openBreachList } from './breach-list.ts'
import { shippedCommonList } from './common-list.ts'
import { isGuessable } from './guessable.ts'
import type { PasswordOptions } from './options.ts'

/** Hashes and checks passwords. Each call costs tens of milliseconds of a core: there is a queue, and it has an end. */
export interface Passwords {
  /** PHC string of an Argon2id hash. */
  hash(password: string): Promise<string | Refusal>
  /**
   * Whether the password is the one of this hash. Without a hash it does the same work against a decoy and answers no, so
   * that nobody learns from the time whether there is an account.
   */
  verify(password: string, phc: string | undefined): Promise<boolean | Refusal>
  /** Whether a hash was made with weaker parameters than today's. */
  needsRehash(phc: string): boolean
  /** What is wrong with a new password, as messages; none when it may be used. Reads the breach list, where there is one. */
  problemsOf(password: string, whose: Whose): readonly string[]
  /** Whether a password is too short to stand alone: it may be used beside a second factor, which then has to stay. */
  isShort(password: string): boolean
  /** Hashes computed so far, decoys included. */
  readonly computed: number
}

/** Whose password it is to be. */
export interface Whose {
  /** Names and addresses of the account, which make up no password. */
  readonly context: readonly string[]
  readonly secondFactor: boolean
}

const argon2id = 2 // the package names its algorithms in a const enum, which stripped types cannot read

/** OWASP's floor for Argon2id: 19 MiB, two passes, one lane. */
const parameters = { algorithm: argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/** The work of a real hash, and nobody's password: no text is known to lead to it. */
const decoy = `$argon2id$v=19$m=${parameters.memoryCost},t=${parameters.timeCost},p=${parameters.parallelism}$${'A'.repeat(22)}$${'A'.repeat(43)}`
const lengthMax = 256
/** Over all threads. */
const waitingMax = 256

/**
 * Opens the lists that new passwords are looked up in, and a queue for hashing. A breach list that cannot be read is a
 * `Fault`, at once: without it passwords would be let through that the operator wants refused. The cores, and the queue, are
 * shared with as many `threads`.
 */
export function openPasswords(options: PasswordOptions, threads = 1): Passwords {
  const { minLength, minLengthWithSecondFactor } = options
  const siteWords = options.contextWords.flatMap((words) => [words, ...wordsOf([words])])
  const common = shippedCommonList()
  const breached = options.breachList === undefined ? undefined : openBreachList(options.breachList)
  const slots = new Slots(Math.max(1, Math.floor(availableParallelism() / threads)), Math.ceil(waitingMax / threads))
  let computed = 0

  return {
    hash: (password) => slots.run(() => compute(() => hash(normal(password), parameters))),
    verify: (password, phc) =>
      slots.run(async () => {
        const right = await compute(() => verify(phc ?? decoy, normal(password)))
        return phc !== undefined && right
      }),
    needsRehash(phc) {
      const [, memoryCost, timeCost] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),/.exec(phc) ?? []
      return !(Number(memoryCost) >= parameters.memoryCost && Number(timeCost) >= parameters.timeCost)
    },
    problemsOf,
    isShort: (password) => lengthOf(normal(password)) < minLength,
    get computed() {
      return computed
    },
  }

  function problemsOf(given: string, { context, secondFactor }: Whose): readonly string[] {
    if (!given.isWellFormed()) return ['must be text, and holds half of a character']
    // A character decomposes into four at most, of two units each: what is longer yet is not worth composing.
    const password = given.length > lengthMax * 8 ? given : normal(given)
    const lengthMin = secondFactor ? minLengthWithSecondFactor : minLength
    const length = lengthOf(password)
    if (length < lengthMin) return [`must have at least ${lengthMin} characters, and has ${length}`]
    if (length > lengthMax) return [`must have at most ${lengthMax} characters, and has ${length}`]
    const lower = password.toLowerCase()
    if (isGuessable(password, common)) return ['is among the passwords that are guessed first']
    if (new Set(lower).size < 4) return ['repeats the same few characters']
    if (lengthOf(without(lower, siteWords)) < lengthMin / 2)
      return ['is little more than words that everybody thinks of here']
    if (lengthOf(without(lower, [...siteWords, ...wordsOf(context)])) < lengthMin / 2)
      return ['is little more than the name or the address of the account']
    return breached?.has(password) === true ? ['has been seen in a breach'] : []
  }

  function compute<T>(work: () => Promise<T>): Promise<T> {
    computed++
    return work()
  }
}

/** The same letters are the same password, however a keyboard composed them (NIST SP 800-63B-4 §3.1.1.2). */
function normal(password: string): string {
  return password.normalize('NFC')
}

/** How many characters a person sees, near enough: code points, not the units that JavaScript counts. */
function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length++
  return length
}

/** Names and addresses, whole, in their parts and written together. Under four letters they are found in any text. */
function wordsOf(context: readonly string[]): readonly string[] {
  return context
    .flatMap((text) => {
      const parts = text.split(/[^\p{L}\p{N}]+/u)
      return [text, parts.join(''), ...parts]
    })
    .filter((word) => normal(word).length >= 4)
}

/** What is left of a password in small letters when each of the words is taken out of it, the longest first. */
function without(password: string, words: readonly string[]): string {
  return words
    .map((word) => normal(word).toLowerCase())
    .toSorted((a, b) => b.length - a.length)
    .reduce((rest, word) => rest.replaceAll(word, ''), password)
}

/** So much at once, so many waiting, and a refusal for the rest: a flood of sign-ins cannot take all memory. */
class Slots {
  #free: number
  readonly #waitingMax: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number, waitingMax: number) {
    this.#free = count
    this.#waitingMax = waitingMax
  }

  async run<T>(work: () => Promise<T>): Promise<T | Refusal> {
    if (this.#free > 0) this.#free--
    else if (this.#waiting.length >= this.#waitingMax) {
      return refuse('unavailable', { retryAfterMs: 2_000, reason: 'too many passwords are being checked at once' })
    } else await new Promise<void>((resolve) => this.#waiting.push(resolve)) // it is handed the slot of the one before
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}
