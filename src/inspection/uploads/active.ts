import { zipInside } from './archive.ts'
import { activeInDocument } from './office.ts'
import { activeInPdf } from './pdf.ts'
import { activeInDrawing, activeInXml } from './svg.ts'
import type { UploadFault } from './uploaded.ts'
import type { Allowance } from './zip.ts'

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
  if (type === 'image/svg+xml') return activeInDrawing(text)
  return type === 'application/xml' ? activeInXml(text) : undefined
}

function inBytes(type: string, bytes: Uint8Array, allowance: Allowance): string | undefined {
  if (type === 'application/pdf') return activeInPdf(bytes)
  if (type === 'application/x-cfb')
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes('_VBA_PROJECT', 0, 'utf16le')
      ? 'macros'
      : undefined
  return zipInside.test(type) ? activeInDocument(bytes, allowance) : undefined
}
