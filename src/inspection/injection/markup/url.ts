import { withoutReferences } from '../../decode/html.ts'

/** What an address does where it is followed, beyond fetching something. */
export type Active = 'script' | 'document'

/**
 * Whether a browser that reads a value as an address would run a script, or show a document that was sent along. As the URL
 * standard has it (§4.4), spaces and controls before the scheme and tabs and line ends within it do not count.
 */
export function activeAddress(value: string): Active | undefined {
  if (!value.includes(':') && !value.includes('&')) return undefined
  const head = withoutReferences(value.slice(0, headMax)).replace(ignored, '').toLowerCase()
  const colon = head.indexOf(':')
  if (colon === -1 || ordinary.test(head)) return undefined
  if (scripts.test(head)) return 'script'
  return documents.test(head) ? 'document' : undefined
}

/** More than a scheme with a hundred references of eight characters for each letter needs. */
const headMax = 2_048

const ignored = /[\0-\x20\x7f-\xa0\u00ad\u200b-\u200f\u2028-\u202f\u2060\ufeff\ufffe]/g

const ordinary = /^(?:https?|mailto|tel|ftp|sms|blob|file):/

/** A backslash or a stray byte before the scheme is let stand: what comes behind may have been decoded again by then. */
const scripts = /(?:javascript|vbscript|livescript|jscript|mocha):/

const documents =
  /^[^a-z]{0,8}data:(?:,|;|(?:text\/(?:html|xml|xsl|javascript|ecmascript|vbscript|css|x-scriptlet)|image\/svg|application\/(?:xhtml|xml|javascript|x-javascript|ecmascript|pdf)))/
