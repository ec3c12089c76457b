import { readVerifier } from '../audit/checkpoint/note.ts'
import { readNotes } from '../audit/checkpoint/notes-file.ts'
import { verifyChain } from '../audit/verify/verify.ts'
import { houseKey } from './checkpoint-now.ts'
import { type Command, readArgs, type Terminal, Usage } from './command.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse audit verify [--anchor FILE]… [--key KEY] [--config FILE] [--data DIR]

Recomputes the chain of audit events and its tree, compares them with every checkpoint, and names the first event that was altered,
removed, inserted or cut off. Exit 1 when there is one.

--anchor FILE   checkpoints that were kept outside: what was cut off together with its checkpoints is found by nothing else
--key KEY       the public key that was noted down when the house was new, in place of the house's own word for it`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    { ...houseOptions, anchor: { type: 'string', multiple: true }, key: { type: 'string' } },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  if (positionals.length > 0)
    throw new Usage(`expected no more than \`audit verify\`, got \`${positionals.join(' ')}\`\n\n${usage}`)
  return visit(values, terminal, async (house) => {
    await house.audit.flush().catch((error: Error) => terminal.err(`what came last is not chained: ${error.message}`)) // what stops it is looked for
    const own = await houseKey(house, terminal, values.data)
    const key = values.key === undefined ? own : readVerifier(values.key, own.origin)
    if (key === undefined) throw new Usage('--key: expected a key as `/.well-known/gatehouse/audit-key` shows it')
    const anchors = (values.anchor ?? []).map((path) => ({ name: path, checkpoints: readNotes(path) }))
    const outcome = await verifyChain(house.store.db, {
      sealer: house.audit.sealer,
      key,
      anchors,
      onProgress: progressOn(terminal),
    })
    if (outcome.ok) {
      const { events, checkpoints, lastHash } = outcome
      terminal.out(
        `the chain is whole: ${events} events and ${checkpoints} checkpoints, the last event has hash ${lastHash}`,
      )
      return true
    }
    terminal.err(`the chain is broken at event ${outcome.seq}: ${outcome.what}: ${outcome.detail}`)
    return false
  })
}

/** A line for each tenth of a long chain, where somebody is looking. */
function progressOn({ isTerminal, err }: Terminal): (events: number, of: number) => void {
  let tenths = 0
  return (events, of) => {
    const done = Math.floor((events * 10) / Math.max(of, 1))
    if (!isTerminal || of < longChain || done <= tenths || done === 10) return
    tenths = done
    err(`${events} of ${of} events`)
  }
}

const longChain = 50_000
