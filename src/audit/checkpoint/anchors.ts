import { Agent, request } from 'undici'
import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/error.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import type { Log } from '../../kernel/log.ts'
import { resolveSecret, Secret } from '../../kernel/secret.ts'
import type { Store } from '../../store/database.ts'
import type { AuditCheckpointsTable, AuditFollowersTable } from '../../store/schema-record.ts'
import { type AnchorOptions, placeOf } from '../options.ts'
import { appendNotes } from './notes-file.ts'
import { checkpointsAfter } from './rows.ts'

/** A place outside where every checkpoint is kept: in their order, each at least once. */
export interface Anchor {
  /** `anchor:` and where it is. */
  readonly name: string
  /** Delivers what there is to deliver, unless another node is at it, or the last try failed a moment ago. It does not reject. */
  turn(): Promise<void>
  /** Leaves the rest to other nodes. */
  close(): Promise<void>
  /** Why nothing is delivered, as far as this node knows. */
  readonly problem: string | undefined
}

export interface AnchorParts {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** The anchors of a configuration. Throws a Fault where a secret cannot be had. */
export function anchorsOf(options: readonly AnchorOptions[], parts: AnchorParts): readonly Anchor[] {
  return options.map((one) => new DurableAnchor(`anchor:${placeOf(one)}`, deliveryOf(one, parts), parts))
}

const pageSize = 100
const timeoutMs = 10_000
/** Between one try and the next: twice as long each time, to the last. */
const retryMs = { first: 1_000, last: 300_000 }
/** Without a word from whoever delivers, another node takes over. */
const silentMs = 30_000
const beatMs = 10_000

interface Delivery {
  /** Resolves once they are kept: all of them. */
  deliver(notes: readonly string[]): Promise<void>
  /** How many at once at most. */
  readonly atOnce: number
  close(): Promise<void>
}

function deliveryOf(options: AnchorOptions, { environment }: AnchorParts): Delivery {
  if ('file' in options)
    return { atOnce: pageSize, deliver: (notes) => appendNotes(options.file, notes), close: async () => {} }
  const secret = options.secret && resolveSecret(options.secret, environment)
  if (secret !== undefined && !(secret instanceof Secret))
    throw new Fault('unavailable', `audit.anchors: ${secret.problem}`)
  const agent = new Agent({ connections: 1, connect: { timeout: timeoutMs } })
  return { atOnce: 1, deliver: ([note = '']) => post(agent, options.url, note, secret), close: () => agent.destroy() }
}

/** It follows no redirect: what leads elsewhere is kept nowhere. */
async function post(agent: Agent, url: string, note: string, secret: Secret | undefined): Promise<void> {
  const { statusCode, body } = await request(url, {
    method: 'POST',
    dispatcher: agent,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'user-agent': 'gatehouse',
      ...(secret && { authorization: `Bearer ${secret.reveal()}` }),
    },
    body: note,
    signal: AbortSignal.timeout(timeoutMs),
  })
  await body.dump({ limit: 65_536 })
  if (statusCode < 200 || statusCode > 299) throw new Error(`it answered ${statusCode}`)
}

class DurableAnchor implements Anchor {
  readonly name: string
  readonly #delivery: Delivery
  readonly #parts: AnchorParts
  readonly #me: string
  /** What was last seen of another's row, and since when. */
  #seen: { readonly holder: string; readonly beat: number; readonly sinceMs: number } | undefined
  #beatAtMs = Number.NEGATIVE_INFINITY
  #retryAtMs = Number.NEGATIVE_INFINITY
  #problem: string | undefined
  #underWay: Promise<void> | undefined
  #closed = false

  constructor(name: string, delivery: Delivery, parts: AnchorParts) {
    this.name = name
    this.#delivery = delivery
    this.#parts = parts
    this.#me = uuidv7(parts.clock.now(), parts.random)
  }

  get problem(): string | undefined {
    return this.#problem
  }

