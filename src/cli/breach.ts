import { createReadStream, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { buildBreachList, verifyBreachList } from '../authn/password/breach-build.ts'
import { openBreachList } from '../authn/password/breach-list.ts'
import { type Command, readArgs, type Terminal, Usage } from './command.ts'

const usage = `usage: gatehouse breach build FILE --out OUT [--min-count N]
       gatehouse breach check LIST
       gatehouse breach verify LIST

build   makes a list for \`identity.password.breachList\` of a dump: lines of \`SHA1:COUNT\` as Have I Been Pwned gives them,
        in any order, or passwords, one a line. FILE may be \`-\` for the standard input. OUT is replaced when the list is
        whole; beside it, six bytes a line are needed until then, twice.
        --min-count N  leaves out what was seen less often than N times
check   reads one password from the standard input. Exit 0 when it is not on the list, 1 when it is.
verify  reads a list from beginning to end. Exit 3 when it is damaged.`

const options = {
  out: { type: 'string' },
  'min-count': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

export const command: Command = breachCommand(() => process.stdin)

/** The command, with what it reads where it is asked to read the standard input. */
export function breachCommand(input: () => AsyncIterable<Uint8Array>): Command {
  return async (args, terminal) => {
    const { values, positionals } = readArgs(args, options, usage)
    if (values.help === true) {
      terminal.out(usage)
      return true
    }
    const [verb, file, ...rest] = positionals
    const isBuild = verb === 'build'
    if (file === undefined || rest.length > 0 || !(isBuild || verb === 'check' || verb === 'verify'))
      throw new Usage(`expected \`breach build FILE\`, \`breach check LIST\` or \`breach verify LIST\`\n\n${usage}`)
    if (!isBuild && (values.out !== undefined || values['min-count'] !== undefined))
      throw new Usage(`--out and --min-count belong to \`breach build\`\n\n${usage}`)
    if (verb === 'verify') {
      terminal.out(`\`${file}\` is whole: ${numbered(verifyBreachList(file).count, 'password')}`)
      return true
    }
    if (verb === 'check') return check(file, input(), terminal)
    const { out } = values
    if (out === undefined) throw new Usage(`expected --out and where the list goes\n\n${usage}`)
    return build(file, file === '-' ? input() : opened(file, out), out, countMin(values['min-count']), terminal)
  }
}

async function build(
  file: string,
  dump: AsyncIterable<Uint8Array>,
  out: string,
  countMin: number,
  terminal: Terminal,
): Promise<boolean> {
  const built = await buildBreachList(dump, { out, countMin, onProgress: progressOf(terminal) })
  if ('mistake' in built) {
    terminal.err(`\`${file}\`, line ${built.line}: ${built.mistake}`)
    return false
  }
  const skipped = built.skipped === 0 ? '' : `; ${numbered(built.skipped, 'line')} too long for a password`
  terminal.out(
    `\`${out}\` has ${numbered(built.count, 'password')}, of ${numbered(built.lines, 'line')} of ${built.kind}${skipped}`,
  )
  return true
}

async function check(list: string, input: AsyncIterable<Uint8Array>, terminal: Terminal): Promise<boolean> {
  const breached = openBreachList(list) // before the password is asked for
  const password = await passwordFrom(input)
  const isListed = breached.has(password)
  terminal.out(isListed ? 'the password is on the list' : 'the password is not on the list')
  return !isListed
}

const passwordBytesMax = 4096

/** The password is all that comes, but for the end of the line that a shell adds. */
async function passwordFrom(input: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of input) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > passwordBytesMax) throw new Usage(`expected one password, got more than ${passwordBytesMax} bytes`)
  }
  const password = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
  if (password === '') throw new Usage('expected a password on the standard input, got nothing')
  if (/[\r\n]/.test(password)) throw new Usage('expected one password, got more than one line')
  return password
}

function opened(file: string, out: string): AsyncIterable<Uint8Array> {
  const stat = statSync(file, { throwIfNoEntry: false })
  if (stat === undefined) throw new Usage(`no dump at \`${file}\``)
  if (stat.isDirectory()) throw new Usage(`expected a file, and \`${file}\` is a folder`)
  if (resolve(file) === resolve(out)) throw new Usage('expected --out to be another file than the dump')
  return createReadStream(file, { highWaterMark: 2 ** 20 })
}

function countMin(text: string | undefined): number {
  if (text === undefined) return 1
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new Usage(`--min-count: expected a number from 1 on, got \`${text}\``)
  return Number(text)
}

const progressEveryMs = 5_000

/** Says now and then how far it is, to whoever is looking. */
function progressOf({ isTerminal, clock, err }: Terminal): (lines: number) => void {
  if (!isTerminal) return () => {}
  let saidAt = clock.monotonic()
  return (lines) => {
    const now = clock.monotonic()
    if (now - saidAt < progressEveryMs) return
    saidAt = now
    err(`${numbered(lines, 'line')} read`)
  }
}

function numbered(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
