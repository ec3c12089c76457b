import { createHmac } from 'node:crypto'
import type { Clock } from '../../kernel/clock.ts'
import type { RootKey } from '../../keys/root.ts'
import type { Database } from '../../store/database.ts'
import type { LockoutRule } from './options.ts'

/**
 * Whose failures a counter counts. Whoever holds rows of several took them in this order, so that no two wait for each
 * other. The place in the list is stored as part of the key.
 */
const kinds = ['account', 'pair', 'device', 'address'] as const

export type CounterKind = (typeof kinds)[number]

/** Who tries to prove something, and from where. */
export interface Claimant {
  /** Kind of proof and whose: `password:<id>`, or by what was typed. Whether there is such an account is all the same. */
  readonly subject: string
  /** As `limitKey` writes it. Empty where nobody knows: such attempts share no address (INVARIANTS 52). */
  readonly address: string
  /** A device that has proven this subject before. */
  readonly device?: string
}

/** An attempt that may be made. It has been counted as a failure; its outcome goes to one of the three methods. */
export interface Admitted {
  readonly attempt: Attempt
}

export interface Locked extends Lock {
  readonly locked: true
}

export interface Lock {
  readonly by: CounterKind
  /** Undefined: until a success from a known device, or until it is cleared. */
  readonly untilMs: number | undefined
}

/** The handle of an attempt under way. Only `Attempts` reads it. */
export interface Attempt {
  readonly at: number
  readonly places: readonly Place[]
  readonly accountKey: string
  readonly trips: readonly { readonly rule: LockoutRule; readonly target: Place }[]
}

/** A rule whose number was reached by the failure at hand. */
export interface Trip {
  readonly rule: LockoutRule
  /** What is locked now; undefined where the rule only raises. */
  readonly lock: Lock | undefined
}

interface Place {
  readonly kind: CounterKind
  readonly key: string
}

interface Counter extends Place {
  /** Moments of the latest failures, oldest first. */
  readonly times: readonly number[]
  /** Failures since the last success; kept for accounts and devices alone. */
  readonly total: number
  readonly lockedUntil: number
}

interface AttemptsOptions {
  readonly clock: Clock
  readonly root: RootKey
  readonly rules: readonly LockoutRule[]
}

/** No account takes more failures than that in a row (NIST SP 800-63B-4 §3.2.2), whatever the configuration says. */
export const ceiling: LockoutRule = { per: 'account', failures: 100, within: Number.POSITIVE_INFINITY, notify: true }

/**
 * Counts failed proofs and locks by rules (ID3). An attempt is counted before it is checked, so that however many come at
 * one moment, no more than a rule's `failures` are checked in any span of its `within`; the outcome corrects the count.
 *
 * A known device is counted by itself alone: neither its account's locks hold for it nor those of its address, since
 * strangers could bring about both, and its failures lock nobody but itself.
 */
export class Attempts {
  readonly #clock: Clock
  readonly #key: Buffer
  readonly #rules: Readonly<Record<CounterKind, readonly LockoutRule[]>>
  /** Kinds that some rule counts or locks. */
  readonly #used: ReadonlySet<CounterKind>

