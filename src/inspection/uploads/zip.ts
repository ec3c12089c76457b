import { inflateRawSync } from 'node:zlib'

/** One file of an archive. */
export interface ArchiveEntry {
  readonly name: string
  readonly bytes: Uint8Array
}

/** What an archive may take. It is used up by all archives of one file together. */
export interface Allowance {
  files: number
  bytes: number
}

/** An archive is not as it should be, or is too much. The message is for its sender. */
export class ArchiveFault extends Error {
  override readonly name = 'ArchiveFault'
}

/**
 * Reads the files of a ZIP archive (APPNOTE 6.3) as two readers would, by its directory and by the heads of the files
 * themselves: where they differ it is refused. Files that overlap, which make a bomb of any size, are refused too; what is
 * encrypted, or packed in a way that few know, cannot be looked into.
 */
export function* readZip(bytes: Uint8Array, allowance: Allowance): Generator<ArchiveEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { count, start, end } = directoryOf(view)
  if (count > allowance.files) throw new ArchiveFault('expected an archive with fewer files')
  const taken: [from: number, to: number][] = []
  let at = start
  for (let index = 0; index < count; index++) {
    if (at + 46 > end || view.getUint32(at, true) !== 0x02014b50) throw broken
    const flags = view.getUint16(at + 8, true)
    const method = view.getUint16(at + 10, true)
    const packed = view.getUint32(at + 20, true)
    const unpacked = view.getUint32(at + 24, true)
    const nameLength = view.getUint16(at + 28, true)
    const rest = view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
    const headAt = view.getUint32(at + 42, true)
    if (at + 46 + nameLength + rest > end) throw broken
    const name = nameOf(bytes.subarray(at + 46, at + 46 + nameLength))
    at += 46 + nameLength + rest
    if (packed === 0xffffffff || unpacked === 0xffffffff || headAt === 0xffffffff)
      throw new ArchiveFault('expected an archive of less than 4 GB')
    if ((flags & 0x2041) !== 0) throw new ArchiveFault('expected an archive that is not encrypted')
    const dataAt = dataOf(view, headAt, { name, method, flags, bytes })
    if (dataAt + packed > start) throw broken
    taken.push([headAt, dataAt + packed])
    allowance.files--
    if (allowance.files < 0) throw new ArchiveFault('expected an archive with fewer files')
    yield { name, bytes: unpack(bytes.subarray(dataAt, dataAt + packed), method, unpacked, allowance) }
  }
  taken.sort(([a], [b]) => a - b)
  if (taken[0] !== undefined && taken[0][0] !== 0)
    throw new ArchiveFault('expected an archive that begins with its first file')
  for (let index = 1; index < taken.length; index++)
    if ((taken[index] as [number, number])[0] < (taken[index - 1] as [number, number])[1])
      throw new ArchiveFault('expected an archive whose files do not overlap')
}

const broken = new ArchiveFault('expected an archive that is whole')

/** Where the directory stands. Its end is looked for from the end of the file, where readers look. */
function directoryOf(view: DataView): { readonly count: number; readonly start: number; readonly end: number } {
  const last = view.byteLength - 22
  for (let at = last; at >= Math.max(0, last - 0xffff); at--) {
    if (view.getUint32(at, true) !== 0x06054b50) continue
    if (at + 22 + view.getUint16(at + 20, true) !== view.byteLength) continue
    const count = view.getUint16(at + 10, true)
    const size = view.getUint32(at + 12, true)
    const start = view.getUint32(at + 16, true)
    if (count === 0xffff || start === 0xffffffff)
      throw new ArchiveFault('expected an archive of fewer than 65,535 files')
    if (view.getUint16(at + 8, true) !== count || start + size !== at) throw broken // nothing stands between, and nothing before
    return { count, start, end: at }
  }
  throw broken
}

/** Where the bytes of a file begin, once its own head says the same as the directory. */
function dataOf(
  view: DataView,
  at: number,
  told: { readonly name: string; readonly method: number; readonly flags: number; readonly bytes: Uint8Array },
): number {
  if (at + 30 > view.byteLength || view.getUint32(at, true) !== 0x04034b50) throw broken
  const nameLength = view.getUint16(at + 26, true)
  const extraLength = view.getUint16(at + 28, true)
  const nameAt = at + 30
  if (nameAt + nameLength + extraLength > view.byteLength) throw broken
  const same =
    nameOf(told.bytes.subarray(nameAt, nameAt + nameLength)) === told.name &&
    view.getUint16(at + 8, true) === told.method &&
    (view.getUint16(at + 6, true) & 1) === (told.flags & 1)
  if (!same) throw new ArchiveFault('expected an archive that says the same of a file in both places')
  return nameAt + nameLength + extraLength
}

/** What a file says of its size is believed as far as it is true. */
function unpack(packed: Uint8Array, method: number, unpacked: number, allowance: Allowance): Uint8Array {
  if (unpacked > allowance.bytes) throw tooMuch
  if (method === 0) {
    if (packed.byteLength !== unpacked) throw broken
    allowance.bytes -= unpacked
    return packed
  }
  if (method !== 8) throw new ArchiveFault('expected an archive whose files are stored or deflated')
  let bytes: Uint8Array
  try {
    bytes = inflateRawSync(packed, { maxOutputLength: Math.max(1, unpacked) })
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooMuch : broken
  }
  if (bytes.byteLength !== unpacked) throw broken
  allowance.bytes -= bytes.byteLength
  return bytes
}

export const tooMuch = new ArchiveFault('expected an archive that unpacks to less')

function nameOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
