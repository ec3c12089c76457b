import { adminEvent } from './admin-event.ts'
import { checkpointNow, houseKey } from './checkpoint-now.ts'
import { type Command, readArgs, Usage } from './command.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse audit checkpoint [--config FILE] [--data DIR]

Signs the record as it stands now, and prints the checkpoint. The house does so by itself, as often as \`audit.checkpoint\` says.
Exit 1 where the record is not what was signed before.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(args, houseOptions, usage)
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  if (positionals.length > 0)
    throw new Usage(`expected no more than \`audit checkpoint\`, got \`${positionals.join(' ')}\`\n\n${usage}`)
  return visit(values, terminal, async (house) => {
    const key = await houseKey(house, terminal, values.data)
    const event = { ...adminEvent('audit.checkpoint', '', terminal), resource: { id: 'audit', type: 'audit' } as const }
    await house.store.transaction((trx) => house.audit.enroll(trx, event))
    house.audit.wake()
    const note = await checkpointNow(house, key, terminal)
    if (note !== undefined) terminal.out(note.trimEnd())
    return note !== undefined
  })
}
