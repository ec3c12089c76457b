import { TextDecoder } from 'node:util'

/** Bytes of a text, as they arrive; what is none in the charset is read as U+FFFD, and leaves so. */
export interface ByteDecoder {
  decode(bytes: Uint8Array): string
  end(): string
}

/**
 * A decoder of a charset by its label (WHATWG Encoding §4.2), UTF-8 without one. Where `marked`, a byte order mark has the last
 * word, as in browsers. Undefined for a label that nobody knows.
 */
export function openByteDecoder(label: string | undefined, marked: boolean): ByteDecoder | undefined {
  const known = decoderOf(label ?? 'utf-8')
  if (known === undefined) return undefined
  if (!marked && label !== 'utf-16') return decoding(known)
  let decoder = known
  let first: Uint8Array | undefined = new Uint8Array(0)
  return {
    decode(bytes) {
      if (first === undefined) return decoder.decode(bytes, { stream: true })
      first = first.byteLength === 0 ? bytes : Buffer.concat([first, bytes])
      // A mark is two bytes at least: with fewer nobody can tell.
      return first.byteLength < 2 ? '' : begin(first)
    },
    end() {
      return (first === undefined ? '' : begin(first)) + decoder.decode()
    },
  }

  function begin(bytes: Uint8Array): string {
    first = undefined
    const said = markOf(bytes)
    if (said !== undefined) decoder = decoderOf(said) ?? decoder
    return decoder.decode(bytes, { stream: true })
  }
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
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  return bytes[0] === 0xef && bytes[1] === 0xbb ? 'utf-8' : undefined
}
