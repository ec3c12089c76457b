import { inflateRawSync } from 'node:zlib'

/** One file of an archive. */
export interface ArchiveEntry {
  readonly name: string
  /** What other readers call it. */
  readonly otherNames?: readonly string[]
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
 * themselves: where they differ it is refused, and so is one with something before, between or on top of its files, which only
 * one of the two would see. What is encrypted, or packed in a way that few know, cannot be looked into.
 */
export function* readZip(bytes: Uint8Array, allowance: Allowance): Generator<ArchiveEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { count, start, end } = directoryOf(view)
  if (count > allowance.files) throw new ArchiveFault('expected an archive with fewer files')
  const taken: Span[] = []
  const names = new Set<string>()
  let at = start
  for (let index = 0; index < count; index++) {
    if (at + 46 > end || view.getUint32(at, true) !== 0x02014b50) throw broken
    const flags = view.getUint16(at + 8, true)
    const method = view.getUint16(at + 10, true)
    const packed = view.getUint32(at + 20, true)
    const unpacked = view.getUint32(at + 24, true)
    const nameLength = view.getUint16(at + 28, true)
    const extraLength = view.getUint16(at + 30, true)
    const headAt = view.getUint32(at + 42, true)
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true)
    if (next > end) throw broken
    if (((view.getUint32(at + 38, true) >>> 16) & 0xf000) === 0xa000)
      throw new ArchiveFault('expected an archive without links') // they lead out of it
    const nameBytes = bytes.subarray(at + 46, at + 46 + nameLength)
    const name = nameOf(nameBytes)
    if (names.has(name)) throw new ArchiveFault('expected an archive that names each of its files once')
    names.add(name)
    const otherNames = namesIn(bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength))
    at = next
    if (packed === 0xffffffff || unpacked === 0xffffffff || headAt === 0xffffffff)
      throw new ArchiveFault('expected an archive of less than 4 GB')
    if ((flags & 0x2041) !== 0) throw new ArchiveFault('expected an archive that is not encrypted')
    const head = headOf(view, bytes, headAt, { nameBytes, method, flags, packed, unpacked })
    if (head.dataAt + packed > start) throw broken
    const packedBytes = bytes.subarray(head.dataAt, head.dataAt + packed)
    if (head.followed && method === 0 && includes(packedBytes, 'PK\x07\x08'))
      throw new ArchiveFault('expected an archive that says where its files end') // who reads on looks for this
    taken.push({ from: headAt, to: head.dataAt + packed, followed: head.followed })
    allowance.files--
    if (allowance.files < 0) throw new ArchiveFault('expected an archive with fewer files')
    yield { name, otherNames: [...otherNames, ...head.names], bytes: unpack(packedBytes, method, unpacked, allowance) }
  }
  if (at !== end || (end - start >= 20 && view.getUint32(end - 20, true) === 0x07064b50)) throw broken // of ZIP64, another directory
  refuseGaps(taken, start, bytes)
}

/** Where a file stands, with its head; `followed` by its sizes once more, where its head could not know them. */
interface Span {
  readonly from: number
  readonly to: number
  readonly followed: boolean
}

/** Who reads an archive from its beginning finds files in what stands between those that the directory names. */
function refuseGaps(taken: Span[], start: number, bytes: Uint8Array): void {
  taken.sort((a, b) => a.from - b.from)
  let at = 0
  for (const { from, to, followed } of [...taken, { from: start, to: start, followed: false }]) {
    if (from < at) throw new ArchiveFault('expected an archive whose files do not overlap')
    if (from > at && !(from === start && isSignature(bytes.subarray(at, start))))
      throw new ArchiveFault('expected an archive with nothing before or between its files')
    at = followed ? to + descriptorBytes(bytes, to) : to
  }
}

