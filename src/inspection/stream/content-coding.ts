import type { Transform } from 'node:stream'
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib'

/** Codings that are undone before an answer is looked into (RFC 9110 §8.4.1). */
export type Coding = 'gzip' | 'deflate' | 'br' | 'zstd'

/** What may be asked of an upstream whose answer is screened. */
export const acceptedCodings = 'gzip, br, zstd'

/** The codings of a `Content-Encoding`, the last applied first; undefined where one is unknown, or there are too many. */
export function readCodings(contentEncoding: string | undefined): readonly Coding[] | undefined {
  const codings: Coding[] = []
  for (const part of (contentEncoding ?? '').split(',')) {
    const name = part.trim().toLowerCase()
    if (name === '' || name === 'identity') continue
    const coding = known[name]
    if (coding === undefined || codings.length === codingsMax) return undefined
    codings.unshift(coding)
  }
  return codings
}

/** Undoes one coding. `first` are the first two bytes of what was coded: of `deflate` there are two kinds. */
export function openDecompression(coding: Coding, first: Uint8Array): Transform {
  switch (coding) {
    case 'gzip':
      return createGunzip()
    case 'br':
      return createBrotliDecompress()
    case 'zstd':
      return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: windowLogMax } })
    case 'deflate':
      return isZlib(first) ? createInflate() : createInflateRaw()
  }
}

const known: Readonly<Record<string, Coding>> = {
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'br',
  zstd: 'zstd',
}

/** Nobody codes an answer thrice; whoever does wants to be expensive. */
const codingsMax = 3

/** RFC 9659 §3: a window of 8 MiB is what a recipient has to have room for. */
const windowLogMax = 23

/** `deflate` is the zlib format (RFC 9110 §8.4.1.2); some send it without its frame. The frame is told by RFC 1950 §2.2. */
export function isZlib(bytes: Uint8Array): boolean {
  const [method = 0, flags = 0] = bytes
  return (method & 0x0f) === 8 && ((method << 8) | flags) % 31 === 0
}
