import { type Allowance, ArchiveFault, readZip } from './zip.ts'

/** Macros, and the parts that run or are fetched, in documents of Office and OpenDocument (ECMA-376, ODF); undefined without any. */
export function activeInDocument(bytes: Uint8Array, allowance: Allowance): string | undefined {
  try {
    for (const { name, bytes: content } of readZip(bytes, allowance)) {
      if (/(?:^|\/)(?:vbaProject|vbaData)\.(?:bin|xml)$|^Basic\/|^Scripts\//i.test(name)) return 'macros'
      if (/\/(?:activeX|embeddings)\//i.test(name) && /\.bin$/i.test(name)) return 'an embedded program'
      if (/^\[Content_Types\]\.xml$/i.test(name) && macros.test(textOf(content))) return 'macros' // parts may have any name
      if (/\.rels$/i.test(name) && fetches(textOf(content))) return 'something from elsewhere that may run'
    }
  } catch (error) {
    if (!(error instanceof ArchiveFault)) throw error // its own check says so
  }
  return undefined
}

const macros = /macroEnabled|vbaProject/i

/** A template that is fetched brings its macros with it. */
function fetches(relationships: string): boolean {
  for (const [tag] of relationships.matchAll(/<[^<>]*/g))
    if (
      /\/(?:attachedTemplate|oleObject|frame|subDocument)["']/i.test(tag) &&
      /\sTarget\s*=\s*["']\s*(?:mhtml:|its:|x-usc:)*\s*(?:https?|ftp):/i.test(tag)
    )
      return true
  return false
}

/** A part in UTF-8 or in UTF-16 (ECMA-376-2 §7.3.2), without references to characters. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString('latin1')
    .replaceAll('\0', '')
    .replace(/&#(?:x0*([0-9a-f]{1,6})|0*([0-9]{1,7}));/gi, (whole, hex?: string, decimal?: string) => {
      const unit = hex !== undefined ? Number.parseInt(hex, 16) : Number(decimal)
      return unit > 0x3e && unit < 0x80 ? String.fromCharCode(unit) : whole
    })
}
