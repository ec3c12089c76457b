import type { AuditType } from '../../audit/event.ts'
import type { ChainedEvent, Follower } from '../../audit/follow/follower.ts'
import type { EventSealer } from '../../audit/sealer.ts'
import type { Database, Store } from '../../store/database.ts'
import type { Report } from '../finding.ts'
import { Detector, type DetectorParts, type Outcome, type Question } from './detector.ts'
import { disorderMs } from './sightings.ts'
import type { Memory } from './unseen.ts'
import { valuesMax } from './unseen.ts'

export interface DetectionParts extends DetectorParts {
  readonly store: Store
  readonly sealer: EventSealer
  readonly report: Report
  /** Events of each type that are read back at most; 50,000 where it is left out. */
  readonly lookBackMax?: number
}

/**
 * Notices what goes on in the record. What it finds, and what it remembers, is written in the transaction that says how far
 * it has read: a crash neither loses a finding nor makes it twice. Whoever reads on after it first reads back the longest
 * window of its rules, at most 50,000 events of each type: of a house where more come in that time, what is older is not
 * counted any more, so that a finding may come late.
 */
export function detectionFollower(parts: DetectionParts): Follower {
  const { store, report } = parts
  const detector = new Detector(parts)
  /** The last event that was observed. */
  let through = -1
  /** What came of events whose transaction may not have been committed yet. */
  let pending: Outcome[] = []
  let prunedAt = Number.NEGATIVE_INFINITY

  return { name: 'detection', pageMax: 500, from: 'end', begin, take }

  async function begin(seq: number, signal: AbortSignal): Promise<void> {
    through = -1
    pending = []
    detector.clear()
    await lookBack(parts, detector, seq, signal)
    through = seq
  }

  async function take(
    events: readonly ChainedEvent[],
    signal: AbortSignal,
  ): Promise<((trx: Database) => Promise<void>) | undefined> {
    const first = events[0]
    const last = events.at(-1)
    if (first === undefined || last === undefined) return undefined
    pending = pending.filter(({ seq }) => seq >= first.seq) // the others are committed, or this page would not have come
    if (through + 1 < first.seq || through === -1) await begin(first.seq - 1, signal)
    const fresh = events.filter(({ seq }) => seq > through)
    await recall(
      store.db,
      detector,
      fresh.flatMap(({ event }) => detector.questions(event)),
    )
    for (const { event, seq } of fresh) {
      const outcome = detector.observe(event, seq)
      if (outcome !== undefined) pending.push(outcome)
      through = seq
    }
    const due = pending.filter(({ seq }) => seq <= last.seq)
    const { at } = last.event
    const isPruning = Math.abs(at - prunedAt) >= pruneEveryMs
    if (due.length === 0 && !isPruning) return undefined
    return async (trx) => {
      for (const { findings, memories } of due) {
        for (const memory of memories) await keep(trx, memory)
        for (const finding of findings) await report(trx, finding)
      }
      if (!isPruning) return
      await trx
        .deleteFrom('detection_memory')
        .where('at', '<', at - detector.memoryMs)
        .execute()
      prunedAt = at
    }
  }
}

const pruneEveryMs = 3_600_000
const rowsMax = 500
const lookBackMaxDefault = 50_000

async function keep(trx: Database, { rule, key, value, at }: Memory): Promise<void> {
  if (at === undefined) {
    await trx
      .deleteFrom('detection_memory')
      .where('rule', '=', rule)
      .where('key', '=', key)
      .where('value', '=', value)
      .execute()
    return
  }
  await trx
    .insertInto('detection_memory')
    .values({ rule, key, value, at })
    .onConflict((conflict) => conflict.columns(['rule', 'key', 'value']).doUpdateSet({ at }))
    .execute()
}

/** Tells the detector what was seen of the keys that it asks about. */
async function recall(db: Database, detector: Detector, questions: readonly Question[]): Promise<void> {
  const asked = new Map(questions.map((question) => [`${question.rule} ${question.key}`, question]))
  for (const question of asked.values()) {
    const rows = await db
      .selectFrom('detection_memory')
      .select(['value', 'at'])
      .where('rule', '=', question.rule)
      .where('key', '=', question.key)
      .where('value', '!=', '')
      .orderBy('at', 'desc')
      .limit(valuesMax)
      .execute()
    detector.recall(question, new Map(rows.map(({ value, at }) => [value, at])))
  }
}

/** Makes a detector know what it would know had it read everything up to an event. */
async function lookBack(
  { store, sealer, lookBackMax = lookBackMaxDefault }: DetectionParts,
  detector: Detector,
  seq: number,
  signal: AbortSignal,
): Promise<void> {
  const last = await store.db.selectFrom('audit_events').select('at').where('seq', '=', seq).executeTakeFirst()
  if (last === undefined) return
  const places: number[] = []
  for (const [type, pastMs] of detector.past)
    for await (const page of placesBack(store.db, {
      type,
      seq,
      since: last.at - pastMs - 2 * disorderMs,
      lookBackMax,
    })) {
      signal.throwIfAborted()
      for (const place of page) places.push(place)
      await turn()
    }
  places.sort((a, b) => a - b)
  for (let from = 0; from < places.length; from += rowsMax) {
    signal.throwIfAborted()
    const page = places.slice(from, from + rowsMax)
    const rows = await store.db
      .selectFrom('audit_events')
      .select(['seq', 'body'])
      .where('seq', 'in', page)
      .orderBy('seq')
      .execute()
    const events = await sealer.read(
      store.db,
      rows.map(({ body }) => body),
    )
    for (const [index, event] of events.entries()) detector.rebuild(event, (rows[index] as { seq: number }).seq)
    await turn()
  }
  const found = await store.db
    .selectFrom('detection_memory')
    .select(['rule', 'key', 'at'])
    .where('value', '=', '')
    .where('at', '>', last.at - detector.cooldownMs - disorderMs)
    .orderBy('at', 'desc')
    .limit(findingsMax)
    .execute()
  for (const { rule, key, at } of found.toReversed()) detector.recallFinding({ rule, key }, at)
}

const findingsMax = 10_000

interface LookBack {
  readonly type: AuditType
  readonly seq: number
  readonly since: number
  readonly lookBackMax: number
}

/** Where the events of a type stand that took place since a moment: from the newest, page by page. */
async function* placesBack(
  db: Database,
  { type, seq, since, lookBackMax }: LookBack,
): AsyncGenerator<readonly number[]> {
  let after: { readonly at: number; readonly seq: number } | undefined
  for (let read = 0; read < lookBackMax; read += rowsMax) {
    const place = after
    const rows = await db
      .selectFrom('audit_events')
      .select(['seq', 'at'])
      .where('type', '=', type)
      .where('at', '>=', since)
      .where('seq', '<=', seq)
      .$if(place !== undefined, (query) =>
        query.where((where) => where(where.refTuple('at', 'seq'), '<', where.tuple(place?.at ?? 0, place?.seq ?? 0))),
      )
      .orderBy('at', 'desc')
      .orderBy('seq', 'desc')
      .limit(Math.min(rowsMax, lookBackMax - read))
      .execute()
    yield rows.map((row) => row.seq)
    after = rows.at(-1)
    if (rows.length < rowsMax) return
  }
}

/** Lets others have the thread between two pages. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
