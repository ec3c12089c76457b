import type { AdminAction } from '../audit/event.ts'
import type { Account } from '../authn/account/accounts.ts'
import { hold } from '../authn/account/hold.ts'
import type { RoleTable } from '../authz/role/table.ts'
import { refusalOfRoles } from '../endpoints/desk/given.ts'
import type { House } from '../house.ts'
import type { Database } from '../store/database.ts'
import { adminEvent } from './admin-event.ts'
import { type Command, readArgs, refusalText, type Terminal, Usage } from './command.ts'
import { passphrase } from './passphrase.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse user list
       gatehouse user create EMAIL [--name NAME] [--role ROLE …]
       gatehouse user grant|withdraw EMAIL ROLE
       gatehouse user lock|unlock|reset EMAIL
                 [--config FILE] [--data DIR]

A password is taken from GATEHOUSE_USER_PASSWORD, or made up and shown once. Locking, resetting
and withdrawing a role end every session.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    { ...houseOptions, name: { type: 'string' }, role: { type: 'string', multiple: true } },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const [verb, email, role, ...more] = positionals
  if (verb === undefined || more.length > 0) throw new Usage(usage)
  if (verb === 'list') return visit(values, terminal, (house) => list(house, terminal))
  if (email === undefined) throw new Usage(`expected an e-mail address\n\n${usage}`)
  const job: Job = { email, role, name: values.name, roles: values.role ?? [] }
  const act = verbs[verb]
  if (act === undefined) throw new Usage(`unknown \`user ${verb}\`\n\n${usage}`)
  return visit(values, terminal, (house) => act(house, job, terminal))
}

interface Job {
  readonly email: string
  readonly role: string | undefined
  readonly name: string | undefined
  readonly roles: readonly string[]
}

type Act = (house: House, job: Job, terminal: Terminal) => Promise<boolean>

const verbs: Readonly<Record<string, Act>> = {
  create,
  grant: (house, job, terminal) =>
    change(house, job, terminal, 'user.grant', async (trx, account) => {
      const role = named(job)
      await mustFit(house, trx, [role], account.roles)
      await house.accounts.grant(trx, account.id, role)
    }),
  withdraw: (house, job, terminal) =>
    change(house, job, terminal, 'user.withdraw', async (trx, account) => {
      const role = named(job)
      // One that is gone can still be taken from those who have it.
      if (!account.roles.includes(role)) mustKnow((await house.roleBook.hold(trx)).table, [role])
      await house.accounts.withdraw(trx, account.id, role)
      await house.sessions.endAllOf(trx, account.id, 'roles changed')
    }),
  lock: (house, job, terminal) =>
    change(house, job, terminal, 'user.lock', async (trx, account) => {
      await house.accounts.setStatus(trx, account.id, 'locked')
      await house.sessions.endAllOf(trx, account.id, 'locked')
    }),
  unlock: (house, job, terminal) =>
    change(house, job, terminal, 'user.unlock', async (trx, account) => {
      await house.accounts.setStatus(trx, account.id, 'active')
      for (const kind of ['password', 'factor']) await house.people.attempts.clear(trx, `${kind}:${account.id}`)
    }),
  reset,
}

async function list(house: House, terminal: Terminal): Promise<boolean> {
  for (const { email, name, roles, status } of await house.accounts.list(house.store.db)) {
    terminal.out([email, name, roles.join(','), status].join('\t'))
  }
  return true
}

async function create(house: House, { email, name, roles }: Job, terminal: Terminal): Promise<boolean> {
  const { password, told } = newPassword(terminal)
  const prepared = await house.accounts.prepare({ email, name: name ?? email }, password)
  if ('code' in prepared) throw new Usage(refusalText(prepared))
  const outcome = await house.store.transaction(async (trx) => {
    await mustFit(house, trx, roles)
    const created = await house.accounts.insert(trx, prepared, roles, terminal.clock.now())
    if ('account' in created)
      await house.audit.enroll(trx, adminEvent('user.create', created.account.id, terminal, { roles: roles.join(',') }))
    return created
  })
  if ('taken' in outcome) {
    terminal.err(`\`${email}\` has an account already`)
    return false
  }
  terminal.out(told ? `${email} may sign in with: ${password}` : `${email} may sign in`)
  return true
}

async function reset(house: House, job: Job, terminal: Terminal): Promise<boolean> {
  const { password, told } = newPassword(terminal)
  const account = await house.accounts.byEmail(house.store.db, job.email)
  const prepared = account === undefined ? undefined : await house.accounts.preparePassword(account, password, false)
  if (prepared !== undefined && 'code' in prepared) throw new Usage(refusalText(prepared))
  const done = await change(house, job, terminal, 'user.reset', async (trx, { id }) => {
    if (prepared !== undefined) await house.accounts.setPassword(trx, id, prepared)
    await house.people.attempts.clear(trx, `password:${id}`)
    await house.sessions.endAllOf(trx, id, 'password reset')
  })
  if (done && told) terminal.out(`the new password, shown this once: ${password}`)
  return done
}

/** One change to one account, with its event, or neither. */
async function change(
  house: House,
  { email, role }: Job,
  terminal: Terminal,
  action: AdminAction,
  work: (trx: Database, account: Account) => Promise<unknown>,
): Promise<boolean> {
  const known = await house.accounts.byEmail(house.store.db, email)
  const isDone = await house.store.transaction(async (trx) => {
    if (known === undefined) return false
    await hold(trx, known.id) // what it has by now is what counts
    const account = await house.accounts.byId(trx, known.id)
    if (account === undefined) return false
    await work(trx, account)
    await house.audit.enroll(trx, adminEvent(action, account.id, terminal, role === undefined ? {} : { role }))
    return true
  })
  if (!isDone) {
    terminal.err(`nobody is called \`${email}\``)
    return false
  }
  const since = action === 'user.grant' ? ', from the next sign-in or refresh on' : ''
  terminal.out(`done: ${action} ${email}${role === undefined ? '' : ` ${role}${since}`}`)
  return true
}

function named({ role }: Job): string {
  if (role === undefined) throw new Usage(`expected a role\n\n${usage}`)
  return role
}

/**
 * A role that is not there grants nothing, and roles that are kept apart are none together: better to say so than to store
 * it. The roles stay as they are until the transaction ends.
 */
async function mustFit(
  { roleBook }: House,
  trx: Database,
  given: readonly string[],
  before: readonly string[] = [],
): Promise<void> {
  const { table } = await roleBook.hold(trx)
  mustKnow(table, given)
  const refused = refusalOfRoles(table, [...before.filter((role) => table.names.has(role)), ...given])
  if (refused !== undefined) throw new Usage(refused.detail)
}

function mustKnow({ names }: RoleTable, roles: readonly string[]): void {
  const unknown = roles.find((role) => !names.has(role))
  if (unknown !== undefined)
    throw new Usage(`no role is called \`${unknown}\`; there are ${[...names].slice(0, 50).join(', ')}`)
}

function newPassword({ environment, random }: Terminal): { readonly password: string; readonly told: boolean } {
  const given = environment['GATEHOUSE_USER_PASSWORD']
  return given === undefined ? { password: passphrase(random), told: true } : { password: given, told: false }
}
