import type { Account } from '../../authn/account/accounts.ts'
import { hold } from '../../authn/account/hold.ts'
import { heed, type Revocable, type TakenBack, takeBack } from '../../authn/session/taking-back.ts'
import { covers } from '../../authz/permissions.ts'
import type { RoleTable } from '../../authz/role/table.ts'
import type { Database } from '../../store/database.ts'
import { type Acted, because, counted, idsOf, markOf, type StepAct, summed, type Turn } from './act.ts'
import type { Step } from './step.ts'

/** Locks accounts, and ends what was opened for them; unlocks those that nobody else has locked or unlocked since. */
export const lockAccounts: StepAct<Extract<Step, { do: 'account.lock' }>> = {
  async act(trx, { for: forMs = Number.POSITIVE_INFINITY }, turn) {
    const { accounts, clock, sessions, tickets, roleBook, revocations, keyBook, note } = turn.rooms
    const ids = accountIds(turn)
    if (ids.length === 0) return { skipped: 'no account is known' }
    for (const id of ids) await hold(trx, id)
    const { table } = await roleBook.hold(trx) // what a role comes to stays so until this is done
    const locked: string[] = []
    const ended: string[] = []
    const skipped: string[] = []
    for (const id of ids) {
      const account = await accounts.byId(trx, id)
      const problem = await lockProblem(trx, account, table, turn, clock.now() + forMs)
      if (account === undefined || problem !== undefined) {
        skipped.push(problem ?? '')
        continue
      }
      await accounts.lockMarked(trx, id, markOf(turn))
      for (const purpose of ['second-factor', 'password-reset', 'email-change'] as const)
        await tickets.void(trx, purpose, id)
      ended.push(...(await sessions.endAllOf(trx, id, 'locked')))
      await note(trx, {
        type: 'admin_action',
        action: 'user.lock',
        resource: { id, type: 'user' },
        details: because(turn),
      })
      locked.push(id)
    }
    if (locked.length === 0) return { skipped: summed('no account is locked', skipped) }
    return {
      told: summed(`${counted(locked.length, 'account')} locked, ${counted(ended.length, 'session')} ended`, skipped),
      facts: { locked },
      after() {
        for (const session of ended) revocations.endSession(session)
        keyBook.distrust()
      },
    }
  },

  async undo(trx, facts, turn) {
    const { accounts, keyBook, note } = turn.rooms
    const ids = facts['locked'] as readonly string[]
    let unlocked = 0
    for (const id of ids) {
      await hold(trx, id)
      if (!(await accounts.unlockMarked(trx, id, markOf(turn)))) continue
      unlocked++
      const resource = { id, type: 'user' } as const
      await note(trx, { type: 'admin_action', action: 'user.unlock', resource, details: because(turn) })
    }
    const others = ids.length - unlocked
    return {
      told: summed(
        `${counted(unlocked, 'account')} unlocked`,
        others === 0 ? [] : [`${others} left as it is: somebody has locked or unlocked it since`],
      ),
      facts: { unlocked },
      after: () => keyBook.distrust(),
    }
  },
}

/** Ends sessions: they can sign in again. */
export const endSessions: StepAct<Extract<Step, { do: 'sessions.end' }>> = {
  act: (trx, _step, turn) =>
    takeAllBack(trx, turn, [
      ...accountIds(turn).map((id) => ({ kind: 'user', id }) as const),
      ...sessionIds(turn).map((id) => ({ kind: 'session', id }) as const),
    ]),
}

/** Takes back all that was issued to accounts and clients, with their sessions. */
export const revokeTokens: StepAct<Extract<Step, { do: 'tokens.revoke' }>> = {
  act: (trx, _step, turn) =>
    takeAllBack(trx, turn, [
      ...accountIds(turn).map((id) => ({ kind: 'user', id }) as const),
      ...idsOf(turn.run.targets, 'client').map((id) => ({ kind: 'client', id }) as const),
      ...sessionIds(turn).map((id) => ({ kind: 'session', id }) as const),
    ]),
}

async function takeAllBack(trx: Database, turn: Turn, all: readonly Revocable[]): Promise<Acted> {
  const { rooms } = turn
  if (all.length === 0) return { skipped: 'nobody is known whose sessions could end' }
  const taken: TakenBack[] = []
  let ended = 0
  for (const what of all) {
    const outcome = await takeBack(trx, rooms, what)
    if ('code' in outcome) continue // a session that is not there has ended
    taken.push(outcome)
    ended += outcome.sessionCount
    const { resource, sessionCount } = outcome
    const details = because(turn, { sessions: sessionCount })
    await rooms.note(trx, { type: 'admin_action', action: 'token.revoke', resource, details })
  }
  return {
    told: `${counted(ended, 'session')} ended, and every token of theirs`,
    facts: { ended },
    after() {
      for (const one of taken) heed(rooms.revocations, one)
    },
  }
}

/** Why an account is not locked by this step; undefined where it is. */
async function lockProblem(
  trx: Database,
  account: Account | undefined,
  table: RoleTable,
  { run }: Turn,
  until: number,
): Promise<string | undefined> {
  if (account === undefined) return 'an account is gone'
  if (account.id === run.startedBy) return 'nobody locks themself out'
  if (account.status === 'locked' && (await lockEnd(trx, account.id)) >= until) return 'an account was locked already'
  const holds = table.permissionsOf(account.roles)
  if (run.startedBy === 'gatehouse' && administers(holds)) return 'an administrator is not locked by itself'
  if (holds.has('*') && !(await hasOther(trx, account.id, table))) return 'the last administrator is not locked'
  return undefined
}

/** When a lock ends by itself: never, where a person has locked. A step takes over what ends before its own. */
async function lockEnd(trx: Database, id: string): Promise<number> {
  const row = await trx.selectFrom('users').select('lock_mark').where('id', '=', id).executeTakeFirst()
  const [run = '', number] = row?.lock_mark?.split('/') ?? []
  const step = await trx
    .selectFrom('playbook_steps')
    .select('undo_at')
    .where('run_id', '=', run)
    .where('number', '=', Number(number ?? 0))
    .executeTakeFirst()
  return step?.undo_at ?? Number.POSITIVE_INFINITY
}

function administers(permissions: ReadonlySet<string>): boolean {
  return ['users:manage', 'roles:manage', 'incidents:manage', 'system:config'].some((one) => covers(permissions, one))
}

/** Whether somebody else who may come in holds everything. */
async function hasOther(trx: Database, id: string, table: RoleTable): Promise<boolean> {
  const almighty = [...table.names].filter((role) => table.permissionsOf([role]).has('*'))
  const other = await trx
    .selectFrom('users')
    .innerJoin('user_roles', 'user_roles.user_id', 'users.id')
    .select('users.id')
    .where('users.id', '!=', id)
    .where('users.status', '=', 'active')
    .where('user_roles.role', 'in', almighty)
    .limit(1)
    .executeTakeFirst()
  return other !== undefined
}

/** What is no id of ours is nobody's: a NUL in it would be an error in PostgreSQL. */
export function accountIds({ run }: Turn): readonly string[] {
  return idsOf(run.targets, 'user').filter((id) => uuidForm.test(id))
}

function sessionIds({ run }: Turn): readonly string[] {
  return idsOf(run.targets, 'session').filter((id) => uuidForm.test(id))
}

const uuidForm = /^[0-9a-f-]{36}$/
