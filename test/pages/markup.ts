export interface Element {
  readonly tag: string
  readonly attributes: ReadonlyMap<string, string>
  /** All text within. */
  text: string
}

/**
 * The elements of a document in their order, read by a grammar far narrower than that of browsers: every attribute in
 * double quotes, every element closed, no comment. What it cannot read is an error, and so is what should not be there.
 */
export function elementsOf(markup: string): readonly Element[] {
  const elements: Element[] = []
  const open: Element[] = []
  let at = 0
  const rest = () => JSON.stringify(markup.slice(at, at + 80))
  while (at < markup.length) {
    const token = next(markup, at)
    if (token === undefined) throw new Error(`cannot be read: ${rest()}`)
    at += token[0].length
    const [, text, closing, tag, attributes = ''] = token
    if (text !== undefined) for (const element of open) element.text += decoded(text)
    if (closing !== undefined && open.pop()?.tag !== closing) throw new Error(`closes what is not open: ${closing}`)
    if (tag === undefined) continue
    const element = { tag, attributes: attributesOf(attributes), text: '' }
    elements.push(element)
    if (!empty.has(tag)) open.push(element)
  }
  if (open.length > 0) throw new Error(`is never closed: ${open.at(-1)?.tag}`)
  return elements
}

function next(markup: string, at: number): RegExpExecArray | undefined {
  token.lastIndex = at
  return token.exec(markup) ?? undefined
}

const token = /<!doctype html>|([^<>]+)|<\/([a-z0-9]+)>|<([a-z0-9]+)((?: [a-z-]+(?:="[^"<>]*")?)*)>/y
const empty = new Set(['meta', 'link', 'input', 'img', 'br'])

function attributesOf(text: string): ReadonlyMap<string, string> {
  const found = [...text.matchAll(/ ([a-z-]+)(?:="([^"]*)")?/g)].map(
    ([, name = '', value = '']) => [name, decoded(value)] as const,
  )
  const attributes = new Map(found)
  if (attributes.size !== found.length) throw new Error(`says an attribute twice: ${text}`)
  return attributes
}

function decoded(text: string): string {
  return text.replace(/&(?:#(\d+)|([a-z]+));|&/g, (entity, number?: string, name?: string) => {
    const character = number === undefined ? named[name ?? ''] : String.fromCodePoint(Number(number))
    if (character === undefined) throw new Error(`is no entity of ours: ${entity}`)
    return character
  })
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' }
