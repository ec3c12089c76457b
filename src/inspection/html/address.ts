import { withoutReferences } from '../decode/html.ts'

/** Attributes whose value is an address. */
export const addressAttributes: ReadonlySet<string> = new Set(['href', 'src', 'cite'])

/**
 * An address as a browser reads it (WHATWG URL §4.4), where its scheme is one of those that are allowed or where it has none and
 * leads to the same site; undefined for all others. What comes out is written with each `&` escaped, so that nobody reads more
 * references in it than we did.
 */
export function allowedAddress(value: string, schemes: ReadonlySet<string>): string | undefined {
  const read = value.replace(/&(?:#[xX]?[0-9A-Fa-f]+;?|[A-Za-z][A-Za-z0-9]{0,31};)/g, withoutReferences)
  const address = read.replace(/[\t\n\r]/g, '').replace(/^[\0-\x20]+/, '')
  const end = lastVisible(address)
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(address)?.[1]
  if (scheme !== undefined) return schemes.has(scheme.toLowerCase()) ? address.slice(0, end) : undefined
  return /^[\\/]{2}/.test(address) ? undefined : address.slice(0, end) // `//host` is another site
}

/** Behind the last character that is neither white space nor a control. */
function lastVisible(text: string): number {
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) <= 0x20) end--
  return end
}
