import { type ExpressionBuilder, sql } from 'kysely'
import type { CutKind } from '../../authn/session/revocations.ts'
import { byCut } from '../../authn/session/session.ts'
import { Fault } from '../../kernel/error.ts'
import type { Database } from '../../store/database.ts'
import type { Schema } from '../../store/schema.ts'
import { because, type Facts, type StepAct, type Turn } from './act.ts'
import type { CutFilter, Step } from './step.ts'

/** How many holders of a role have cut-offs of their own at most: every node keeps them in memory, and reads them twice a second. */
export const holdersMax = 1_000

/**
 * Makes sessions and tokens void by a moment, however many there are: on the next request here, on other nodes within a second,
 * for refresh tokens in the store at once. It stands for a day, in which the rows end one after the other.
 */
export const cutOff: StepAct<Extract<Step, { do: 'cut-off' }>> = {
  async act(trx, { filter }, turn) {
    const { clock, revocationList, revocations, note } = turn.rooms
    const now = clock.now()
    const cuts = await cutsOf(trx, filter, now)
    const expiresAt = now + dayMs
    for (const { kind, subject, at } of cuts) await revocationList.revoke(trx, kind, subject, { at, expiresAt })
    const acting = filter.kind === 'user' || filter.kind === 'role' ? cuts.map(({ subject }) => subject) : []
    const ended = await endActing(trx, acting, now)
    const [resource] = cuts.length === 1 ? cuts.map(resourceOf) : [house]
    const details = because(turn, { cut_offs: cuts.length, filter: tellFilter(filter) })
    await note(trx, { type: 'admin_action', action: 'token.revoke', resource: resource ?? house, details })
    return {
      told: `void is what was issued to ${tellFilter(filter)}`,
      facts: { at: cuts[0]?.at ?? now, subjects: cuts.map(({ subject }) => subject) },
      after() {
        for (const { kind, subject, at } of cuts) revocations.cut(kind, subject, at, expiresAt)
        for (const id of ended) revocations.endSession(id)
      },
    }
  },
}

/** Ends the rows of sessions, some at a time. */
export const sweepSessions: StepAct<Extract<Step, { do: 'sessions.sweep' }>> = {
  act: async (trx, { filter }, turn) => ({
    told: 'the rows of sessions end',
    facts: { ...(await reachOf(trx, filter, turn)), ended: 0, after: '' },
  }),

  async more(trx, { filter }, facts, { rooms }, rowsMax) {
    const [at, after] = [Number(facts['at']), String(facts['after'])]
    const last = await trx
      .selectFrom('sessions')
      .select('id')
      .where('id', '>', after)
      .where(sql<boolean>`+ended_at is null`) // by its index all rows that are left would be sorted, each time
      .where('created_at', '<=', at)
      .where((is) => isOf(is, filter, facts))
      .orderBy('id')
      .offset(rowsMax - 1)
      .limit(1)
      .executeTakeFirst()
    const { numUpdatedRows } = await trx
      .updateTable('sessions')
      // Earlier than nodes look back for what ended one by one: they would read all of these twice a second.
      .set({ ended_at: Math.min(at, rooms.clock.now()) - heardBackMs, ended_reason: `${byCut}emergency` })
      .where('id', '>', after)
      .$if(last !== undefined, (query) => query.where('id', '<=', last?.id ?? ''))
      .where(sql<boolean>`+ended_at is null`)
      .where('created_at', '<=', at)
      .where((is) => isOf(is, filter, facts))
      .executeTakeFirst()
    return {
      facts: { ...facts, after: last?.id ?? after, ended: Number(facts['ended']) + Number(numUpdatedRows) },
      isAll: last === undefined,
    }
  },
}

/** Revokes API keys, some at a time. */
export const sweepKeys: StepAct<Extract<Step, { do: 'keys.sweep' }>> = {
  act: async (trx, { filter }, turn) => ({
    told: 'API keys are revoked',
    facts: { ...(await reachOf(trx, filter, turn)), ended: 0, after: '' },
  }),

  async more(trx, { filter }, facts, turn, rowsMax) {
    const rows = await trx
      .selectFrom('api_keys')
      .select('id')
      .where('id', '>', String(facts['after']))
      .where('revoked_at', 'is', null)
      .where('created_at', '<=', Number(facts['at']))
      .$if(filter.kind === 'user' || filter.kind === 'role', (query) =>
        query.where('owner_type', '=', 'user').where('owner_id', 'in', subjectsOf(facts)),
      )
      .$if(filter.kind === 'client', (query) =>
        query.where('owner_type', '=', 'service').where('owner_id', 'in', subjectsOf(facts)),
      )
      .orderBy('id')
      .limit(Math.min(rowsMax, keysMax)) // each is named in the statement
      .execute()
    const last = rows.at(-1)
    if (last === undefined) return { facts, isAll: true }
    const ids = rows.map(({ id }) => id)
    await trx
      .updateTable('api_keys')
      .set({ revoked_at: turn.rooms.clock.now(), revoked_reason: 'emergency' })
      .where('id', 'in', ids)
      .where('revoked_at', 'is', null)
      .execute()
    const details = because(turn, { ended: ids.length, first: ids[0] ?? '', last: last.id })
    await turn.rooms.note(trx, { type: 'admin_action', action: 'api-key.revoke', resource: house, details })
    return { facts: { ...facts, after: last.id, ended: Number(facts['ended']) + ids.length }, isAll: false }
  },
}