  constructor({ clock, root, rules }: AttemptsOptions) {
    this.#clock = clock
    this.#key = root.derive('attempts')
    this.#rules = {
      account: rules.filter(({ per }) => per === 'account'),
      pair: rules.filter(({ per }) => per === 'pair'),
      address: rules.filter(({ per }) => per === 'address'),
      device: rules.filter(({ per }) => per !== 'address'),
    }
    this.#used = new Set(['account', ...rules.flatMap(({ per, locks }) => [per, locks ?? per])])
  }

  /** Counts an attempt and admits it, or says by what it is locked. A refused one is not counted: it was not checked. */
  begin(db: Database, who: Claimant): Promise<Admitted | Locked> {
    return atomically(db, async (trx) => {
      const now = this.#clock.now()
      const subject = this.#tag('subject', who.subject)
      const places = this.#placesOf(subject, who)
      const counters = await hold(trx, places, now)
      const lock = longest(counters.flatMap((counter) => this.#locksOn(counter, now)))
      const raised = counters.map((counter) => this.#raised(counter, now))
      // Locked or not, the same is written: the time that it takes says nothing about which (INVARIANTS 40).
      await write(trx, lock === undefined ? raised : counters, now)
      if (lock !== undefined) return { locked: true, ...lock }
      const trips = raised.flatMap((counter) =>
        this.#reached(counter, now).map((rule) => ({ rule, target: targetOf(rule, counter, places) })),
      )
      return { attempt: { at: now, places, accountKey: keyOf(subject, 'account'), trips } }
    })
  }

  /** The proof was wrong. Sets the locks of the rules that this failure trips, and answers those rules. */
  failed(db: Database, { trips }: Attempt): Promise<readonly Trip[]> {
    if (trips.length === 0) return Promise.resolve([])
    return atomically(db, async (trx) => {
      const now = this.#clock.now()
      const outcome = trips.map(({ rule, target }) => ({ rule, target, lock: lockBy(rule, target, now) }))
      for (const kind of kinds) {
        for (const { target, lock } of outcome) {
          if (target.kind === kind && lock?.untilMs !== undefined) await lockRow(trx, target, lock.untilMs, now)
        }
      }
      return outcome.map(({ rule, lock }) => ({ rule, lock }))
    })
  }

  /**
   * The proof was right: the counts of the account and of its pair or device begin anew, and their locks end. An address
   * gets back what this attempt took and no more, or else one good account would pay for guesses at all others.
   */
  succeeded(db: Database, attempt: Attempt): Promise<void> {
    return atomically(db, async (trx) => {
      const now = this.#clock.now()
      // From a known device: the row of failures is broken, but what strangers brought upon themselves stays.
      await trx.updateTable('attempts').set({ total: 0 }).where('key', '=', attempt.accountKey).execute()
      const counters = await hold(trx, attempt.places, now)
      const settled = counters.map((counter) =>
        counter.kind === 'address' ? without(counter, attempt.at) : { ...counter, times: [], total: 0, lockedUntil: 0 },
      )
      await write(trx, settled, now)
    })
  }

  /** The proof was never checked: as if it had not been tried. */
  forgive(db: Database, attempt: Attempt): Promise<void> {
    return atomically(db, async (trx) => {
      const now = this.#clock.now()
      const counters = await hold(trx, attempt.places, now)
      await write(
        trx,
        counters.map((counter) => without(counter, attempt.at)),
        now,
      )
    })
  }

  /** Forgets all failures and locks of a subject, wherever they came from. Locks of addresses stay. */
  clear(db: Database, subject: string): Promise<void> {
    return atomically(db, async (trx) => {
      const { from, to } = rangeOf(this.#tag('subject', subject))
      await trx.deleteFrom('attempts').where('key', '=', from).execute() // the account first, as everybody does
      await trx.deleteFrom('attempts').where('key', '>', from).where('key', '<=', to).execute()
    })
  }

  /** What is locked of a subject, the longest first. Addresses are locked for everybody, and not listed here. */
  async locksOf(db: Database, subject: string): Promise<readonly Lock[]> {
    const now = this.#clock.now()
    const { from, to } = rangeOf(this.#tag('subject', subject))
    const rows = await db
      .selectFrom('attempts')
      .selectAll()
      .where('key', '>=', from)
      .where('key', '<=', to)
      .where((is) => is.or([is('locked_until', '>', now), is('times', '!=', '[]'), is('total', '>', 0)]))
      .execute()
    return rows
      .flatMap((row) => longest(this.#locksOn(counterOf(row), now)) ?? [])
      .toSorted((a, b) => endOf(b) - endOf(a))
  }

  /**
   * Forgets what has been quiet since before a moment, and answers how many. Locks and spans that still count are kept, and
   * long rows of failures for good: whoever guesses patiently does not start again from nothing.
   */
  async sweep(db: Database, beforeMs: number): Promise<number> {
    const now = this.#clock.now()
    const spanMs = Math.max(0, ...kinds.flatMap((kind) => this.#rules[kind].map(({ within }) => within)))
    const gone = await db
      .deleteFrom('attempts')
      .where('updated_at', '<', Math.min(beforeMs, now - spanMs))
      .where('locked_until', '<=', now)
      .where('total', '<', keptFrom)
      .executeTakeFirst()
    return Number(gone.numDeletedRows)
  }

  #placesOf(subject: string, { subject: name, address, device }: Claimant): readonly Place[] {
    if (device !== undefined)
      return [{ kind: 'device', key: keyOf(subject, 'device', this.#tag('device', name, device)) }]
    const places: Place[] = [
      { kind: 'account', key: keyOf(subject, 'account') },
      { kind: 'pair', key: keyOf(subject, 'pair', this.#tag('pair', name, address)) },
    ]
    if (address !== '') places.push({ kind: 'address', key: keyOf(this.#tag('address', address), 'address') })
    return places.filter(({ kind }) => this.#used.has(kind))
  }

  /** What speaks against one more attempt: a lock, a span that is full, the ceiling. */
  #locksOn({ kind, times, total, lockedUntil }: Counter, now: number): readonly Lock[] {
    const locks: Lock[] = []
    if (total >= ceiling.failures) locks.push({ by: kind, untilMs: undefined })
    if (lockedUntil > now) locks.push({ by: kind, untilMs: lockedUntil })
    for (const rule of this.#rules[kind]) {
      if (rule.for === undefined) continue
      const last = inSpan(times, rule, now).at(-rule.failures) // when it leaves the span, there is room for one
      if (last !== undefined) locks.push({ by: kind, untilMs: last + rule.within })
    }
    return locks
  }

  #raised(counter: Counter, now: number): Counter {
    const rules = this.#rules[counter.kind]
    const spanMs = Math.max(0, ...rules.map(({ within }) => within))
    // One more than any rule asks for: reaching a number is not the same as being beyond it.
    const kept = rules.length === 0 ? 0 : 1 + Math.max(...rules.map(({ failures }) => failures))
    const times = [...counter.times, now].filter((at) => at > now - spanMs).toSorted((a, b) => a - b)
    const total = hasCeiling(counter) ? counter.total + 1 : 0
    return { ...counter, times: times.slice(Math.max(0, times.length - kept)), total }
  }

  #reached(counter: Counter, now: number): readonly LockoutRule[] {
    const rules = this.#rules[counter.kind].filter((rule) => inSpan(counter.times, rule, now).length === rule.failures)
    return counter.total === ceiling.failures ? [...rules, ceiling] : rules
  }

  /**
   * 128 bits under our key, in decimal: digits are in the same order under every collation that PostgreSQL may have been
   * set up with, so that all rows of a subject are one range of the primary key.
   */
  #tag(...parts: readonly string[]): string {
    const bytes = createHmac('sha256', this.#key).update(JSON.stringify(parts)).digest()
    return BigInt(`0x${bytes.toString('hex', 0, 16)}`)
      .toString()
      .padStart(tagDigits, '0')
  }
}

/** Consecutive failures from which on a row is never swept. Short rows are, or else every mistyped name would stay. */
const keptFrom = 10
const tagDigits = 39

function keyOf(tag: string, kind: CounterKind, rest: string = '0'.repeat(tagDigits)): string {
  return `${tag}${kinds.indexOf(kind)}${rest}`
}

/** The keys of a subject. The first is the account's. */
function rangeOf(tag: string): { readonly from: string; readonly to: string } {
  return { from: keyOf(tag, 'account'), to: tag + '9'.repeat(tagDigits + 1) }
}

function hasCeiling({ kind }: Place): boolean {
  return kind === 'account' || kind === 'device'
}

/** A failure counts until it is as old as the span is long, and from then on not. */
function inSpan(times: readonly number[], { within }: LockoutRule, now: number): readonly number[] {
  return times.filter((at) => at > now - within)
}

/** Where what the rule locks has no counter of its own, it is what was counted: a known device, or an address unknown. */
function targetOf(rule: LockoutRule, counter: Counter, places: readonly Place[]): Place {
  return places.find(({ kind }) => kind === (rule.locks ?? rule.per)) ?? counter
}

function lockBy(rule: LockoutRule, { kind }: Place, now: number): Lock | undefined {
  if (rule === ceiling) return { by: kind, untilMs: undefined }
  return rule.for === undefined ? undefined : { by: kind, untilMs: now + rule.for }
}

function longest(locks: readonly Lock[]): Lock | undefined {
  return locks.toSorted((a, b) => endOf(b) - endOf(a))[0]
}

function endOf({ untilMs }: Lock): number {
  return untilMs ?? Number.MAX_SAFE_INTEGER
}

/** Takes one failure back. What was cleared in between has nothing to give. */
function without(counter: Counter, at: number): Counter {
  const index = counter.times.indexOf(at)
  const times = index < 0 ? counter.times : counter.times.toSpliced(index, 1)
  return { ...counter, times, total: Math.max(0, counter.total - 1) }
}

/** What a counter's methods do, they do in one transaction: the caller's, where there is one. */
function atomically<T>(db: Database, work: (trx: Database) => Promise<T>): Promise<T> {
  return db.isTransaction ? work(db) : db.transaction().execute(work)
}

/** Makes the rows that are not there yet, and keeps all of them from everybody else until the transaction ends. */
async function hold(trx: Database, places: readonly Place[], now: number): Promise<readonly Counter[]> {
  const rows = await trx
    .insertInto('attempts')
    .values(places.map(({ key }) => ({ key, times: '[]', total: 0, locked_until: 0, updated_at: now })))
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ updated_at: now }))
    .returningAll()
    .execute()
  const byKey = new Map(rows.map((row) => [row.key, counterOf(row)]))
  return places.map(({ key }) => byKey.get(key) as Counter)
}

async function write(trx: Database, counters: readonly Counter[], now: number): Promise<void> {
  await trx
    .insertInto('attempts')
    .values(
      counters.map(({ key, times, total, lockedUntil }) => ({
        key,
        times: JSON.stringify(times),
        total,
        locked_until: lockedUntil,
        updated_at: now,
      })),
    )
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet((row) => ({
        times: row.ref('excluded.times'),
        total: row.ref('excluded.total'),
        locked_until: row.ref('excluded.locked_until'),
      })),
    )
    .execute()
}

/** A lock that lasts longer stays as it is. */
async function lockRow(trx: Database, { key }: Place, untilMs: number, now: number): Promise<void> {
  await trx
    .insertInto('attempts')
    .values({ key, times: '[]', total: 0, locked_until: untilMs, updated_at: now })
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet({ locked_until: untilMs, updated_at: now })
        .where('attempts.locked_until', '<', untilMs),
    )
    .execute()
}

function counterOf(row: {
  readonly key: string
  readonly times: string
  readonly total: number
  readonly locked_until: number
}): Counter {
  return {
    kind: kinds[Number(row.key[tagDigits])] as CounterKind,
    key: row.key,
    times: JSON.parse(row.times) as number[],
    total: row.total,
    lockedUntil: row.locked_until,
  }
}
