import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Fault } from '../../kernel/error.ts'
import { readCheckpoint, type SignedCheckpoint } from './note.ts'

/** Appends notes to a file, each with an empty line behind it, and waits until they are on the disk. It is made for its owner alone. */
export async function appendNotes(path: string, notes: readonly string[]): Promise<void> {
  const file = await open(path, 'a+', 0o600)
  try {
    const text = notes.map((note) => `${note}\n`).join('')
    await file.appendFile((await endsWhole(file)) ? text : `\n\n${text}`)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Whether nothing is left half written at the end: nothing is taken away there, for some file systems let nobody do so. */
async function endsWhole(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat()
  if (size === 0) return true
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, Math.max(0, size - 2))
  return buffer.toString('latin1', 0, bytesRead) === '\n\n'
}

/**
 * The checkpoints of such a file, from the smallest on. What a crash left half written is passed over, since it was written again; so
 * is a copy of one that came before. Throws a Fault where the file cannot be read, holds no checkpoint, or has them in another order.
 */
export async function* readNotes(path: string): AsyncGenerator<SignedCheckpoint> {
  const recent: SignedCheckpoint[] = []
  let lines: string[] = []
  try {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line !== '' || lines.at(-1)?.startsWith('— ') !== true) {
        lines.push(line)
        if (lines.length <= noteLinesMax) continue
        lines.shift()
        continue
      }
      const found = lastNote(lines)
      lines = []
      if (found === undefined || recent.some(({ note }) => note === found.note)) continue
      const before = recent.at(-1)
      if (before !== undefined && before.size > found.size)
        throw new Fault(
          'unavailable',
          `\`${path}\` has a checkpoint over ${found.size} events behind one over ${before.size}`,
        )
      recent.push(found)
      if (recent.length > copiesMax) recent.shift()
      yield found
    }
  } catch (error) {
    if (error instanceof Fault) throw error
    throw new Fault('unavailable', `\`${path}\` cannot be read: ${(error as Error).message}`, error)
  }
  const found = lastNote(lines)
  if (found !== undefined && !recent.some(({ note }) => note === found.note)) yield found
  else if (recent.length === 0) throw new Fault('unavailable', `\`${path}\` holds no checkpoint`)
}

/** The six lines of the text, an empty one, and signatures. */
const textLines = 6
const noteLinesMax = textLines + 1 + 16
/** How far back a copy of a note may be: a page that was written again. */
const copiesMax = 1_000

/** The note that lines end with: there may be half of another before it. */
function lastNote(lines: readonly string[]): SignedCheckpoint | undefined {
  const blank = lines.lastIndexOf('')
  return blank < textLines ? undefined : readCheckpoint(`${lines.slice(blank - textLines).join('\n')}\n`)
}
