import { addressAttributes, allowedAddress } from './address.ts'
import type { Profile } from './profiles.ts'
import { isLetter, markupEnd, slash, tagEnd, tagName, unending } from './scan.ts'

/** A profile as it is asked, made at load. */
export interface Rules {
  readonly tags: ReadonlySet<string>
  readonly attributes: ReadonlyMap<string, ReadonlySet<string>>
  readonly schemes: ReadonlySet<string>
  /** Whether links stay, which then are told nothing of the page they stand on. */
  readonly linked: boolean
}

export function rulesOf({ tags, attributes = {}, schemes = ['http', 'https', 'mailto'] }: Profile): Rules {
  return {
    tags: new Set(tags),
    attributes: new Map(Object.entries(attributes).map(([tag, names]) => [tag, new Set(names)])),
    schemes: new Set(schemes),
    linked: tags.includes('a') && attributes['a']?.includes('href') === true,
  }
}

/**
 * Writes HTML anew, in one pass: tags of the profile with attributes of the profile, each closed in its order, and all else as text
 * in which no `<`, `>` or `&` is left that would begin or end anything. Nothing is copied but words of the profile and escaped
 * text, so that who parses it finds these tags, whatever was written before; no element of a profile makes a parser read its
 * contents otherwise, which is how sanitised HTML comes to life elsewhere.
 */
export function writeMarkup(html: string, rules: Rules): string {
  let at = html.indexOf('<')
  if (at === -1) return escapeText(html)
  const writer = new Writer(rules)
  let from = 0
  while (at !== -1) {
    const end = markupEnd(html, at)
    if (end === undefined) {
      at = html.indexOf('<', at + 1)
      continue
    }
    if (end === unending) break // a tag that ends nowhere is text
    writer.text(html.slice(from, at))
    const next = html.charCodeAt(at + 1)
    if (isLetter(next)) writer.open(html, at + 1)
    else if (next === slash && isLetter(html.charCodeAt(at + 2))) writer.close(tagName(html, at + 2))
    from = end
    at = html.indexOf('<', end)
  }
  writer.text(html.slice(from))
  return writer.end()
}

class Writer {
  readonly #rules: Rules
  /** Those that are not written as well: what stands within them ends with them. */
  readonly #open: { readonly name: string; readonly stays: boolean }[] = []
  #deep = 0
  #written = ''

  constructor(rules: Rules) {
    this.#rules = rules
  }

  text(text: string): void {
    this.#written += escapeText(text)
  }

  open(html: string, start: number): void {
    const name = tagName(html, start)
    if (name === 'script' || name === 'style') return // they are over, with what they hold
    const closed = closedBy.get(name)
    if (closed !== undefined) this.#endBefore(closed)
    const stays = this.#rules.tags.has(name)
    const isVoid = voids.has(name)
    if (isVoid) {
      if (stays) this.#written += `<${name}${this.#attributes(name, html, start)} />`
      return
    }
    if (stays ? this.#deep === depthMax : this.#open.length >= openMax) return
    this.#open.push({ name, stays })
    if (!stays) return
    this.#deep++
    this.#written += `<${name}${this.#attributes(name, html, start)}>`
  }

  /** Those that were opened within it are closed as well. What was never opened has no end. */
  close(name: string): void {
    const at = this.#open.findLastIndex((one) => one.name === name)
    if (at === -1) return
    while (this.#open.length > at) this.#pop()
  }

  /** Who parses what is written sees the elements that stay: it is these that end where another begins. */
  #endBefore(closed: ReadonlySet<string>): void {
    for (;;) {
      const at = this.#open.findLastIndex(({ stays }) => stays)
      if (!closed.has(this.#open[at]?.name ?? '')) return
      while (this.#open.length > at) this.#pop()
    }
  }

  end(): string {
    while (this.#open.length > 0) this.#pop()
    return this.#written
  }

  #pop(): void {
    const last = this.#open.pop()
    if (last?.stays !== true) return
    this.#deep--
    this.#written += `</${last.name}>`
  }

  #attributes(tag: string, html: string, start: number): string {
    const allowed = this.#rules.attributes.get(tag)
    if (allowed === undefined) return ''
    const seen = new Set<string>()
    let written = ''
    let leads = false
    tagEnd(html, start, (given, value) => {
      const name = given.toLowerCase()
      if (!allowed.has(name) || seen.has(name)) return
      seen.add(name) // the first of a name counts (§13.2.5.33)
      if (!addressAttributes.has(name)) {
        written += ` ${name}="${escapeValue(value)}"`
        return
      }
      const address = allowedAddress(value, this.#rules.schemes)
      if (address === undefined) return
      if (name === 'href') leads = true
      written += ` ${name}="${escapeValue(address.replaceAll('&', '&amp;'))}"`
    })
    return leads && tag === 'a' && this.#rules.linked ? `${written} rel="noopener noreferrer nofollow"` : written
  }
}

/** Deeper elements go, and their text stays. */
const depthMax = 64
/** Beyond it nobody asks any more which element an end belongs to. */
const openMax = 256

/** WHATWG HTML §13.1.2. */
const voids: ReadonlySet<string> = new Set(
  'area base br col embed hr img input link meta param source track wbr'.split(' '),
)

/** Which elements end where another begins (§13.1.2.4): their ends may be left out. */
const closedBy: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ...`address article aside blockquote details div dl figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup hr main nav ol p pre
  section summary table ul`
    .split(/\s+/)
    .map((name) => [name, new Set(['p'])] as const),
  ['a', new Set(['a'])],
  ['li', new Set(['li', 'p'])],
  ['dd', new Set(['dd', 'dt', 'p'])],
  ['dt', new Set(['dd', 'dt', 'p'])],
  ['rp', new Set(['rp', 'rt'])],
  ['rt', new Set(['rp', 'rt'])],
  ['td', new Set(['td', 'th'])],
  ['th', new Set(['td', 'th'])],
  ['tr', new Set(['td', 'th', 'tr'])],
  ['tbody', new Set(['td', 'th', 'tr', 'tbody', 'thead', 'tfoot', 'colgroup'])],
  ['thead', new Set(['td', 'th', 'tr', 'tbody', 'thead', 'tfoot', 'colgroup'])],
  ['tfoot', new Set(['td', 'th', 'tr', 'tbody', 'thead', 'tfoot', 'colgroup'])],
])

/** References stay what they are: they are text wherever they stand. */
function escapeText(text: string): string {
  return text.includes('&') || text.includes('<') || text.includes('>')
    ? text.replace(loneAmpersand, '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
    : text
}

function escapeValue(value: string): string {
  return escapeText(value).replaceAll('"', '&quot;')
}

const loneAmpersand = /&(?!#[0-9]{1,7};|#[xX][0-9A-Fa-f]{1,6};|[A-Za-z][A-Za-z0-9]{0,31};)/g
