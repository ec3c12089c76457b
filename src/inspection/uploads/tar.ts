import { type Allowance, type ArchiveEntry, ArchiveFault } from './zip.ts'

/** Reads the files of a tar archive (POSIX.1-2024 pax). Names that pax headers change are read as well. */
export function* readTar(bytes: Uint8Array, allowance: Allowance): Generator<ArchiveEntry> {
  let longName: string | undefined
  for (let at = 0; at + 512 <= bytes.byteLength; ) {
    const head = bytes.subarray(at, at + 512)
    if (head.every((byte) => byte === 0)) return
    const size = octal(head.subarray(124, 136))
    const end = at + 512 + size
    if (size < 0 || end > bytes.byteLength) throw new ArchiveFault('expected an archive that is whole')
    const kind = String.fromCharCode(head[156] as number)
    const content = bytes.subarray(at + 512, end)
    at = at + 512 + Math.ceil(size / 512) * 512
    if (kind === 'L') {
      longName = text(content)
    } else if (kind === 'x' || kind === 'g') {
      longName = /(?:^|\n)\d{1,10} path=([^\n]{0,4096})\n/.exec(text(content))?.[1] ?? longName
    } else {
      const prefix = text(head.subarray(345, 500))
      const name =
        longName ?? (prefix === '' ? text(head.subarray(0, 100)) : `${prefix}/${text(head.subarray(0, 100))}`)
      longName = undefined
      if (--allowance.files < 0) throw new ArchiveFault('expected an archive with fewer files')
      if (kind === '1' || kind === '2') throw new ArchiveFault('expected an archive without links') // they lead out of it
      if (kind === '0' || kind === '\0' || kind === '7') yield { name, bytes: content }
      else if (kind !== '5') throw new ArchiveFault('expected an archive of files and folders')
    }
  }
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8')
}

function octal(bytes: Uint8Array): number {
  const said = text(bytes).trim()
  return /^[0-7]{1,11}$/.test(said) ? Number.parseInt(said, 8) : said === '' ? 0 : -1
}
