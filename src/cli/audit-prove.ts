import { writeFileSync } from 'node:fs'
import type { AuditEvent } from '../audit/event.ts'
import { ProofCounter, type ProofReader } from '../endpoints/desk/audit-proofs.ts'
import { isRefusal } from '../endpoints/desk/guard.ts'
import type { House } from '../house.ts'
import { adminEvent } from './admin-event.ts'
import { checkpointNow, houseKey } from './checkpoint-now.ts'
import { type Command, readArgs, type Terminal, Usage } from './command.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse audit prove EVENT_ID [--size N] [--out FILE] [--config FILE] [--data DIR]

Prints a proof that an event is in the record: by the first checkpoint that covers it, which is made where there is none yet, or by the
one over N events. Whoever has the public key of the house checks it by \`gatehouse audit check-proof\`, or as docs/audit-proofs.md says.
A file that is there already is not written over.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    { ...houseOptions, size: { type: 'string' }, out: { type: 'string' } },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const [id, ...more] = positionals
  if (id === undefined || more.length > 0) throw new Usage(`expected the id of one event\n\n${usage}`)
  const { out, size } = values
  if (size !== undefined && !/^[1-9]\d{0,14}$/.test(size)) throw new Usage('--size: expected the size of a checkpoint')
  return visit(values, terminal, async (house) => {
    const key = await houseKey(house, terminal, values.data)
    if ((await checkpointNow(house, key, terminal)) === undefined) return false
    const counter = new ProofCounter({ ...house, checkpointKey: key })
    const proof = await counter.prove(operator(house, terminal), id, size === undefined ? undefined : Number(size))
    if (isRefusal(proof)) {
      terminal.err(proof.detail)
      return false
    }
    const text = JSON.stringify(proof, null, 2)
    if (out === undefined) terminal.out(text)
    else if (!write(out, `${text}\n`, terminal)) return false
    return true
  })
}

function write(path: string, text: string, terminal: Terminal): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    terminal.err(`\`${path}\` cannot be written: ${(error as Error).message}`)
    return false
  }
  terminal.err(`done: the proof is in ${path}`)
  return true
}

/** Whoever has the machine has all of it: what they read of the record is remembered all the same. */
function operator({ audit }: House, terminal: Terminal): ProofReader {
  return {
    note: (trx, resource, details) =>
      audit.enroll(trx, {
        ...adminEvent('audit.checkpoint', '', terminal, details),
        type: 'data_access',
        action: 'audit.prove',
        resource,
      } satisfies AuditEvent),
  }
}
