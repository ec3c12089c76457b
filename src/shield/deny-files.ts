import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { Fault } from '../kernel/error.ts'
import type { Random } from '../kernel/id.ts'
import { parseCidr } from '../kernel/ip.ts'
import type { Log } from '../kernel/log.ts'
import { NetworkTable } from './network-table.ts'

/** The networks of all files; or the first mistake, with its file and line. */
export type DenyListReading = { readonly networks: NetworkTable } | { readonly mistake: string }

/** Known bad actors, by files: one address or network a line, and behind `#` or `;` whatever anybody wants to say of it. */
export class DenyFiles {
  readonly #paths: readonly string[]
  readonly #random: Random
  readonly #log: Log
  #networks: NetworkTable
  /** What the files were when they were read last, whatever came of that. */
  #seen: string

  private constructor(paths: readonly string[], { random, log }: Parts, networks: NetworkTable, seen: string) {
    this.#paths = paths
    this.#random = random
    this.#log = log
    this.#networks = networks
    this.#seen = seen
  }

  /** Throws a `Fault` that names file and line where one of them cannot be read. */
  static async open(paths: readonly string[], parts: Parts): Promise<DenyFiles> {
    const seen = await stampOf(paths)
    const read = await readDenyList(paths, parts.random)
    if ('mistake' in read) throw new Fault('unavailable', `\`shield.addresses.denyFiles\`: ${read.mistake}`)
    return new DenyFiles(paths, parts, read.networks, seen)
  }

  /** Networks that are on the list. */
  get size(): number {
    return this.#networks.size
  }

  contains(address: string): boolean {
    return this.#networks.contains(address)
  }

  /** Reads the files again where one of them has changed: all of them anew, or the list stays as it was. */
  async look(): Promise<void> {
    const stamp = await stampOf(this.#paths)
    if (stamp === this.#seen) return
    const read = await readDenyList(this.#paths, this.#random)
    // Who is still writing is waited for: half a file may well be a list.
    if ((await stampOf(this.#paths)) !== stamp) return
    this.#seen = stamp
    if ('mistake' in read) {
      this.#log.error(
        { mistake: read.mistake },
        'the list of denied addresses was not taken over, and the old one stays',
      )
      return
    }
    this.#networks = read.networks
    this.#log.info({ networks: read.networks.size }, 'the list of denied addresses was read again')
  }
}

interface Parts {
  readonly random: Random
  readonly log: Log
}

/** Reads files of networks, piece by piece: requests come in between, however long they are. */
export async function readDenyList(paths: readonly string[], random: Random): Promise<DenyListReading> {
  const expected = Math.min(networksMax, Math.ceil((await sizeOf(paths)) / lineBytes))
  const networks = new NetworkTable(new DataView(random.bytes(4).buffer).getUint32(0), expected)
  for (const path of paths) {
    const mistake = await readFileInto(networks, path)
    if (mistake !== undefined) return { mistake }
  }
  return { networks }
}

async function readFileInto(networks: NetworkTable, path: string): Promise<string | undefined> {
  let line = 0
  let rest = ''
  const wrong = (problem: string): string => `\`${path}\`, line ${line}: ${problem}`
  const take = (text: string): string | undefined => {
    line++
    if (text.length > lineMax) return wrong(`expected at most ${lineMax} characters`)
    const written = withoutComment(line === 1 ? text.replace(byteOrderMark, '') : text)
    if (written === '') return undefined
    const cidr = parseCidr(written)
    if (cidr === undefined)
      return wrong(`expected an address or a network such as \`10.0.0.0/8\`, got \`${shown(written)}\``)
    networks.add(cidr)
    return networks.size > networksMax ? wrong(`expected no more than ${networksMax} networks in all files`) : undefined
  }
  let file: FileHandle | undefined
  try {
    // Without `O_NONBLOCK` nobody comes back from a named pipe that nobody writes to.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    const kind = await file.stat()
    if (!kind.isFile() && !kind.isDirectory()) return `\`${path}\` is no file`
    for await (const piece of file.createReadStream({ encoding: 'latin1', highWaterMark: pieceBytes })) {
      const lines = `${rest}${piece as string}`.split('\n')
      rest = lines.pop() as string
      for (const text of lines) {
        const mistake = take(text)
        if (mistake !== undefined) return mistake
      }
      if (rest.length > lineMax) return take(rest)
    }
  } catch (error) {
    return `\`${path}\` cannot be read (${(error as NodeJS.ErrnoException).code})`
  } finally {
    await file?.close()
  }
  return rest === '' ? undefined : take(rest)
}

async function sizeOf(paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ size }) => size,
        () => 0, // whoever reads it says why
      ),
    ),
  )
  return sizes.reduce((all, size) => all + size, 0)
}

/** What changes when a file does, also where a link in its place leads to another one. */
async function stampOf(paths: readonly string[]): Promise<string> {
  const stamps = await Promise.all(
    paths.map(async (path) => {
      try {
        const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
        return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
      } catch (error) {
        return `${(error as NodeJS.ErrnoException).code}`
      }
    }),
  )
  return stamps.join('\n')
}

function withoutComment(text: string): string {
  const comment = text.search(/[#;]/)
  return (comment < 0 ? text : text.slice(0, comment)).trim()
}

/** A line of a file that may be anything. */
function shown(text: string): string {
  return text.slice(0, 60).replace(/[^ -~]/g, '?')
}

const networksMax = 1_000_000
const lineMax = 4_096
const pieceBytes = 16_384
/** Of a usual line. */
const lineBytes = 14
/** UTF-8's, as latin1 reads it. */
const byteOrderMark = /^\u00ef\u00bb\u00bf/
