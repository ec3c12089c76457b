import { followerStates, resetFollower } from '../audit/follower-states.ts'
import type { House } from '../house.ts'
import { adminEvent } from './admin-event.ts'
import { type Command, readArgs, type Terminal, Usage } from './command.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse audit sinks [--json]
       gatehouse audit sinks reset NAME --from SEQ|beginning|end
                 [--config FILE] [--data DIR]

Lists who follows the record: how far each is, how many events it has before it, and since when and why it fails.
\`reset\` lets one go on behind the event with the number SEQ.`

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
  if (verb !== 'reset' || name === undefined || rest.length > 0 || values.json === true) throw new Usage(usage)
  const { from } = values
  if (from === undefined || !/^(?:\d{1,15}|beginning|end)$/.test(from))
    throw new Usage(`--from: expected the number of an event, \`beginning\` or \`end\`, got \`${from ?? ''}\``)
  return visit(values, terminal, (house) => reset(house, terminal, name, from))
}

async function list({ store }: House, terminal: Terminal, json: boolean): Promise<boolean> {
  const states = await followerStates(store.db)
  if (json) {
    const shown = states.map(({ name, seq, lag, failures, failingSinceMs, problem, parked }) => ({
      name,
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
    if (parked > 0) facts.push(`${parked} set aside`)
    if (failingSinceMs !== undefined)
      facts.push(`fails since ${new Date(failingSinceMs).toISOString()}: ${problem ?? ''}`)
    terminal.out(facts.join('\t'))
  }
  return true
}

async function reset({ store, audit }: House, terminal: Terminal, given: string, from: string): Promise<boolean> {
  await audit.flush()
  const states = await followerStates(store.db)
  const state = states.find(({ name }) => name === given) ?? states.find(({ name }) => name === `sink:${given}`)
  if (state === undefined) {
    terminal.err(`nobody who follows the record is called \`${given}\``)
    return false
  }
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
