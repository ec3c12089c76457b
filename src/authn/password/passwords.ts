import { availableParallelism } from 'node:os'
import { hash, verify } from '@node-rs/argon2'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { PasswordOptions } from '../options.ts'
import { commonPasswords } from './common-passwords.ts'

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
  /** What is wrong with a new password, as messages; none when it may be used. */
  problemsOf(password: string, context: readonly string[]): readonly string[]
  /** Hashes computed so far, decoys included. */
  readonly computed: number
}

const argon2id = 2 // the package names its algorithms in a const enum, which stripped types cannot read

/** OWASP's floor for Argon2id: 19 MiB, two passes, one lane. */
const parameters = { algorithm: argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/** The work of a real hash, and nobody's password: no text is known to lead to it. */
const decoy = `$argon2id$v=19$m=${parameters.memoryCost},t=${parameters.timeCost},p=${parameters.parallelism}$${'A'.repeat(22)}$${'A'.repeat(43)}`
const lengthMax = 256
const waitingMax = 256

export function openPasswords(options: PasswordOptions): Passwords {
  const slots = new Slots(Math.max(1, availableParallelism()), waitingMax)
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
    problemsOf: (password, context) => problemsOf(normal(password), context, options.minLength),
    get computed() {
      return computed
    },
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

function problemsOf(password: string, context: readonly string[], lengthMin: number): readonly string[] {
  if (!password.isWellFormed()) return ['must be text, and holds half of a character']
  const length = [...password].length
  if (length < lengthMin) return [`must have at least ${lengthMin} characters, and has ${length}`]
  if (length > lengthMax) return [`must have at most ${lengthMax} characters, and has ${length}`]
  const lower = password.toLowerCase()
  if (commonPasswords.has(lower)) return ['is among the passwords that are guessed first']
  if (new Set(lower).size < 4) return ['repeats the same few characters']
  return without(lower, context).length < lengthMin / 2
    ? ['is little more than the name or the address of the account']
    : []
}

/** What is left of a password when each word that belongs to the account is taken out of it. */
function without(password: string, context: readonly string[]): string {
  const words = context
    .flatMap((text) => [text, ...text.split(/[^\p{L}\p{N}]+/u)])
    .map((word) => normal(word).toLowerCase())
    .filter((word) => word.length >= 4)
    .toSorted((a, b) => b.length - a.length)
  return words.reduce((rest, word) => rest.replaceAll(word, ''), password)
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
