import type { FieldErrors } from '../../kernel/error.ts'
import type { Finding } from '../finding.ts'
import { faultOfActive } from './active.ts'
import { faultOfArchive, isArchive } from './archive.ts'
import { faultOfImage } from './image.ts'
import { faultOfName } from './name.ts'
import type { UploadOptions } from './options.ts'
import type { MeterBounds, WrongFile } from './part-meter.ts'
import { type ContentType, contentTypeOf, faultOfType } from './type.ts'
import type { UploadedFile, UploadFault } from './uploaded.ts'

/** Looks at files that people send: their size, what they are, what they hold, and what they are called (CT7). */
export interface Uploads {
  /** What is wrong, file by file: nothing, where they may go on. */
  check(files: readonly UploadedFile[]): Promise<readonly WrongFile[]>
}

export function openUploads(options: UploadOptions): Uploads {
  const { types, active = 'refuse', pixels = 50_000_000, archives = {} } = options
  const { fileBytesMax: max, filesMax } = uploadBounds(options)
  const bounds = {
    depth: archives.depth ?? 2,
    files: archives.files ?? 1000,
    unpackedBytes: archives.unpacked ?? 100 * mebi,
    ratio: archives.ratio ?? 100,
  }
  return {
    async check(files) {
      const wrong: WrongFile[] = []
      for (const [at, file] of files.entries()) {
        const fault =
          at >= filesMax
            ? { rule: 'upload/count' as const, message: `expected at most ${filesMax} files` }
            : await faultOf(file)
        if (fault !== undefined) wrong.push({ file, fault })
        if (at >= filesMax) break
      }
      return wrong
    },
  }

  async function faultOf(file: UploadedFile): Promise<UploadFault | undefined> {
    const { bytes, name } = file
    if (bytes.byteLength > max) return { rule: 'upload/size', message: `expected at most ${max} bytes` }
    const misnamed = name === undefined ? undefined : faultOfName(name)
    if (misnamed !== undefined) return misnamed
    const content = await contentTypeOf(bytes)
    return faultOfType(file, content, types) ?? faultOfSecondFace(content, bytes) ?? (await faultInside(content, bytes))
  }

  async function faultInside({ type, text }: ContentType, bytes: Uint8Array): Promise<UploadFault | undefined> {
    return (
      faultOfImage(type, bytes, pixels) ??
      (await faultOfArchive(type, bytes, bounds)) ??
      (active === 'allow'
        ? undefined
        : faultOfActive(type, bytes, text, { files: bounds.files, bytes: bounds.unpackedBytes }))
    )
  }
}

const mebi = 1024 * 1024

/** How many files there may be, and of how many bytes each. */
export function uploadBounds({ max = 10 * mebi, files = 20 }: Pick<UploadOptions, 'max' | 'files'>): MeterBounds {
  return { fileBytesMax: max, filesMax: files }
}

/** A file that is another one as well, to those who read from the end, or from further on: an image that is an archive too. */
function faultOfSecondFace({ type, text }: ContentType, bytes: Uint8Array): UploadFault | undefined {
  if (text !== undefined) return undefined
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const twofold = { rule: 'upload/twofold', message: 'expected a file that is one thing only' } as const
  if (type === 'application/gzip' || !isArchive(type)) {
    // of others a ZIP or a PDF among their files is one of them
    if (type !== 'application/pdf' && buffer.subarray(0, 1024).includes('%PDF-')) return twofold
    if (hasDirectory(buffer)) return twofold
  }
  if (!type.startsWith('image/')) return undefined
  if (/<(?:script|html|\?php|svg)[\s>]/i.test(buffer.subarray(0, 1024).toString('latin1'))) return twofold // what sniffs looks at the beginning
  return buffer.includes('<?php') ? twofold : undefined // and what includes, at all of it
}

/** Whether a ZIP archive ends in the file: readers look for its directory from the end, and most of them do not mind what follows it. */
function hasDirectory(buffer: Buffer): boolean {
  const first = Math.max(0, buffer.byteLength - 65_557)
  for (let at = buffer.lastIndexOf('PK\x05\x06', undefined, 'latin1'); at >= first; ) {
    const start = at + 22 > buffer.byteLength ? -1 : at - buffer.readUInt32LE(at + 12)
    if (start >= 0 && start < at && buffer.readUInt32LE(start) === 0x02014b50) return true
    at = at === 0 ? -1 : buffer.lastIndexOf('PK\x05\x06', at - 1, 'latin1')
  }
  return false
}

/** What is wrong, by the field that each file came in. Names are the sender's: `__proto__` is one as well. */
export function errorsOf(wrong: readonly WrongFile[]): FieldErrors {
  const byField = Map.groupBy(wrong, ({ file }) => file.place.at || 'body')
  return Object.fromEntries([...byField].map(([field, its]) => [field, its.map(({ fault }) => fault.message)]))
}

/** What the record says of a file that was refused. */
export function findingOf({ file: { place }, fault: { rule } }: WrongFile): Finding {
  return {
    kind: 'upload',
    what: rule.slice('upload/'.length),
    rule,
    place,
    confidence: 1,
    start: 0,
    end: 0,
    decoded: [],
  }
}
