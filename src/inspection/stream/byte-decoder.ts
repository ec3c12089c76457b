import { TextDecoder } from 'node:util'
import { Unscreenable } from './transform.ts'

/** Bytes of a text, as they arrive; what is none in the charset is read as U+FFFD, and leaves so. */
export interface ByteDecoder {
  decode(bytes: Uint8Array): string
  end(): string
}

/**
 * A decoder of a charset by its label (WHATWG Encoding §4.2), UTF-8 without one. Where readers `guess`, a byte order mark has the
 * last word, as in browsers, and UTF-16 is told by its zeros, as parsers of JSON do (RFC 4627 §3). Undefined for a label that
 * nobody knows.
 */
export function openByteDecoder(label: string | undefined, readers: 'guess' | 'as said'): ByteDecoder | undefined {
  const known = decoderOf(label ?? 'utf-8')
  if (known === undefined) return undefined
  if (readers === 'as said' && label !== 'utf-16') return decoding(known)
  let decoder = known
  let first: Uint8Array | undefined = new Uint8Array(0)
  return {
    decode(bytes) {
      if (first === undefined) return decoder.decode(bytes, { stream: true })
      first = first.byteLength === 0 ? bytes : Buffer.concat([first, bytes])
      return isOpen(first) ? '' : begin(first)
    },
    end() {
      return (first === undefined ? '' : begin(first)) + decoder.decode()
    },
  }

  function begin(bytes: Uint8Array): string {
    first = undefined
    const said = markOf(bytes) ?? (label === undefined ? byZeros(bytes) : undefined)
    if (said !== undefined) decoder = decoderOf(said) ?? decoder
    return decoder.decode(bytes, { stream: true })
  }
}

/** Whether nobody can tell yet: from a zero or a mark on it takes four bytes. */
function isOpen([first, second, , fourth]: Uint8Array): boolean {
  if (first === undefined || second === undefined) return true
  return fourth === undefined && (first === 0 || second === 0 || first === 0xff)
}

/** The mark stays in the text: it goes on, as it came. */
function decoderOf(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label, { ignoreBOM: true })
  } catch {
    return undefined
  }
}

function decoding(decoder: TextDecoder): ByteDecoder {
  return { decode: (bytes) => decoder.decode(bytes, { stream: true }), end: () => decoder.decode() }
}

function markOf(bytes: Uint8Array): string | undefined {
  const [first, second, third, fourth] = bytes
  if (first === 0xff && second === 0xfe && third === 0 && fourth === 0) throw inUtf32()
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xef && second === 0xbb ? 'utf-8' : undefined
}

/** Which of the first two characters, ASCII in JSON, have their zeros before them, and which behind. */
function byZeros([first, second, third = 1, fourth = 0]: Uint8Array): string | undefined {
  if (first === 0 && second === 0 && third === 0 && opensJson.has(fourth)) throw inUtf32()
  if (second === 0 && third === 0 && fourth === 0 && opensJson.has(first as number)) throw inUtf32()
  if (first === 0 && second !== 0 && third === 0 && fourth !== 0) return 'utf-16be'
  return first !== 0 && second === 0 && third !== 0 && fourth === 0 ? 'utf-16le' : undefined
}

const opensJson: ReadonlySet<number> = new Set([0x7b, 0x5b, 0x22]) // `{`, `[`, `"`

/** Which nothing here decodes. */
function inUtf32(): Unscreenable {
  return new Unscreenable('expected UTF-8 or UTF-16, got what looks like UTF-32')
}
