import { inflateSync } from 'node:zlib'
import { zipInside } from './archive.ts'
import type { UploadFault } from './uploaded.ts'
import { type Allowance, ArchiveFault, readZip } from './zip.ts'

/** What runs, or calls elsewhere, once somebody opens a file: scripts in SVG, HTML and PDF, macros in documents. */
export function faultOfActive(
  type: string,
  bytes: Uint8Array,
  text: string | undefined,
  allowance: Allowance,
): UploadFault | undefined {
  const found = text !== undefined ? inText(type, text) : inBytes(type, bytes, allowance)
  return found === undefined
    ? undefined
    : { rule: 'upload/active', message: `expected a file that only shows something, got one with ${found}` }
}

function inText(type: string, text: string): string | undefined {
  if (type === 'text/html' || type === 'application/x-httpd-php' || type === 'text/x-script') return 'a program'
  if (type !== 'image/svg+xml' && type !== 'application/xml') return undefined
  const plain = withoutReferences(text)
  return (type === 'image/svg+xml' ? svg : xml).find(([, sign]) => sign.test(plain))?.[0]
}

/** Entities inside attributes are read by whoever opens the file; tabs and line ends inside an address are not (WHATWG URL §4.4). */
function withoutReferences(text: string): string {
  return text
    .replace(/&#(?:x([0-9a-f]{1,6})|([0-9]{1,7}));?/gi, (whole, hex?: string, decimal?: string) => {
      const unit = hex !== undefined ? Number.parseInt(hex, 16) : Number(decimal)
      return unit > 0 && unit <= 0x10ffff ? String.fromCodePoint(unit) : whole
    })
    .replace(/&(?:colon|Tab|NewLine);/g, (name) => (name === '&colon;' ? ':' : ''))
    .replace(/[\t\r\n]/g, ' ')
    .replace(/j ?a ?v ?a ?s ?c ?r ?i ?p ?t ?:/gi, 'javascript:')
}

const xml: readonly (readonly [what: string, sign: RegExp])[] = [
  ['entities of its own', /<!ENTITY|<!DOCTYPE[^>[]{0,1024}\[/i],
  ['a style sheet from elsewhere', /<\?xml-stylesheet/i],
  ['a script', /<(?:[\w-]{1,40}:)?script[\s/>]/i],
]

const svg: readonly (readonly [what: string, sign: RegExp])[] = [
  ...xml,
  ['a handler of events', /[\s"'/]on[a-z]{3,40} {0,64}=/i],
  [
    'an address that runs',
    /["'= ](?:javascript|vbscript|livescript):|["'= ]data: {0,8}(?:text\/html|image\/svg|application\/xhtml)/i,
  ],
  ['foreign markup', /<(?:[\w-]{1,40}:)?(?:foreignObject|iframe|object|embed|handler|listener)[\s/>]/i],
  [
    'something from elsewhere',
    /<(?:[\w-]{1,40}:)?(?:image|use|feimage|link|audio|video|source|track)[\s/][^>]{0,1024}?(?:href|src) {0,8}= {0,8}["']? {0,8}(?:https?:|ftp:|file:|\/\/)|@import|url\( {0,8}["']? {0,8}(?:https?:|\/\/)/i,
  ],
]

function inBytes(type: string, bytes: Uint8Array, allowance: Allowance): string | undefined {
  if (type === 'application/pdf') return inPdf(bytes)
  if (type === 'application/x-cfb') return includes(bytes, '_VBA_PROJECT', 'utf16le') ? 'macros' : undefined
  if (zipInside.test(type)) return inDocument(bytes, allowance)
  return undefined
}

/** Macros, and the parts of OLE that run (ECMA-376). */
function inDocument(bytes: Uint8Array, allowance: Allowance): string | undefined {
  try {
    for (const { name, bytes: content } of readZip(bytes, allowance)) {
      if (/(?:^|\/)(?:vbaProject|vbaData)\.(?:bin|xml)$|^Basic\/|^Scripts\//i.test(name)) return 'macros'
      if (/\/(?:activeX|embeddings)\//i.test(name) && /\.bin$/i.test(name)) return 'an embedded program'
      if (name === '[Content_Types].xml' && includes(content, 'macroEnabled', 'latin1')) return 'macros'
    }
  } catch (error) {
    if (!(error instanceof ArchiveFault)) throw error // its own check says so
  }
  return undefined
}

/** Names may be spelled with `#4a` (ISO 32000-2 §7.3.5), and stand in compressed streams of objects (§7.5.7). */
function inPdf(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const found = inPdfObjects(text)
  if (found !== undefined) return found
  const encrypted = /\/Encrypt\b/.test(text)
  let left = pdfBytesMax
  const streams = /\/(?:ObjStm|#4fbjStm)/i
  for (let at = text.indexOf('stream'); at >= 0; at = text.indexOf('stream', at + 6)) {
    if (text.startsWith('end', at - 3)) continue
    const head = text.slice(Math.max(0, at - 512), at)
    if (!streams.test(head)) continue
    if (encrypted) return 'objects that cannot be read'
    const from = at + 6 + (text[at + 6] === '\r' ? 2 : 1)
    const to = text.indexOf('endstream', from)
    if (to < 0) return 'objects that cannot be read'
    try {
      const content = inflateSync(bytes.subarray(from, to), { maxOutputLength: Math.max(1, left) })
      left -= content.byteLength
      const inside = inPdfObjects(content.toString('latin1'))
      if (inside !== undefined) return inside
    } catch {
      return 'objects that cannot be read'
    }
  }
  return undefined
}

const pdfBytesMax = 32 * 1024 * 1024

function inPdfObjects(text: string): string | undefined {
  const plain = text.includes('#')
    ? text.replace(/#([0-9a-f]{2})/gi, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text
  return pdf.find(([, sign]) => sign.test(plain))?.[0]
}

const pdf: readonly (readonly [what: string, sign: RegExp])[] = [
  ['a script', /\/(?:JavaScript|JS)(?![A-Za-z])/],
  ['an action that starts a program', /\/Launch(?![A-Za-z])/],
  ['an embedded file', /\/EmbeddedFiles?(?![A-Za-z])/],
  ['rich media', /\/RichMedia(?![A-Za-z])/],
  ['a form of XFA', /\/XFA(?![A-Za-z])/],
]

function includes(bytes: Uint8Array, text: string, encoding: BufferEncoding): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(text, 0, encoding)
}
