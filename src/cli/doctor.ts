import { join, resolve } from 'node:path'
import { parseConfig } from '../config/parse.ts'
import type { Settings } from '../config/settings.ts'
import { Fault } from '../kernel/error.ts'
import { areas } from '../posture/check.ts'
import type { DataFacts, MachineFacts, NotKnown } from '../posture/facts.ts'
import { lookAtMachine } from '../posture/look-at-machine.ts'
import { lookIntoStore } from '../posture/look-into-store.ts'
import { examine, postureOf } from '../posture/posture.ts'
import { postureText } from '../posture/posture-text.ts'
import { isMade } from '../store/made.ts'
import { adminEvent } from './admin-event.ts'
import { type Command, readArgs, type Terminal, Usage } from './command.ts'
import { findConfig, readConfig, settled } from './load.ts'
import { demoConfig } from './quickstart.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse doctor [--json] [--area AREA] [--only-failing]
                 [--config FILE] [--data DIR]

Answers every line of the checklists from the configuration, the store and this machine: holds, fails and how to mend it, or
cannot be known from here. Exit 1 when a \`must\` does not hold. AREA is one of
${areas.join(', ')}.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    {
      ...houseOptions,
      json: { type: 'boolean' },
      area: { type: 'string' },
      'only-failing': { type: 'boolean' },
    },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  if (positionals.length > 0) throw new Usage(usage)
  const area = areas.find((name) => name === values.area)
  if (values.area !== undefined && area === undefined)
    throw new Usage(`--area: expected one of ${areas.join(', ')}, got \`${values.area}\``)
  const path = findConfig(values.config)
  if (path === undefined) terminal.err('no configuration lies here: the quick start is looked at')
  const raw = path === undefined ? demoConfig('http://127.0.0.1') : await readConfig(path)
  const settings = settled(parseConfig(raw, terminal.environment), path ?? 'the quick start')
  const machine = await lookAtMachine({ environment: terminal.environment, dataDir: resolve(values.data) }, settings)
  const data = await dataOf({ settings, rootSecret: machine.rootSecret }, values, terminal)
  const posture = examine({ now: terminal.clock.now(), settings, data, machine }, area)
  const onlyFailing = values['only-failing'] === true
  terminal.out(
    values.json === true
      ? JSON.stringify(
          postureOf(
            onlyFailing ? { ...posture, lines: posture.lines.filter(({ outcome }) => outcome === 'fails') } : posture,
          ),
          null,
          2,
        )
      : postureText(posture, { colour: terminal.isTerminal, onlyFailing }),
  )
  return posture.sound
}

/** What lies in the store. A doctor makes neither store nor root secret, and has much to say of a house that does not open. */
async function dataOf(
  { settings, rootSecret }: { readonly settings: Settings; readonly rootSecret: MachineFacts['rootSecret'] },
  place: { readonly config?: string | undefined; readonly data: string },
  terminal: Terminal,
): Promise<DataFacts | NotKnown> {
  if (settings.store === 'sqlite::memory:') return { unknown: 'the store is in the memory of the house that serves' }
  try {
    if (!(await isMade(settings.store ?? `sqlite:${join(place.data, 'gatehouse.db')}`)))
      return { unknown: 'there is no store yet: the first start makes it' }
    if (rootSecret.from === 'nowhere')
      return { unknown: 'there is a store, and no root secret here: look where the house runs' }
    return await visit(place, terminal, async (house) => {
      const facts = await lookIntoStore(house.store.db, settings, terminal.clock.now())
      await house.store.transaction((trx) =>
        house.audit.enroll(trx, {
          ...adminEvent('audit.checkpoint', '', terminal),
          type: 'data_access',
          action: 'posture.read',
          resource: { id: 'posture', type: 'house' },
        }),
      )
      return facts
    })
  } catch (error) {
    if (error instanceof Fault) return { unknown: `the store cannot be opened: ${error.message}` }
    throw error
  }
}
