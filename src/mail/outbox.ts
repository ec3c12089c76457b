import type { Clock } from '../kernel/clock.ts'
import { type Random, uuidv7 } from '../kernel/id.ts'
import type { Log } from '../kernel/log.ts'
import type { Secret } from '../kernel/secret.ts'
import type { RootKey } from '../keys/root.ts'
import { open, seal } from '../keys/sealing.ts'
import type { Database } from '../store/database.ts'
import { compose, type LetterFacts, type LetterKind } from './letters.ts'
import type { MailOptions } from './options.ts'
import { openTransport, type Transport } from './transport.ts'

/** A letter to be sent. */
export interface Post {
  readonly to: string
  readonly kind: LetterKind
  readonly facts: LetterFacts
  /** Of the reader, such as `de`. */
  readonly language?: string
}

export interface Drained {
  readonly sent: number
  /** To be tried again. */
  readonly failed: number
  readonly givenUp: number
}

interface OutboxOptions {
  readonly options: MailOptions
  readonly password?: Secret | undefined
  readonly root: RootKey
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/**
 * Letters that wait for a mail server, in the store: they come to be with the change that they tell of, outlive a crash, and
 * are sent at least once. They hold links that sign in, and so lie sealed.
 */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #key: Buffer
  readonly #transport: Transport

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#key = options.root.derive('mail outbox')
    this.#transport = openTransport(options.options, options.password)
  }

  /** Writes a letter, in the caller's transaction. */
  async post(db: Database, post: Post): Promise<void> {
    const { clock, random } = this.#options
    const now = clock.now()
    const id = uuidv7(now, random)
    await db
      .insertInto('mail_outbox')
      .values({
        id,
        sealed: seal(this.#key, JSON.stringify(post), placeOf(id), random),
        kind: post.kind,
        created_at: now,
        tries: 0,
        next_at: now,
        given_up_at: null,
        problem: null,
      })
      .execute()
  }

  /** One turn: sends what is due. Of several that turn at once, one has each letter. */
  async drain(db: Database): Promise<Drained> {
    const outcome = { sent: 0, failed: 0, givenUp: 0 }
    for (let turn = 0; turn < lettersMax; turn++) {
      const row = await this.#take(db)
      if (row === undefined) break
      outcome[await this.#send(db, row)]++
    }
    return outcome
  }

  /** Letters that wait, those that were given up left out. */
  async backlog(db: Database): Promise<number> {
    const { waiting } = await db
      .selectFrom('mail_outbox')
      .select((of) => of.fn.countAll<number>().as('waiting'))
      .where('given_up_at', 'is', null)
      .executeTakeFirstOrThrow()
    return Number(waiting)
  }

  /** Forgets letters that were given up before a moment. */
  async sweep(db: Database, beforeMs: number): Promise<void> {
    await db.deleteFrom('mail_outbox').where('given_up_at', '<', beforeMs).execute()
  }

  close(): void {
    this.#transport.close()
  }

  /** The letter that is due for longest, moved on for as long as one try may take: whoever comes second finds it moved. */
  async #take(db: Database): Promise<Row | undefined> {
    const now = this.#options.clock.now()
    for (;;) {
      const due = await db
        .selectFrom('mail_outbox')
        .select(['id', 'next_at'])
        .where('given_up_at', 'is', null)
        .where('next_at', '<=', now)
        .orderBy('next_at')
        .orderBy('id')
        .limit(1)
        .executeTakeFirst()
      if (due === undefined) return undefined
      const taken = await db
        .updateTable('mail_outbox')
        .set((row) => ({ next_at: now + leaseMs, tries: row('tries', '+', 1) }))
        .where('id', '=', due.id)
        .where('next_at', '=', due.next_at)
        .where('given_up_at', 'is', null)
        .returning(['id', 'sealed', 'tries', 'kind'])
        .executeTakeFirst()
      if (taken !== undefined) return taken
    }
  }

  async #send(db: Database, { id, sealed, tries, kind }: Row): Promise<keyof Drained> {
    const { clock, random, options, log } = this.#options
    const text = open(this.#key, sealed, placeOf(id))
    let problem = 'it was sealed under another root secret, or changed in the store'
    let lasting = true
    if (text !== undefined) {
      const { to, facts, language } = JSON.parse(text) as Post
      try {
        await this.#transport.send({ id, to, ...compose(kind as LetterKind, facts, options.texts, language) })
        await db.deleteFrom('mail_outbox').where('id', '=', id).execute()
        return 'sent'
      } catch (error) {
        problem = problemOf(error, [to, facts.link])
        lasting = isLasting(error)
      }
    }
    const now = clock.now()
    const givenUp = lasting || tries >= options.tries
    const waitMs = Math.min(3_600_000, 10_000 * 2 ** (tries - 1))
    const jitter = 0.75 + ((random.bytes(1)[0] ?? 0) / 255) * 0.5
    await db
      .updateTable('mail_outbox')
      .set({ next_at: now + Math.round(waitMs * jitter), problem, given_up_at: givenUp ? now : null })
      .where('id', '=', id)
      .execute()
    log.warn({ letter: id, kind, tries, problem }, givenUp ? 'a letter was given up' : 'a letter will be tried again')
    return givenUp ? 'givenUp' : 'failed'
  }
}

interface Row {
  readonly id: string
  readonly sealed: string
  readonly tries: number
  readonly kind: string
}

/** Letters of one turn at most, so that a turn ends. */
const lettersMax = 500
/** Longer than one try takes: after a crash the letter is anybody's again. */
const leaseMs = 120_000

function placeOf(id: string): string {
  return `mail_outbox sealed ${id}`
}

/** Refused for good (RFC 5321 §4.2.1: 5yz), and not because we may not send here at all, which an operator mends. */
function isLasting(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { responseCode, code } = error as Error & { readonly responseCode?: number; readonly code?: string }
  return responseCode !== undefined && responseCode >= 500 && code !== 'EAUTH' && code !== 'ETLS' && code !== 'EOAUTH2'
}

/** What went wrong, on one line, without whom the letter was for and where it led. */
function problemOf(error: unknown, secrets: readonly (string | undefined)[]): string {
  const said = error instanceof Error ? error.message : String(error)
  const hidden = secrets.reduce<string>((text, secret) => (secret ? text.replaceAll(secret, '…') : text), said)
  return hidden.replaceAll(/[^\x20-\x7e…]+/g, ' ').slice(0, 300)
}
