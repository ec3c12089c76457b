import type { AdminAction, Details } from '../audit/event.ts'
import type { House } from '../house.ts'
import type { KeyView } from '../keys/key-table.ts'
import type { Database } from '../store/database.ts'
import { adminEvent } from './admin-event.ts'
import { type Command, readArgs, type Terminal, Usage } from './command.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse secrets list
       gatehouse secrets rotate signing-key [--now]
       gatehouse secrets remove signing-key KID
                 [--config FILE] [--data DIR]

A rotation publishes the next key; it signs after \`tokens.rotation.lead\`, or with --now as soon as every node knows it, and
the key before it verifies until its last token has run out. Removing is for emergencies: every token of the key is void,
within a second on the nodes that serve.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(args, { ...houseOptions, now: { type: 'boolean' } }, usage)
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const [verb, what, kid, ...more] = positionals
  const act = actOf(verb, what, kid)
  if (act === undefined || more.length > 0 || (values.now === true && verb !== 'rotate')) throw new Usage(usage)
  return visit(values, terminal, (house) => act(house, terminal, values.now === true))
}

type Act = (house: House, terminal: Terminal, now: boolean) => Promise<boolean>

function actOf(verb: string | undefined, what: string | undefined, kid: string | undefined): Act | undefined {
  if (verb === 'list' && what === undefined) return list
  if (what !== 'signing-key') return undefined
  if (verb === 'rotate' && kid === undefined) return rotate
  if (verb === 'remove' && kid !== undefined) return (house, terminal) => remove(house, terminal, kid)
  return undefined
}

async function list({ keyrings, store }: House, terminal: Terminal): Promise<boolean> {
  for (const ring of keyrings) for (const key of await ring.list(store.db)) terminal.out(lineOf(key))
  return true
}

/** Every ring that the house keeps: that of access tokens, and that of ID tokens where it is another. */
async function rotate(house: House, terminal: Terminal, now: boolean): Promise<boolean> {
  if (house.keyrings.some(({ table }) => table === undefined)) terminal.err(byConfiguration)
  for (const ring of house.keyrings) {
    const { table, algorithm } = ring
    if (table === undefined) continue
    const { kid, activeFrom, isNew } = await house.store.transaction(async (trx) => {
      const successor = await table.rotate(trx, now ? 'soon' : 'after-lead')
      const details = { 'active-from': successor.activeFrom, algorithm, because: 'command' }
      await note(house, trx, terminal, 'signing-key.rotate', successor.kid, details)
      return successor
    })
    await ring.hear(house.store.db)
    const told = isNew ? 'is published' : 'was published already'
    terminal.out(`${algorithm}: \`${kid}\` ${told}, and signs from ${timeText(activeFrom)}`)
  }
  return house.keyrings.some(({ table }) => table !== undefined)
}

async function remove(house: House, terminal: Terminal, kid: string): Promise<boolean> {
  for (const ring of house.keyrings) {
    const { table } = ring
    if (table === undefined) continue
    const removed = await house.store.transaction(async (trx) => {
      const outcome = await table.remove(trx, kid)
      const details = outcome?.successor === undefined ? {} : { successor: outcome.successor }
      if (outcome !== undefined) await note(house, trx, terminal, 'signing-key.remove', kid, details)
      return outcome
    })
    if (removed === undefined) continue
    await ring.hear(house.store.db)
    const { successor } = removed
    terminal.out(`done: every token that \`${kid}\` signed is void`)
    if (successor !== undefined) terminal.out(`\`${successor}\` signs in its place`)
    return true
  }
  terminal.err(isConfigured(house, kid) ? byConfiguration : `no signing key in use is called \`${kid}\``)
  return false
}

function isConfigured({ keyrings }: House, kid: string): boolean {
  return keyrings.some((ring) => ring.table === undefined && ring.verifying(kid) !== undefined)
}

const byConfiguration =
  'the signing secret stands in the configuration: put a new one into `tokens.secret` and the old one into `tokens.previousSecrets`, or leave that out to void its tokens, and restart'

function note(
  house: House,
  trx: Database,
  terminal: Terminal,
  action: AdminAction,
  kid: string,
  details: Details,
): Promise<void> {
  const event = adminEvent(action, '', terminal, details)
  return house.audit.enroll(trx, { ...event, resource: { id: kid, type: 'signing-key' } })
}

function lineOf({ kid, algorithm, state, activeFrom, until }: KeyView): string {
  const since = activeFrom === undefined ? 'configured' : `from ${timeText(activeFrom)}`
  return [kid, algorithm, state, since, ...(until === undefined ? [] : [`until ${timeText(until)}`])].join('\t')
}

function timeText(ms: number): string {
  return new Date(ms).toISOString()
}
