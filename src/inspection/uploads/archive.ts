import { gunzipSync } from 'node:zlib'
import { readTar } from './tar.ts'
import { contentTypeOf } from './type.ts'
import type { UploadFault } from './uploaded.ts'
import { type Allowance, type ArchiveEntry, ArchiveFault, readZip, tooMuch } from './zip.ts'

/** How far archives are opened. */
export interface ArchiveBounds {
  readonly depth: number
  readonly files: number
  readonly unpackedBytes: number
  readonly ratio: number
}

/** What an archive holds that only its user would have met: too much of it, archives in archives, names that lead out of it. */
export async function faultOfArchive(
  type: string,
  bytes: Uint8Array,
  bounds: ArchiveBounds,
): Promise<UploadFault | undefined> {
  if (opaque.has(type))
    return {
      rule: 'upload/archive',
      message: `expected a ZIP, gzip or tar archive, which can be looked into, got ${type}`,
    }
  if (!isArchive(type)) return undefined
  const allowance = {
    files: bounds.files,
    bytes: Math.min(bounds.unpackedBytes, bytes.byteLength * bounds.ratio + slackBytes),
  }
  try {
    await open(type, bytes, bounds.depth, allowance)
  } catch (error) {
    if (!(error instanceof ArchiveFault)) throw error
    return { rule: 'upload/archive', message: error.message }
  }
  return undefined
}

/** Small archives of small files may well be packed a thousandfold. */
const slackBytes = 1024 * 1024

/** A document that is a ZIP archive inside is opened as one. */
export function isArchive(type: string): boolean {
  return (
    type === 'application/zip' || type === 'application/gzip' || type === 'application/x-tar' || zipInside.test(type)
  )
}

export const zipInside =
  /^application\/(?:vnd\.(?:openxmlformats-officedocument|oasis\.opendocument|ms-(?:word|excel|powerpoint)\.[a-z.]*macroenabled)[a-z0-9.-]*|java-archive|epub\+zip|vnd\.android\.package-archive|x-xpinstall|vnd\.visio|3mf)$/i

const opaque: ReadonlySet<string> = new Set([
  'application/x-7z-compressed',
  'application/vnd.rar',
  'application/x-rar-compressed',
  'application/x-bzip2',
  'application/x-xz',
  'application/zstd',
  'application/x-lzip',
  'application/x-compress',
  'application/x-lz4',
  'application/vnd.ms-cab-compressed',
  'application/x-ace-compressed',
  'application/x-arj',
  'application/x-lzh-compressed',
])

async function open(type: string, bytes: Uint8Array, depth: number, allowance: Allowance): Promise<void> {
  if (depth === 0) throw new ArchiveFault('expected fewer archives within each other')
  for (const { name, otherNames = [], bytes: content } of entriesOf(type, bytes, allowance)) {
    if ([name, ...otherNames].some(leadsOut)) throw new ArchiveFault('expected an archive whose names stay within it')
    const { type: inner } = await contentTypeOf(content)
    if (opaque.has(inner))
      throw new ArchiveFault('expected an archive that holds none of a kind that cannot be looked into')
    if (isArchive(inner)) await open(inner, content, depth - 1, allowance)
  }
}

function entriesOf(type: string, bytes: Uint8Array, allowance: Allowance): Iterable<ArchiveEntry> {
  if (type === 'application/x-tar') return readTar(bytes, allowance)
  if (type !== 'application/gzip') return readZip(bytes, allowance)
  let content: Uint8Array
  try {
    content = gunzipSync(bytes, { maxOutputLength: Math.max(1, allowance.bytes) })
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      ? tooMuch
      : new ArchiveFault('expected an archive that is whole')
  }
  allowance.bytes -= content.byteLength
  return [{ name: 'content', bytes: content }]
}

/** CWE-22, "zip slip". */
function leadsOut(name: string): boolean {
  return /^(?:[/\\]|[A-Za-z]:)|(?:^|[/\\])\.\.[. ]*(?:[/\\]|$)|\0/.test(name)
}
