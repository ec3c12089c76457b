import type { Clock } from '../kernel/clock.ts'
import { type Random, uuidv7 } from '../kernel/id.ts'
import type { Log } from '../kernel/log.ts'
import type { Secret } from '../kernel/secret.ts'
import type { RootKey } from '../keys/root.ts'
import { open, seal } from '../keys/sealing.ts'
import type { Database } from '../store/database.ts'
import { compose, type LetterFacts, type LetterKind } from './letters.ts'
import type { MailOptions } from './options.ts'
import { type Outcome, openTransport, type Transport, tryMaxMs } from './transport.ts'

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
  #closed = false

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

  /**
   * One turn: sends what is due. Of several that turn at once, one has each letter. It ends where the server is down: those
   * behind would only lose a try each.
   */
  async drain(db: Database): Promise<Drained> {
    const drained = { sent: 0, failed: 0, givenUp: 0 }
    for (let turn = 0; turn < lettersMax && !this.#closed; turn++) {
      const row = await this.#take(db)
      if (row === undefined) break
      const outcome = await this.#try(row)
      drained[await this.#note(db, row, outcome)]++
      if (outcome.kind === 'down') break
    }
    return drained
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

  /** No more letters: a turn that is under way ends with the one it is at. */
  close(): void {
    this.#closed = true
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
        .returning(['id', 'sealed', 'tries', 'kind', 'created_at'])
        .executeTakeFirst()
      if (taken !== undefined) return taken
    }
  }

  async #try({ id, sealed, created_at }: Row): Promise<Outcome> {
    const text = open(this.#key, sealed, placeOf(id))
    if (text === undefined)
      return { kind: 'refused', reason: 'it was sealed under another root secret, or changed in the store' }
    const { to, kind, facts, language } = JSON.parse(text) as Post
    const letter = compose(kind, facts, this.#options.options.texts, language)
    return this.#transport.send({ id, to, writtenAt: Number(created_at), ...letter })
  }

  async #note(db: Database, { id, kind, tries }: Row, outcome: Outcome): Promise<keyof Drained> {
    if (outcome.kind === 'sent') {
      await db.deleteFrom('mail_outbox').where('id', '=', id).execute()
      return 'sent'
    }
    const { clock, random, options, log } = this.#options
    const now = clock.now()
    const problem = shown(outcome.reason)
    const givenUp = outcome.kind === 'refused' || tries >= options.tries
    const waitMs = Math.min(3_600_000, 10_000 * 2 ** (tries - 1))
    const jitter = 0.75 + ((random.bytes(1)[0] ?? 0) / 255) * 0.5
    await db
      .updateTable('mail_outbox')
      .set({ next_at: now + Math.round(waitMs * jitter), problem, given_up_at: givenUp ? now : null })
      .where('id', '=', id)
      .where('tries', '=', tries) // a later try, elsewhere, has its own say
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
  readonly created_at: number
}

/** Letters of one turn at most, so that a turn ends. */
const lettersMax = 500
/** Longer than one try takes: after a crash the letter is anybody's again. */
const leaseMs = tryMaxMs + 20_000

function placeOf(id: string): string {
  return `mail_outbox sealed ${id}`
}

/**
 * What went wrong, on one line. Servers quote whom a letter was for and where it led: whatever looks like a part of an
 * address or of a link, and whatever is as long as a token, is left out.
 */
function shown(reason: string): string {
  return reason
    .slice(0, 1_000)
    .replaceAll(/[^\s<>"']*[@/?][^\s<>"']*|[\w-]{20,}/g, '…')
    .replaceAll(/[^\x20-\x7e…]+/g, ' ')
    .slice(0, 300)
}
