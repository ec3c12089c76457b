import { type Allowance, type ArchiveEntry, ArchiveFault } from './zip.ts'

/**
 * Reads the files of a tar archive (POSIX.1-2024 pax) as every reader would: what one skips and another reads, such as a head whose
 * sum is wrong or what stands behind the end, is refused.
 */
export function* readTar(bytes: Uint8Array, allowance: Allowance): Generator<ArchiveEntry> {
  let longNames: readonly string[] = []
  for (let at = 0; at < bytes.byteLength; ) {
    const head = bytes.subarray(at, at + blockBytes)
    if (head.every(isZero)) {
      if (!bytes.subarray(at).every(isZero)) throw new ArchiveFault('expected an archive that ends where it says')
      return
    }
    if (head.byteLength < blockBytes || !hasItsSum(head)) throw broken
    const size = octal(head.subarray(124, 136))
    const end = at + blockBytes + size
    if (size < 0 || end > bytes.byteLength) throw broken
    const kind = String.fromCharCode(head[156] as number)
    const content = bytes.subarray(at + blockBytes, end)
    at = at + blockBytes + Math.ceil(size / blockBytes) * blockBytes
    if (--allowance.files < 0) throw new ArchiveFault('expected an archive with fewer files')
    if (kind === 'L') {
      longNames = [...longNames, text(content)]
    } else if (kind === 'x' || kind === 'g') {
      longNames = [...longNames, ...pathsOf(content)]
    } else {
      const short = text(head.subarray(0, 100))
      const prefix = text(head.subarray(345, 500))
      // what stands in the place of the prefix is something else to GNU tar
      const names = [short, ...(prefix === '' ? [] : [`${prefix}/${short}`]), ...longNames]
      longNames = []
      if (kind === '1' || kind === '2') throw new ArchiveFault('expected an archive without links') // they lead out of it
      if (!'057\0'.includes(kind)) throw new ArchiveFault('expected an archive of files and folders')
      yield { name: names.at(-1) as string, otherNames: names.slice(0, -1), bytes: kind === '5' ? nothing : content }
    }
  }
}

const blockBytes = 512
const nothing = new Uint8Array(0)
const broken = new ArchiveFault('expected an archive that is whole')

function isZero(byte: number): boolean {
  return byte === 0
}

/** A head without its sum is skipped by some, and what it says of its size with it. */
function hasItsSum(head: Uint8Array): boolean {
  const sum = head.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0)
  return octal(head.subarray(148, 156)) === sum
}

/** The names that a pax header gives, by the lengths of its records. What changes the size of a file makes two archives of one. */
function pathsOf(content: Uint8Array): readonly string[] {
  const paths: string[] = []
  const buffer = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  for (let at = 0; at < buffer.byteLength; ) {
    const [head, length = '', keyword = ''] =
      /^(\d{1,10}) ([^=]{1,100})=/.exec(buffer.toString('latin1', at, at + 112)) ?? []
    const end = at + Number(length)
    if (head === undefined || end <= at + head.length || end > buffer.byteLength || buffer[end - 1] !== 0x0a)
      throw broken
    if (keyword === 'path') paths.push(buffer.toString('utf8', at + head.length, end - 1))
    else if (keyword === 'size' || keyword.startsWith('GNU.sparse'))
      throw new ArchiveFault('expected an archive that says the size of a file once')
    at = end
  }
  return paths
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8')
}

function octal(bytes: Uint8Array): number {
  const said = text(bytes).trim()
  return /^[0-7]{1,11}$/.test(said) ? Number.parseInt(said, 8) : said === '' ? 0 : -1
}
