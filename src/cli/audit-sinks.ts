import { type FollowerState, followerStates, removeFollower, resetFollower } from '../audit/follow/states.ts'
import { placeOf } from '../audit/options.ts'
import { sinkName } from '../audit/sinks/options.ts'
import type { Settings } from '../config/settings.ts'
import type { House } from '../house.ts'
import type { Database } from '../store/database.ts'
import { adminEvent } from './admin-event.ts'
import { type Command, readArgs, type Terminal, Usage } from './command.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse audit sinks [--json]
       gatehouse audit sinks reset NAME --from SEQ|beginning|end
       gatehouse audit sinks remove NAME
                 [--config FILE] [--data DIR]

Lists who follows the record: how far each is, how many events it has before it, and since when and why it fails.
\`reset\` lets one go on behind the event with the number SEQ; \`remove\` forgets one that is not in the configuration any more.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    { ...houseOptions, json: { type: 'boolean' }, from: { type: 'string' } },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const [verb, name, ...rest] = positionals
  if (verb === undefined) {
    if (values.from !== undefined) throw new Usage(`\`audit sinks\` has no \`--from\`\n\n${usage}`)
    return visit(values, terminal, (house) => list(house, terminal, values.json === true))
  }
  if (name === undefined || rest.length > 0 || values.json === true) throw new Usage(usage)
  const { from } = values
  if (verb === 'remove' && from === undefined) return visit(values, terminal, (house) => remove(house, terminal, name))
  if (verb !== 'reset') throw new Usage(usage)
  if (from === undefined || !/^(?:\d{1,15}|beginning|end)$/.test(from))
    throw new Usage(`--from: expected the number of an event, \`beginning\` or \`end\`, got \`${from ?? ''}\``)
  return visit(values, terminal, (house) => reset(house, terminal, name, from))
}

async function list({ store, settings }: House, terminal: Terminal, json: boolean): Promise<boolean> {
  const states = await followerStates(store.db)
  const wanted = namesIn(settings)
  if (json) {
    const shown = states.map(({ name, seq, lag, failures, failingSinceMs, problem, parked }) => ({
      name,
      configured: wanted.has(name),
      seq,
      lag,
      failures,
      failing_since: failingSinceMs === undefined ? null : new Date(failingSinceMs).toISOString(),
      problem: problem ?? null,
      parked,
    }))
    terminal.out(JSON.stringify({ sinks: shown }, null, 2))
    return true
  }
  for (const { name, seq, lag, failingSinceMs, problem, parked } of states) {
    const facts = [name, `at ${seq}`, lag === 0 ? 'up to date' : `${lag} behind`]
    if (!wanted.has(name)) facts.push('not in the configuration')
    if (parked > 0) facts.push(`${parked} set aside`)
    if (failingSinceMs !== undefined)
      facts.push(`fails since ${new Date(failingSinceMs).toISOString()}: ${problem ?? ''}`)
    terminal.out(facts.join('\t'))
  }
  return true
}

async function reset({ store, audit }: House, terminal: Terminal, given: string, from: string): Promise<boolean> {
  await audit.flush()
  const state = await stateOf(store.db, given, terminal)
  if (state === undefined) return false
  const { name } = state
  const last = state.seq + state.lag
  const seq = from === 'beginning' ? 0 : from === 'end' ? last : Number(from)
  if (seq > last) throw new Usage(`--from: the last event is ${last}, got \`${from}\``)
  await store.transaction(async (trx) => {
    await resetFollower(trx, name, seq, terminal.clock.now())
    await audit.enroll(trx, {
      ...adminEvent('sink.reset', '', terminal, { before: state.seq, seq }),
      resource: { id: name, type: 'sink' },
    })
  })
  audit.wake()
  terminal.err(`done: \`${name}\` goes on behind event ${seq}`)
  return true
}

async function remove({ store, audit, settings }: House, terminal: Terminal, given: string): Promise<boolean> {
  const state = await stateOf(store.db, given, terminal)
  if (state === undefined) return false
  const { name, seq, lag } = state
  if (namesIn(settings).has(name)) {
    terminal.err(`\`${name}\` is in the configuration: take it out there first`)
    return false
  }
  await store.transaction(async (trx) => {
    await removeFollower(trx, name)
    await audit.enroll(trx, {
      ...adminEvent('sink.remove', '', terminal, { behind: lag, seq }),
      resource: { id: name, type: 'sink' },
    })
  })
  audit.wake()
  terminal.err(`done: \`${name}\` is forgotten`)
  return true
}

async function stateOf(db: Database, given: string, terminal: Terminal): Promise<FollowerState | undefined> {
  const states = await followerStates(db)
  const state = states.find(({ name }) => name === given) ?? states.find(({ name }) => name === `sink:${given}`)
  if (state === undefined) terminal.err(`nobody who follows the record is called \`${given}\``)
  return state
}

/** Who follows the record by this configuration. */
function namesIn({ audit }: Settings): ReadonlySet<string> {
  return new Set(['detection', ...audit.sinks.map(sinkName), ...audit.anchors.map((one) => `anchor:${placeOf(one)}`)])
}
