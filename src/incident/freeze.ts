import type { AdminAction, AuditEvent } from '../audit/event.ts'
import { Fault } from '../kernel/error.ts'
import type { Database } from '../store/database.ts'

/** Since when nobody changes who may do what, and why. */
export interface Freeze {
  /** Milliseconds since the epoch. */
  readonly since: number
  /** An account id, `operator`, or `gatehouse`. */
  readonly by: string
  readonly reason: string
  readonly incident: string | undefined
  /** Tells one freeze from the next: the step of a playbook undoes its own. */
  readonly mark: string
}

export async function readFreeze(db: Database): Promise<Freeze | undefined> {
  const row = await db.selectFrom('house').select('value').where('name', '=', rowName).executeTakeFirst()
  return row === undefined ? undefined : (JSON.parse(row.value) as Freeze)
}

/** Answers false where changes are frozen already. What was under way and commits later came before it. */
export async function freezeChanges(trx: Database, freeze: Freeze): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('house')
    .values({ name: rowName, value: JSON.stringify(freeze) })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .executeTakeFirst()
  return (numInsertedOrUpdatedRows ?? 0n) > 0n
}

/** Ends a freeze; with a mark, that one alone. Answers the one that ended. */
export async function thawChanges(trx: Database, mark?: string): Promise<Freeze | undefined> {
  const standing = await readFreeze(trx)
  if (standing === undefined || (mark !== undefined && standing.mark !== mark)) return undefined
  const gone = await trx
    .deleteFrom('house')
    .where('name', '=', rowName)
    .where('value', '=', JSON.stringify(standing))
    .executeTakeFirst()
  return gone.numDeletedRows > 0n ? standing : undefined
}

/**
 * Why a change is not made while changes are frozen, if it is not: the Fault rolls back the transaction that would remember it. Asked
 * for every such event, on every node and by every command, in that transaction.
 */
export async function frozenBy(trx: Database, event: AuditEvent): Promise<Fault | undefined> {
  const isAdministration = event.type === 'admin_action'
  if (isAdministration ? goesOn(event) : !promised.has(event.action) || event.result !== 'success') return undefined
  const freeze = await readFreeze(trx)
  if (freeze === undefined) return undefined
  // Whoever comes with an invitation is not told who looks into what.
  const told = isAdministration ? `${tellFreeze(freeze)}; what takes access away goes on` : 'try again later'
  return new Fault('changes-frozen', told, undefined, told)
}

/** What an administrator has promised somebody before, who takes it now: an account with roles, a client of their own. */
const promised: ReadonlySet<string> = new Set<AuditEvent['action']>(['invitation-accepted', 'client-registration'])

/** A freeze in a sentence. The reason is whoever froze changes to give, and one line. */
export function tellFreeze({ since, by, reason, incident }: Freeze): string {
  const about = incident === undefined ? '' : ` for incident ${incident}`
  return `changes are frozen since ${new Date(since).toISOString()} by ${by}${about}: ${reason}`
}

function goesOn({ action, actor, details }: Extract<AuditEvent, { type: 'admin_action' }>): boolean {
  // What the house does of its own accord: keys that take turns by a schedule, playbooks.
  if (actor.type === 'system' && actor.id === 'gatehouse') return true
  // Turning somebody away is the same action as letting them in again, and as describing them anew.
  const disables = details['disabled'] === true
  return whileFrozen[action] === 'goes on' || (whileFrozen[action] === 'goes on where it disables' && disables)
}

/** What becomes of each change while changes are frozen: what takes access away, or looks into the incident, goes on. */
// biome-ignore format: a table
const whileFrozen: Readonly<Record<AdminAction, 'goes on' | 'goes on where it disables' | 'is refused'>> = {
  'user.create': 'is refused',
  'user.invite': 'is refused',
  'user.roles': 'is refused',
  'user.sessions-end': 'goes on',
  'user.factors-remove': 'is refused',
  'user.impersonate': 'is refused',
  'user.lock': 'goes on',
  'user.unlock': 'is refused',
  'user.grant': 'is refused',
  'user.withdraw': 'goes on',
  'user.reset': 'is refused',
  'signing-key.rotate': 'goes on',
  'signing-key.remove': 'goes on',
  'token.revoke': 'goes on',
  'client.create': 'is refused',
  'client.invite': 'is refused',
  'client.change': 'goes on where it disables',
  'client.remove': 'is refused', // what it was is evidence
  'client.secret-add': 'is refused',
  'client.secret-remove': 'goes on',
  'api-key.create': 'is refused',
  'api-key.change': 'is refused',
  'api-key.rotate': 'is refused',
  'api-key.revoke': 'goes on',
  'service.create': 'is refused',
  'service.change': 'goes on where it disables',
  'service.remove': 'is refused',
  'service.secret-add': 'is refused',
  'service.secret-remove': 'goes on',
  'service.token': 'is refused',
  'role.create': 'is refused',
  'role.change': 'is refused',
  'role.remove': 'is refused',
  'policy.create': 'is refused',
  'policy.change': 'is refused',
  'policy.remove': 'is refused',
  'policy.trial-begin': 'is refused',
  'policy.trial-adopt': 'is refused',
  'policy.trial-end': 'is refused',
  'address.block': 'goes on',
  'address.lift': 'is refused',
  'audit.checkpoint': 'goes on',
  'sink.reset': 'goes on',
  'sink.remove': 'is refused', // nothing is lost that it has not had yet
  'incident.open': 'goes on',
  'incident.acknowledge': 'goes on',
  'incident.contain': 'goes on',
  'incident.assign': 'goes on',
  'incident.note': 'goes on',
  'incident.resolve': 'goes on',
  'incident.reopen': 'goes on',
  'playbook.run': 'goes on',
  'playbook.approve': 'goes on',
  'playbook.reject': 'goes on',
  'playbook.step': 'goes on',
  'playbook.undo': 'goes on',
  'changes.freeze': 'goes on',
  'changes.thaw': 'goes on',
}

const rowName = 'freeze'