  turn(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    const underWay = this.#underWay ?? this.#attempt()
    this.#underWay = underWay
    return underWay
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#delivery.close() // what hangs is broken off: it has not been taken, and is sent again
    await this.#underWay
    const { db } = this.#parts.store
    await db
      .updateTable('audit_followers')
      .set({ holder: '' })
      .where('name', '=', this.name)
      .where('holder', '=', this.#me)
      .execute()
      .catch(() => {}) // others take over once it is silent
  }

  async #attempt(): Promise<void> {
    try {
      await this.#turn()
    } catch (error) {
      this.#fails(error) // the store does not answer
    } finally {
      this.#underWay = undefined
    }
  }

  async #turn(): Promise<void> {
    const { store, clock } = this.#parts
    if (clock.monotonic() < this.#retryAtMs) return
    let row = await this.#hold()
    while (row !== undefined && !this.#closed) {
      const page = await checkpointsAfter(store.db, row.seq, this.#delivery.atOnce)
      if (page.length === 0) return
      row = await this.#deliver(row, page)
    }
  }

  /** The row, once it is ours. */
  async #hold(): Promise<AuditFollowersTable | undefined> {
    const { clock, store } = this.#parts
    const { db } = store
    const now = clock.monotonic()
    const row = await db.selectFrom('audit_followers').selectAll().where('name', '=', this.name).executeTakeFirst()
    if (row === undefined) {
      await this.#enter()
      return this.#hold()
    }
    const { holder, beat } = row
    if (holder === this.#me && now - this.#beatAtMs < beatMs) return row
    if (holder !== this.#me && holder !== '') {
      if (this.#seen?.holder !== holder || this.#seen.beat !== beat) this.#seen = { holder, beat, sinceMs: now }
      if (now - this.#seen.sinceMs < silentMs) return undefined
    }
    return this.#change({ holder: this.#me }, row)
  }

  async #enter(): Promise<void> {
    const { clock, store } = this.#parts
    await store.db
      .insertInto('audit_followers')
      .values({
        name: this.name,
        seq: 0,
        holder: '',
        beat: 0,
        failures: 0,
        failing_since: null,
        problem: null,
        lost_at: null,
        updated_at: clock.now(),
      })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute()
  }

  async #deliver(
    row: AuditFollowersTable,
    page: readonly AuditCheckpointsTable[],
  ): Promise<AuditFollowersTable | undefined> {
    const { clock, log } = this.#parts
    try {
      await this.#delivery.deliver(page.map(({ note }) => note))
    } catch (error) {
      const problem = this.#fails(error, row.failures)
      const failing_since = row.failing_since ?? clock.now()
      await this.#change({ failures: row.failures + 1, failing_since, problem }, row)
      return undefined
    }
    if (this.#problem !== undefined) log.info({ anchor: this.name }, 'checkpoints are kept outside again')
    this.#problem = undefined
    const seq = page.at(-1)?.size ?? row.seq
    return this.#change({ seq, failures: 0, failing_since: null, problem: null }, row)
  }

  #fails(error: unknown, failures = 0): string {
    const { clock, log } = this.#parts
    const problem = (error instanceof Error ? error.message : String(error)).slice(0, 500)
    this.#retryAtMs = clock.monotonic() + Math.min(retryMs.first * 2 ** Math.min(failures, 20), retryMs.last)
    if (this.#problem === undefined)
      log.warn({ anchor: this.name, err: error }, 'checkpoints are not kept outside; it is tried again')
    this.#problem = problem
    return problem
  }

  /** Undefined where the row is another's by now. */
  async #change(
    set: Partial<AuditFollowersTable>,
    { holder, beat }: AuditFollowersTable,
  ): Promise<AuditFollowersTable | undefined> {
    const { clock, store } = this.#parts
    const changed = await store.db
      .updateTable('audit_followers')
      .set({ ...set, beat: beat + 1, updated_at: clock.now() })
      .where('name', '=', this.name)
      .where('holder', '=', holder)
      .where('beat', '=', beat)
      .returningAll()
      .executeTakeFirst()
    this.#beatAtMs = clock.monotonic()
    return changed
  }
}
