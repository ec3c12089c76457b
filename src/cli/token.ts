import { heed, type Revocable, type TakenBack, takeBack } from '../authn/session/taking-back.ts'
import type { House } from '../house.ts'
import type { Refusal } from '../kernel/error.ts'
import { adminEvent } from './admin-event.ts'
import { type Command, readArgs, refusalText, type Terminal, Usage } from './command.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse token revoke --token TOKEN | --session ID | --user EMAIL | --client ID | --everything
                 [--config FILE] [--data DIR]

Ends it at once, in the store: a node that serves hears of it within a second. TOKEN is an access token, its \`jti\`, or a
refresh token, which ends with its family. --everything signs everybody out.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    {
      ...houseOptions,
      token: { type: 'string' },
      session: { type: 'string' },
      user: { type: 'string' },
      client: { type: 'string' },
      everything: { type: 'boolean' },
    },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  if (positionals[0] !== 'revoke' || positionals.length > 1)
    throw new Usage(`expected \`token revoke\`, got \`token ${positionals.join(' ')}\`\n\n${usage}`)
  const named = (['token', 'session', 'user', 'client', 'everything'] as const).filter((name) => values[name])
  const [kind] = named
  if (kind === undefined || named.length > 1)
    throw new Usage(`expected one of --token, --session, --user, --client and --everything\n\n${usage}`)
  const what: Named = { kind, text: String(values[kind]) }
  return visit(values, terminal, (house) => revoke(house, what, terminal))
}

interface Named {
  readonly kind: Revocable['kind']
  readonly text: string
}

async function revoke(house: House, named: Named, terminal: Terminal): Promise<boolean> {
  const what = await revocableOf(house, named)
  if (what === undefined) {
    terminal.err(`nobody is called \`${named.text}\``)
    return false
  }
  const { store, audit, sessions, tokens, revocations, people } = house
  const rooms = { clock: terminal.clock, sessions, tokens, revocationList: people.revocationList }
  const outcome = await store.transaction(async (trx): Promise<TakenBack | Refusal> => {
    const taken = await takeBack(trx, rooms, what)
    if ('code' in taken) return taken
    const event = adminEvent('token.revoke', '', terminal, { sessions: taken.sessionCount })
    await audit.enroll(trx, { ...event, resource: taken.resource })
    return taken
  })
  if ('code' in outcome) {
    terminal.err(outcome.code === 'not-found' ? `no session is called \`${named.text}\`` : refusalText(outcome))
    return false
  }
  heed(revocations, outcome)
  terminal.out(told(named, outcome))
  return true
}

/** Undefined for somebody who has no account. */
async function revocableOf({ accounts, store }: House, { kind, text }: Named): Promise<Revocable | undefined> {
  switch (kind) {
    case 'token':
      return { kind, token: text }
    case 'user': {
      const account = await accounts.byEmail(store.db, text)
      return account === undefined ? undefined : { kind, id: account.id }
    }
    case 'session':
    case 'client':
      return { kind, id: text }
    case 'everything':
      return { kind }
  }
}

function told({ kind, text }: Named, { sessionCount, token }: TakenBack): string {
  const sessions = `${sessionCount} ${sessionCount === 1 ? 'session' : 'sessions'} ended`
  switch (kind) {
    case 'token':
      if (token !== undefined) return `done: the token \`${token.id}\` is void`
      return sessionCount > 0 ? `done: ${sessions}` : 'done: it was over already'
    case 'session':
      return sessionCount > 0 ? `done: ${sessions}` : 'done: it was over already'
    case 'user':
    case 'client':
      return `done: every token of \`${text}\` is void, ${sessions}`
    case 'everything':
      return `done: every token is void, ${sessions}`
  }
}
