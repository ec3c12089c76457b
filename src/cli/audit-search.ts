import type { ChainedEvent } from '../audit/follow/follower.ts'
import type { Place } from '../audit/reading/scan.ts'
import { eventOf } from '../endpoints/api/audit.ts'
import { type Command, readArgs, Usage } from './command.ts'
import { askedBy, filterOptions, filterUsage, harmless, operatorOf, recordOf } from './record-reader.ts'
import { visit } from './visit.ts'

const usage = `usage: gatehouse audit search [OPTIONS] [--limit 50] [--order newest|oldest] [--json] [--config FILE] [--data DIR]

${filterUsage}

One line to an event, from the newest on. With --json: one JSON text to an event.`

const limitMax = 100_000
const pageMax = 200

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    {
      ...filterOptions,
      limit: { type: 'string', default: '50' },
      order: { type: 'string', default: 'newest' },
      json: { type: 'boolean' },
    },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const { order, limit, json = false } = values
  if (positionals.length > 0)
    throw new Usage(`expected no more than options, got \`${positionals.join(' ')}\`\n\n${usage}`)
  if (order !== 'newest' && order !== 'oldest') throw new Usage('--order: expected newest or oldest')
  if (!/^[1-9]\d{0,5}$/.test(limit) || Number(limit) > limitMax) throw new Usage(`--limit: expected 1 to ${limitMax}`)
  const asked = askedBy(values, terminal)
  return visit(values, terminal, async (house) => {
    await house.audit.flush()
    const record = recordOf(house)
    const reader = operatorOf(house, terminal)
    let left = Number(limit)
    let after: Place | undefined
    do {
      const page = await record.search(reader, asked, { order, limit: Math.min(left, pageMax), after })
      for (const chained of page.events)
        terminal.out(json ? harmless(JSON.stringify(eventOf(chained))) : lineOf(chained))
      left -= page.events.length
      after = page.next
    } while (left > 0 && after !== undefined)
    return true
  })
}

function lineOf({ seq, event }: ChainedEvent): string {
  const { at, type, action, result, actor, address, resource, details } = event
  const words = [
    new Date(at).toISOString(),
    `#${seq}`,
    `${type}/${action}`,
    result,
    `${actor.type}:${actor.id}`,
    address === '' ? '-' : address,
    `${resource.type}:${resource.id}`,
    ...Object.entries({ ...details, ...event.private }).map(([name, value]) => `${name}=${JSON.stringify(value)}`),
  ]
  return harmless(words.join('  '))
}