/** The sizes behind a file (APPNOTE §4.3.9): with a mark or without, in 32 bits or 64. */
function descriptorBytes(bytes: Uint8Array, at: number): number {
  const marked = startsWith(bytes.subarray(at), 'PK\x07\x08')
  const short = marked ? 16 : 12
  return [short, short + 8].find((length) => startsWith(bytes.subarray(at + length), 'PK')) ?? short
}

/** The block in which packages of Android are signed stands before the directory. */
function isSignature(bytes: Uint8Array): boolean {
  return !startsWith(bytes, 'PK') && nameOf(bytes.subarray(-16)) === 'APK Sig Block 42'
}

const broken = new ArchiveFault('expected an archive that is whole')

/** Where the directory stands. Its end is looked for from the end of the file, where readers look. */
function directoryOf(view: DataView): { readonly count: number; readonly start: number; readonly end: number } {
  const last = view.byteLength - 22
  for (let at = last; at >= Math.max(0, last - 0xffff); at--) {
    if (view.getUint32(at, true) !== 0x06054b50) continue
    if (at + 22 + view.getUint16(at + 20, true) !== view.byteLength) throw broken // some readers take it all the same
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
function headOf(
  view: DataView,
  bytes: Uint8Array,
  at: number,
  told: {
    readonly nameBytes: Uint8Array
    readonly method: number
    readonly flags: number
    readonly packed: number
    readonly unpacked: number
  },
): { readonly dataAt: number; readonly followed: boolean; readonly names: readonly string[] } {
  if (at + 30 > view.byteLength || view.getUint32(at, true) !== 0x04034b50) throw broken
  const flags = view.getUint16(at + 6, true)
  const nameLength = view.getUint16(at + 26, true)
  const extraLength = view.getUint16(at + 28, true)
  const nameAt = at + 30
  const dataAt = nameAt + nameLength + extraLength
  if (dataAt > view.byteLength) throw broken
  const followed = (flags & 8) !== 0
  const sizes = [view.getUint32(at + 18, true), view.getUint32(at + 22, true)] as const
  const sameSizes =
    (sizes[0] === told.packed && sizes[1] === told.unpacked) ||
    (followed && [0, 0xffffffff].includes(sizes[0]) && [0, 0xffffffff].includes(sizes[1]))
  const same =
    Buffer.compare(bytes.subarray(nameAt, nameAt + nameLength), told.nameBytes) === 0 &&
    view.getUint16(at + 8, true) === told.method &&
    (flags & 9) === (told.flags & 9) &&
    sameSizes
  if (!same) throw new ArchiveFault('expected an archive that says the same of a file in both places')
  return { dataAt, followed, names: namesIn(bytes.subarray(nameAt + nameLength, dataAt)) }
}

/** The name in Unicode, which stands beside the one of old (APPNOTE §4.6.9) and is the one that some readers take. */
function namesIn(extra: Uint8Array): readonly string[] {
  const view = new DataView(extra.buffer, extra.byteOffset, extra.byteLength)
  const names: string[] = []
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const length = view.getUint16(at + 2, true)
    if (view.getUint16(at, true) === 0x7075) names.push(nameOf(extra.subarray(at + 9, at + 4 + length)))
    at += 4 + length
  }
  return names
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
  let read: number
  try {
    const inflated = inflateRawSync(packed, {
      maxOutputLength: Math.max(1, unpacked),
      info: true,
    }) as unknown as Inflated
    bytes = inflated.buffer
    read = inflated.engine.bytesWritten
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooMuch : broken
  }
  if (bytes.byteLength !== unpacked || read !== packed.byteLength) throw broken // what is behind its end, another reads
  allowance.bytes -= bytes.byteLength
  return bytes
}

/** What `info: true` makes of it; the types do not say so. */
interface Inflated {
  readonly buffer: Uint8Array
  readonly engine: { readonly bytesWritten: number }
}

export const tooMuch = new ArchiveFault('expected an archive that unpacks to less')

function startsWith(bytes: Uint8Array, text: string): boolean {
  return nameOf(bytes.subarray(0, text.length)) === text
}

function includes(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(text, 0, 'latin1')
}

function nameOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
