import { crc32, deflateRawSync } from 'node:zlib'

/** One file for `zipOf`, and the lies that a test wants told of it. */
export interface ZipFile {
  readonly name: string
  readonly bytes: Uint8Array
  readonly stored?: boolean
  /** What the directory says of its size unpacked. */
  readonly saysBytes?: number
  /** What the head of the file calls it, where that differs from the directory. */
  readonly headName?: string
  readonly flags?: number
  /** Stands where the file before it stands. */
  readonly overlaps?: boolean
  /** Stands in the archive, and the directory does not know of it. */
  readonly unlisted?: boolean
  /** What the head of the file says of its size unpacked. */
  readonly headSaysBytes?: number
  /** More that stands beside its name, in both places. */
  readonly extra?: Uint8Array
  /** What Unix makes of it: `0o120777` for a link. */
  readonly mode?: number
  /** Behind the end of what is packed, and counted to it. */
  readonly behind?: Uint8Array
  /** What the directory says of it beside. */
  readonly comment?: Uint8Array
}

/** A ZIP archive, honest but for what its files say otherwise. */
export function zipOf(files: readonly ZipFile[], before: Uint8Array = new Uint8Array()): Buffer {
  const heads: Buffer[] = []
  const directory: Buffer[] = []
  let at = before.byteLength
  let lastAt = at
  let listedFiles = 0
  for (const file of files) {
    const {
      name,
      bytes,
      stored = false,
      saysBytes,
      headName = name,
      flags = 0,
      overlaps = false,
      unlisted = false,
    } = file
    const { headSaysBytes = bytes.byteLength, extra = none, mode = 0, behind = none, comment = none } = file
    const packed = Buffer.concat([stored ? bytes : deflateRawSync(bytes), behind])
    const head = Buffer.alloc(30)
    head.writeUInt32LE(0x04034b50, 0)
    head.writeUInt16LE(20, 4)
    head.writeUInt16LE(flags, 6)
    head.writeUInt16LE(stored ? 0 : 8, 8)
    head.writeUInt32LE(crc32(bytes), 14)
    head.writeUInt32LE(packed.byteLength, 18)
    head.writeUInt32LE(headSaysBytes, 22)
    head.writeUInt16LE(Buffer.byteLength(headName), 26)
    head.writeUInt16LE(extra.byteLength, 28)
    const whole = Buffer.concat([head, Buffer.from(headName), extra, packed])
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(flags, 8)
    entry.writeUInt16LE(stored ? 0 : 8, 10)
    entry.writeUInt32LE(crc32(bytes), 16)
    entry.writeUInt32LE(packed.byteLength, 20)
    entry.writeUInt32LE(saysBytes ?? bytes.byteLength, 24)
    entry.writeUInt16LE(Buffer.byteLength(name), 28)
    entry.writeUInt16LE(extra.byteLength, 30)
    entry.writeUInt16LE(comment.byteLength, 32)
    entry.writeUInt32LE(mode * 0x10000, 38)
    entry.writeUInt32LE(overlaps ? lastAt : at, 42)
    if (!unlisted) {
      directory.push(Buffer.concat([entry, Buffer.from(name), extra, comment]))
      listedFiles++
    }
    if (overlaps) continue
    heads.push(whole)
    lastAt = at
    at += whole.byteLength
  }
  const listed = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(listedFiles, 8)
  end.writeUInt16LE(listedFiles, 10)
  end.writeUInt32LE(listed.byteLength, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([before, ...heads, listed, end])
}

const none = new Uint8Array()

/** A tar archive of one kind of entry each: `0` a file, `2` a link. */
export function tarOf(
  entries: readonly { readonly name: string; readonly bytes: Uint8Array; readonly kind?: string }[],
): Buffer {
  const blocks = entries.flatMap(({ name, bytes, kind = '0' }) => {
    const head = Buffer.alloc(512)
    head.write(name, 0)
    head.write('0000644\0', 100)
    head.write(`${bytes.byteLength.toString(8).padStart(11, '0')}\0`, 124)
    head.write('        ', 148)
    head.write(kind, 156)
    head.write('ustar\0' + '00', 257)
    const sum = head.reduce((total, byte) => total + byte, 0)
    head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    return [head, bytes, Buffer.alloc((512 - (bytes.byteLength % 512)) % 512)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

/** A PNG that says how wide and high it is. */
export function pngOf(width: number, height: number, after = ''): Buffer {
  const ihdr = Buffer.alloc(13)
  ihdr.writeUInt32BE(width, 0)
  ihdr.writeUInt32BE(height, 4)
  ihdr.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunkOf('IHDR', ihdr),
    chunkOf('IDAT', Buffer.from([0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01])),
    chunkOf('IEND', Buffer.alloc(0)),
    Buffer.from(after, 'latin1'),
  ])
}

function chunkOf(kind: string, bytes: Buffer): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(bytes.byteLength)
  const body = Buffer.concat([Buffer.from(kind), bytes])
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([head, body, sum])
}
