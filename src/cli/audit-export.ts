import { open, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { exportFormats } from '../audit/reading/export.ts'
import { isRefusal } from '../endpoints/desk/guard.ts'
import { Fault } from '../kernel/error.ts'
import { uuidv7 } from '../kernel/id.ts'
import { type Command, readArgs, Usage } from './command.ts'
import { askedBy, filterOptions, filterUsage, harmless, operatorOf, recordOf } from './record-reader.ts'
import { visit } from './visit.ts'

const usage = `usage: gatehouse audit export [--format ${exportFormats.join('|')}] [--out FILE] [OPTIONS] [--config FILE] [--data DIR]

${filterUsage}

Without --out to standard output. FILE is for you alone to read, and is there when it is whole.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    { ...filterOptions, format: { type: 'string', default: 'jsonl' }, out: { type: 'string' } },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  if (positionals.length > 0)
    throw new Usage(`expected no more than options, got \`${positionals.join(' ')}\`\n\n${usage}`)
  const format = exportFormats.find((word) => word === values.format)
  if (format === undefined) throw new Usage(`--format: expected one of ${exportFormats.join(', ')}`)
  const { out } = values
  if (out === '') throw new Usage('--out: expected the name of a file')
  const asked = askedBy(values, terminal)
  return visit(values, terminal, async (house) => {
    await house.audit.flush()
    const pieces = await recordOf(house).export(operatorOf(house, terminal), asked, format)
    if (isRefusal(pieces)) throw new Fault(pieces.code, pieces.detail)
    if (out === undefined) {
      for await (const piece of pieces) {
        const text = piece.replace(/\n$/, '') // a terminal ends each text with a line break of its own
        terminal.out(terminal.isTerminal ? text.split(/\r?\n/).map(harmless).join('\n') : text)
      }
      return true
    }
    const path = resolve(out)
    await writeWhole(path, `${path}.${uuidv7(terminal.clock.now(), terminal.random)}`, pieces)
    terminal.err(`done: export to ${path}`)
    return true
  })
}

/** Written beside and renamed: whoever finds the file finds all of it. */
async function writeWhole(
  path: string,
  beside: string,
  pieces: AsyncGenerator<string, void, undefined>,
): Promise<void> {
  try {
    const file = await open(beside, 'wx', 0o600)
    try {
      for await (const piece of pieces) await file.write(piece)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, path)
  } catch (error) {
    await pieces.return()
    await rm(beside, { force: true })
    throw new Fault('unavailable', `cannot write the export to \`${path}\`: ${error}`, error)
  }
}
