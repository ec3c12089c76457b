import { inflateSync } from 'node:zlib'

/** What runs in a PDF once it is opened, also in its compressed objects (ISO 32000-2 §7.5.7); undefined where nothing does. */
export function activeInPdf(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const found = inObjects(withPlainNames(text))
  if (found !== undefined) return found
  const encrypted = name('Encrypt').test(text)
  let left = inflatedMax
  let from = 0
  for (let at = text.indexOf('stream'); at >= 0; at = text.indexOf('stream', at + 6)) {
    if (text.startsWith('end', at - 3)) continue
    // all since the stream before it: a dictionary may be as long as it likes
    const head = withPlainNames(text.slice(from, at))
    from = at + 6
    if (!holdsObjects(head) || !name('Filter').test(head)) continue
    if (encrypted || !isInflatedOnce(head)) return unreadable
    const start = at + 6 + (text[at + 6] === '\r' ? 2 : 1)
    const end = text.indexOf('endstream', start)
    if (end < 0) return unreadable
    let content: Buffer
    try {
      content = inflateSync(bytes.subarray(start, end), { maxOutputLength: Math.max(1, left) })
    } catch {
      return unreadable
    }
    left -= content.byteLength
    const inside = inObjects(withPlainNames(content.toString('latin1')))
    if (inside !== undefined) return inside
  }
  return undefined
}

const inflatedMax = 32 * 1024 * 1024
const unreadable = 'objects that cannot be read'

/** Names may be spelled with `#4a` for `J` (§7.3.5). */
function withPlainNames(text: string): string {
  if (!text.includes('#')) return text
  return text.replace(/#([0-9a-f]{2})/gi, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** A name, which ends where white space or a delimiter begins (§7.2.3): a font may well be called `/JavaScript-Bold`. */
function name(word: string): RegExp {
  return new RegExp(`/${word}(?=[\\0\\s()<>[\\]{}/%]|$)`)
}

/** By its type, or by what only such a stream says in numbers: some readers never ask for its type. */
function holdsObjects(head: string): boolean {
  return (
    objectStream.test(head) || (/\/First\s*\d+(?!\d|\s+\d+\s+R)/.test(head) && /\/N\s*\d+(?!\d|\s+\d+\s+R)/.test(head))
  )
}

const objectStream = name('ObjStm')

/** What is packed twice, or foretold byte by byte, says nothing once it is inflated. */
function isInflatedOnce(head: string): boolean {
  const filters = [...head.matchAll(/\/(?:([A-Za-z0-9]+)Decode|(AHx|A85|LZW|Fl|RL|CCF|DCT))(?=[\0\s()<>[\]{}/%]|$)/g)]
  const [only] = filters
  return (
    filters.length === 1 && (only?.[1] === 'Flate' || only?.[2] === 'Fl') && !/\/Predictor\s*(?:[2-9]|1\d)/.test(head)
  )
}

function inObjects(text: string): string | undefined {
  return signs.find(([, all]) => all.every((sign) => sign.test(text)))?.[0]
}

/** No short name stands alone here: in ten megabytes of pictures each three letters are found by chance. */
const signs: readonly (readonly [what: string, all: readonly RegExp[]])[] = [
  ['a script', [name('JavaScript')]], // each action that runs one says so (§12.6.4.17) but for the next
  ['a script', [name('Rendition'), name('JS')]], // §12.6.4.14
  ['an action that starts a program', [name('Launch')]],
  ['an embedded file', [name('EmbeddedFiles?')]],
  ['rich media', [name('RichMedia')]],
  ['a form of XFA', [name('XFA')]],
]