/** How a filter reads in a sentence. */
export function tellFilter(filter: CutFilter): string {
  switch (filter.kind) {
    case 'all':
      return 'everybody'
    case 'before':
      return `sessions from before ${new Date(filter.at).toISOString()}`
    case 'user':
    case 'client':
    case 'role':
      return `${filter.kind} ${filter.id}`
  }
}

/** The time of these as somebody else: a cut-off of theirs does not reach it, for its tokens are the other's. */
async function endActing(trx: Database, subjects: readonly string[], now: number): Promise<readonly string[]> {
  if (subjects.length === 0) return []
  const ended = await trx
    .updateTable('sessions')
    .set({ ended_at: now, ended_reason: 'emergency' })
    .where('kind', '=', 'impersonation')
    .where('impersonator_id', 'in', subjects)
    .where('ended_at', 'is', null)
    .returning('id')
    .execute()
  return ended.map(({ id }) => id)
}

interface Cut {
  readonly kind: CutKind
  readonly subject: string
  readonly at: number
}

async function cutsOf(trx: Database, filter: CutFilter, now: number): Promise<readonly Cut[]> {
  const { at, subjects } = await reach(trx, filter, now)
  const kind =
    filter.kind === 'all' || filter.kind === 'before' ? 'everything' : filter.kind === 'role' ? 'user' : filter.kind
  return subjects.map((subject) => ({ kind, subject, at }))
}

/** That of the cut-off of the same run: whoever signed in since stays. */
async function reachOf(trx: Database, filter: CutFilter, { run, rooms }: Turn): ReturnType<typeof reach> {
  const rows = await trx.selectFrom('playbook_steps').select(['step', 'outcome']).where('run_id', '=', run.id).execute()
  const cut = rows.find(({ step }) => (JSON.parse(step) as Step).do === 'cut-off')
  const { facts } = JSON.parse(cut?.outcome ?? '{}') as { readonly facts?: Awaited<ReturnType<typeof reach>> }
  return facts === undefined ? reach(trx, filter, rooms.clock.now()) : { at: facts.at, subjects: facts.subjects }
}

/** Up to which moment, and whose. A node may have opened a session whose clock goes before ours. */
async function reach(
  trx: Database,
  filter: CutFilter,
  now: number,
): Promise<{ readonly at: number; readonly subjects: readonly string[] }> {
  if (filter.kind === 'before') return { at: filter.at, subjects: [''] }
  // By its id, which begins with the moment: `created_at` has no index.
  const youngest = await trx
    .selectFrom('sessions')
    .select('created_at')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  const at = Math.max(now, Math.min(youngest?.created_at ?? 0, now + aheadMs))
  if (filter.kind === 'all') return { at, subjects: [''] }
  if (filter.kind !== 'role') return { at, subjects: [filter.id] }
  const holders = await trx
    .selectFrom('user_roles')
    .select('user_id')
    .where('role', '=', filter.id)
    .orderBy('user_id')
    .limit(holdersMax + 1)
    .execute()
  if (holders.length > holdersMax)
    throw new Fault('conflict', `more than ${holdersMax} hold ${filter.id}`, undefined, tooMany(filter.id))
  return { at, subjects: holders.map(({ user_id }) => user_id) }
}

export function tooMany(role: string): string {
  return `more than ${holdersMax} accounts have the role \`${role}\`: end everything, or all from before a moment`
}

function isOf(is: ExpressionBuilder<Schema, 'sessions'>, filter: CutFilter, facts: Facts) {
  switch (filter.kind) {
    case 'all':
    case 'before':
      return is.lit(true)
    case 'client':
      return is('client_id', 'in', subjectsOf(facts))
    case 'user':
    case 'role':
      return is.or([is('user_id', 'in', subjectsOf(facts)), is('impersonator_id', 'in', subjectsOf(facts))])
  }
}

/** None is written as one that nobody has: `in ()` is no SQL. */
function subjectsOf(facts: Facts): readonly string[] {
  const subjects = facts['subjects'] as readonly string[]
  return subjects.length === 0 ? [''] : subjects
}

function resourceOf({ kind, subject }: Cut): { readonly type: 'house' | 'user' | 'client'; readonly id: string } {
  return kind === 'everything' ? house : { type: kind, id: subject }
}

const house = { id: 'house', type: 'house' } as const
const dayMs = 86_400_000
const heardBackMs = 120_000
const keysMax = 5_000
/** How far a clock may go before ours. */
const aheadMs = 60_000
