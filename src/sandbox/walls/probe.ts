import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { WalledCommand } from './wall.ts'

/** What a child found when it tried. */
export type Probed = z.output<typeof probed>

const probed = z.object({
  /** Whether it read a file of the house's. */
  read: z.boolean(),
  /** Whether it wrote anywhere. */
  wrote: z.boolean(),
  /** What stands in its root folder. */
  root: z.array(z.string()),
  /** Whether it reached a socket of this machine, and the error where it did not. */
  connected: z.string(),
  pid: z.int(),
  uid: z.int(),
  /** Whether it could become root, or anybody. */
  became: z.boolean(),
  /** Whether it started a program. */
  started: z.boolean(),
  cpuSeconds: z.union([z.int(), z.literal('unlimited')]),
})

/**
 * Starts Node in the same dress as a child, without the walls that Node itself has, and lets it try.
 *
 * @param dress puts walls around a program
 * @returns what came of it, or why nothing did
 */
export async function probe(
  dress: (program: readonly string[]) => WalledCommand,
  node: string,
): Promise<Probed | string> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-probe-'))
  const canary = join(folder, 'canary')
  writeFileSync(canary, 'canary', { mode: 0o644 })
  const server = createServer((socket) => socket.destroy()).on('error', () => {})
  try {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    return await answerOf(dress([node, '-e', attempts, canary, String(port)]))
  } finally {
    server.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function answerOf(walled: WalledCommand): Promise<Probed | string> {
  return new Promise((resolve) => {
    const feeds = walled.feeds.map(() => 'pipe' as const)
    const child = spawn(walled.command, walled.args, { env: {}, cwd: '/', stdio: ['ignore', 'pipe', 'pipe', ...feeds] })
    const patience = setTimeout(() => child.kill('SIGKILL'), patienceMs)
    let [told, complained] = ['', '']
    child.stdout?.on('data', (text) => (told = `${told}${text}`.slice(0, 16_384)))
    child.stderr?.on('data', (text) => (complained = `${complained}${text}`.slice(0, 2_048)))
    for (const [index, feed] of walled.feeds.entries()) {
      const pipe = child.stdio[3 + index]
      pipe?.on('error', () => {})
      if (pipe !== null && pipe !== undefined && 'end' in pipe) pipe.end(feed)
    }
    child.on('error', (error) => {
      clearTimeout(patience)
      resolve(error.message)
    })
    child.on('close', (code, signal) => {
      clearTimeout(patience)
      const line = complained.trim().split('\n')[0]?.slice(0, 300)
      resolve(readAnswer(told) ?? (line || `it ended with ${signal ?? code} and said nothing`))
    })
  })
}

function readAnswer(text: string): Probed | undefined {
  try {
    return probed.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** A machine that is busy starts a process slowly. */
const patienceMs = 15_000

const attempts = `
const fs = require('node:fs'), net = require('node:net')
const [canary, port] = process.argv.slice(1)
const tried = (act) => { try { act(); return true } catch { return false } }
const found = {
  read: tried(() => fs.readFileSync(canary)),
  wrote: ['/written', '/app/written', '/tmp/written-by-probe', '/dev/shm/written-by-probe'].some((path) => tried(() => { fs.writeFileSync(path, ''); fs.rmSync(path) })),
  root: fs.readdirSync('/'),
  pid: process.pid,
  uid: process.getuid(),
  became: tried(() => process.setuid(0)),
  started: require('node:child_process').spawnSync(process.execPath, ['--version']).status === 0,
  cpuSeconds: process.report.getReport().userLimits.cpu_time_seconds.soft,
}
const tell = (connected) => { console.log(JSON.stringify({ ...found, connected })); process.exit(0) }
net.connect(Number(port), '127.0.0.1').on('connect', () => tell('yes')).on('error', (error) => tell(error.code))
`
