import type { Details } from '../audit/event.ts'
import type { Clock } from '../kernel/clock.ts'
import { type Refusal, refuse } from '../kernel/error.ts'
import type { Database } from '../store/database.ts'
import type { AlertPlan } from './alert/plan.ts'
import type { Incident, IncidentStatus } from './incident.ts'
import type { IncidentBook } from './incidents.ts'

/** What somebody does with an incident. */
export type IncidentDeed = 'acknowledge' | 'assign' | 'note' | 'contain' | 'resolve' | 'reopen'

export interface IncidentChange {
  readonly deed: IncidentDeed
  /** An account id, `gatehouse`, or `operator`. */
  readonly actor: string
  /** The version that they have seen; undefined for whoever does not mind what others did meanwhile. */
  readonly version?: number | undefined
  /** What they say about it: plain text. */
  readonly text?: string | undefined
  /** Whose it is to be: an account id; null for nobody’s. */
  readonly assignee?: string | null | undefined
}

interface ChangeParts {
  readonly book: IncidentBook
  readonly alerts: AlertPlan
  readonly clock: Clock
}

/** From which states a deed may be done, and what it is called once it is done. */
// biome-ignore format: a table
const rules: Readonly<Record<IncidentDeed, { readonly from: readonly IncidentStatus[]; readonly done: string }>> = {
  acknowledge: { from: ['active'],                             done: 'acknowledged' },
  assign:      { from: ['active', 'acknowledged'],             done: 'assigned' },
  note:        { from: ['active', 'acknowledged', 'resolved'], done: 'note' },
  contain:     { from: ['active', 'acknowledged'],             done: 'contained' },
  resolve:     { from: ['active', 'acknowledged'],             done: 'resolved' },
  reopen:      { from: ['resolved'],                           done: 'reopened' },
}

/**
 * Changes an incident, with a line in its timeline. Of two who have seen the same version, the second is told that it is another by now.
 * A note changes nothing of it, and stands beside whatever others do.
 */
export async function changeIncident(
  trx: Database,
  { book, alerts, clock }: ChangeParts,
  id: string,
  change: IncidentChange,
): Promise<Incident | Refusal> {
  const before = await book.hold(trx, id)
  if (before === undefined) return refuse('not-found', { detail: 'no incident has this id' })
  const refused = await refusalOf(trx, book, before, change)
  if (refused !== undefined) return refused
  const { deed, actor, text = '' } = change
  const now = clock.now()
  if (deed !== 'note')
    await trx
      .updateTable('incidents')
      .set({ ...columnsOf(before, change, now), version: before.version + 1 })
      .where('id', '=', id)
      .execute()
  await book.entry(trx, id, { actor, kind: rules[deed].done, text, details: detailsOf(change) })
  const after = await book.find(trx, id)
  if (after === undefined) throw new Error('an incident that is held was gone')
  if (before.status === 'active' && after.status === 'acknowledged') await alerts.acknowledged(trx, after)
  if (deed === 'resolve') await alerts.resolved(trx, after)
  if (deed === 'reopen') await alerts.reopened(trx, after)
  return after
}

async function refusalOf(
  trx: Database,
  book: IncidentBook,
  before: Incident,
  { deed, version, assignee }: IncidentChange,
): Promise<Refusal | undefined> {
  const { from, done } = rules[deed]
  if (version !== undefined && version !== before.version)
    return refuse('conflict', {
      detail: `it has changed meanwhile: it is ${before.status}, at version ${before.version}`,
      errors: { version: [`expected ${before.version}, got ${version}`] },
    })
  if (!from.includes(before.status))
    return refuse('conflict', { detail: `it is ${before.status}: what is ${from.join(' or ')} can be ${done}` })
  if (deed === 'contain' && before.containedAt !== undefined)
    return refuse('conflict', { detail: `it is contained since ${new Date(before.containedAt).toISOString()}` })
  if (deed === 'note' && (await notesOf(trx, before.id)) >= notesMax)
    return refuse('conflict', { detail: `it has ${notesMax} notes: go on elsewhere, and note where` })
  if (deed === 'assign' && typeof assignee === 'string' && !(await isAccount(trx, assignee)))
    return refuse('body-invalid', {
      detail: 'The incident cannot be assigned like that',
      errors: { assignee: ['no account has this id'] },
    })
  if (deed !== 'reopen') return undefined
  const other = await book.openOf(trx, before.cause)
  return (
    other && refuse('conflict', { detail: `it came again, and \`${other.id}\` is open for it: go on with that one` })
  )
}

/** Whoever contains or resolves an incident has seen it. Whoever reopens one has it in hand. */
function columnsOf(before: Incident, { deed, assignee }: IncidentChange, now: number) {
  const seen = { status: 'acknowledged', acknowledged_at: before.acknowledgedAt ?? now } as const
  switch (deed) {
    case 'acknowledge':
      return seen
    case 'assign':
      return { assignee: assignee ?? null }
    case 'note':
      return {}
    case 'contain':
      return { ...seen, contained_at: now }
    case 'resolve':
      return { ...seen, status: 'resolved', resolved_at: now } as const
    case 'reopen':
      return { status: 'acknowledged', resolved_at: null } as const
  }
}

function detailsOf({ deed, assignee }: IncidentChange): Details {
  return deed === 'assign' ? { assignee: assignee ?? '' } : {}
}

async function notesOf(trx: Database, incidentId: string): Promise<number> {
  const { notes } = await trx
    .selectFrom('incident_entries')
    .select((of) => of.fn.countAll<number>().as('notes'))
    .where('incident_id', '=', incidentId)
    .where('kind', '=', rules.note.done)
    .executeTakeFirstOrThrow()
  return Number(notes)
}

async function isAccount(trx: Database, id: string): Promise<boolean> {
  const row = await trx.selectFrom('users').select('id').where('id', '=', id).executeTakeFirst()
  return row !== undefined
}

const notesMax = 1_000
