import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import type { WalledCommand } from '../walls/wall.ts'
import { childStdio } from './descriptors.ts'

export interface OutputBounds {
  readonly bytesMax: number
  readonly timeMs: number
  /** Ends the program. */
  readonly signal: AbortSignal
}

/** What a program behind walls writes, whole, after it was told one line. Rejects where it fails, or writes or takes more than it may. */
export function outputOf(
  { command, args, feeds }: WalledCommand,
  told: string,
  { bytesMax, timeMs, signal }: OutputBounds,
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const child = spawn(command, args, {
    env: {},
    cwd: '/',
    detached: true,
    windowsHide: true,
    stdio: childStdio(feeds.length),
  })
  const chunks: Buffer[] = []
  let bytes = 0
  let complaint = ''
  let ended = false
  const end = (why: string): void => {
    complaint ||= why
    if (!ended && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  }
  const late = setTimeout(() => end(`it took more than ${timeMs} ms`), timeMs)
  const onAbort = (): void => end('it is not needed any more')
  signal.addEventListener('abort', onAbort, { once: true })

  for (const pipe of child.stdio) pipe?.on('error', () => {}) // its end tells of itself
  for (const [at, feed] of feeds.entries()) (child.stdio[3 + at] as Socket | undefined)?.end(feed)
  child.stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > bytesMax) return end(`it wrote more than ${bytesMax} bytes`)
    chunks.push(chunk)
  })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    if (said.length < 4096) said += chunk.toString('utf8')
  })
  child.once('exit', () => {
    ended = true
  })
  child.once('error', (error) => {
    settled()
    reject(error)
  })
  child.once('close', (code) => {
    settled()
    const [first = ''] = said.split('\n').filter((line) => line.trim() !== '')
    if (code === 0 && complaint === '') resolve(Buffer.concat(chunks))
    else reject(new Error(`${complaint || `it ended with ${code}`}${first === '' ? '' : `: ${first.slice(0, 200)}`}`))
  })
  child.stdin?.end(`${told}\n`)
  if (signal.aborted) onAbort()
  return promise

  function settled(): void {
    clearTimeout(late)
    signal.removeEventListener('abort', onAbort)
  }
}
