import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import { type Follower, NotTaken } from '../follow/follower.ts'
import { deliveredText } from './delivered.ts'
import { type FileSinkOptions, sinkName } from './options.ts'

/**
 * One event a line, each page synced to disk before it counts as taken. The file that is full, or old, is put aside under the
 * time when that was, and the oldest beyond `keep` are deleted.
 */
export function fileSink(options: FileSinkOptions, clock: Clock): Follower {
  const path = resolve(options.path)
  let file: OpenFile | undefined

  return {
    name: sinkName(options),
    pageMax: 500,
    from: options.from,
    onRejected: options.onRejected,
    async take(events) {
      const bytes = Buffer.from(events.map((event) => `${deliveredText(event, options.personal)}\n`).join(''))
      try {
        file = await current(file, path)
        const { size, bornMs } = file
        if (size > 0 && (size + bytes.byteLength > options.maxSize || clock.now() - bornMs >= options.maxAge)) {
          file = await rotate(file, path, clock.now())
          await prune(path, options.keep)
        }
        await append(file, bytes)
      } catch (error) {
        await close()
        throw failure(error)
      }
      return undefined
    },
    close,
  }

  async function close(): Promise<void> {
    const closing = file
    file = undefined
    await closing?.handle.close()
  }
}

interface OpenFile {
  readonly handle: FileHandle
  readonly inode: number
  readonly bornMs: number
  size: number
}

/** The file of that path; another one where somebody moved the one that was open. */
async function current(file: OpenFile | undefined, path: string): Promise<OpenFile> {
  if (file !== undefined) {
    const there = await stat(path).catch(() => undefined)
    if (there?.ino === file.inode && there.size === file.size) return file
    await file.handle.close()
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  return openFile(path)
}

async function openFile(path: string): Promise<OpenFile> {
  // A link that somebody else put there would choose what we write to.
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0)
  const handle = await open(path, flags, 0o600)
  try {
    const { ino, size, birthtimeMs, mtimeMs } = await handle.stat()
    const whole = await wholeLines(handle, size)
    if (whole < size) await handle.truncate(whole)
    await syncFolder(path)
    return { handle, inode: ino, size: whole, bornMs: birthtimeMs > 0 ? birthtimeMs : mtimeMs }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/**
 * How many of its bytes are whole lines. A crash may have torn the last one, whose event comes again. A file that ends in
 * something else is none of ours, and not cut.
 */
async function wholeLines(handle: FileHandle, size: number): Promise<number> {
  const from = Math.max(size - lineBytesMax, 0)
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(size - from), 0, size - from, from)
  const end = buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1
  const torn = buffer.subarray(end, bytesRead).toString('latin1')
  const begins = torn.slice(0, lineStart.length)
  if ((end === 0 && from > 0) || !lineStart.startsWith(begins))
    throw new NotTaken('the file ends in something else than an event: move it away')
  return from + end
}

/** More than a line has. */
const lineBytesMax = 262_144
const lineStart = '{"seq":'

/** All of it, on disk, or nothing: on a disk that is full every try would leave another piece. */
async function append(file: OpenFile, bytes: Buffer): Promise<void> {
  try {
    await file.handle.appendFile(bytes)
    await file.handle.datasync()
  } catch (error) {
    await file.handle.truncate(file.size).catch(() => {}) // else it is done when the file is opened
    throw error
  }
  file.size += bytes.byteLength
}

async function rotate(file: OpenFile, path: string, nowMs: number): Promise<OpenFile> {
  await file.handle.close()
  const time = new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '')
  for (let tries = 0; ; tries++) {
    const there = `${path}.${time}${tries === 0 ? '' : `-${tries}`}`
    if (await stat(there).catch(() => undefined)) continue
    await rename(path, there)
    return openFile(path)
  }
}

async function prune(path: string, keep: number): Promise<void> {
  const folder = dirname(path)
  const own = `${basename(path)}.`
  const found = (await readdir(folder)).flatMap((name) => {
    const [, time, turn = '0'] = (name.startsWith(own) && aside.exec(name.slice(own.length))) || []
    return time === undefined ? [] : [{ name, time, turn: Number(turn) }]
  })
  found.sort((a, b) => (a.time === b.time ? a.turn - b.turn : a.time < b.time ? -1 : 1))
  for (const { name } of found.slice(0, Math.max(found.length - keep, 0))) await unlink(join(folder, name))
}

const aside = /^(\d{8}T\d{9}Z)(?:-(\d+))?$/

/** Whether a file is there after a crash is its folder's to say. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function failure(error: unknown): NotTaken {
  if (error instanceof NotTaken) return error
  const { code, message } = error as NodeJS.ErrnoException
  return new NotTaken(`the file cannot be written: ${code === 'ELOOP' ? 'a link is in its place' : (code ?? message)}`)
}
