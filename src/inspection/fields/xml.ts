import { type FieldList, step } from './field-list.ts'
import { addText } from './json.ts'

/**
 * Adds the texts, the attribute values and the names of an XML document (XML 1.0), none of its entities resolved: what they would
 * be is not ours to fetch. The text of an element is what a program reads of it, without the comments in it and with its CDATA.
 * Of a document type declaration the whole is one field, `DOCTYPE`. A document that is not well-formed is a problem.
 */
export function addXml(list: FieldList, text: string, charset: string | undefined, before = ''): void {
  const problem = new XmlScan(list, text, charset, before).run()
  if (problem !== undefined) list.fail(problem)
}

interface Element {
  readonly name: string
  readonly pointer: string
  readonly texts: string[]
  /** How many of a name came so far. */
  readonly counts: Map<string, number>
}

/** Reads a document once, from left to right. Each step answers with what is wrong, or undefined. */
class XmlScan {
  readonly #list: FieldList
  readonly #text: string
  readonly #charset: string | undefined
  readonly #before: string
  readonly #open: Element[] = []
  #at = 0
  #rooted = false
  #declaredType = false

  constructor(list: FieldList, text: string, charset: string | undefined, before: string) {
    this.#list = list
    this.#text = text
    this.#charset = charset
    this.#before = before
  }

  run(): string | undefined {
    while (this.#list.problem === undefined) {
      const markup = this.#text.indexOf('<', this.#at)
      const problem = this.#characters(this.#text.slice(this.#at, markup < 0 ? undefined : markup))
      if (problem !== undefined) return problem
      if (markup < 0) {
        const left = this.#open.at(-1)
        if (left !== undefined) return 'expected each element of the XML to end, got the end'
        return this.#rooted ? undefined : 'expected an XML document, got none'
      }
      this.#at = markup
      const wrong = this.#markup()
      if (wrong !== undefined) return wrong
    }
    return undefined
  }

  #characters(text: string): string | undefined {
    if (text === '') return undefined
    const top = this.#open.at(-1)
    if (top !== undefined) top.texts.push(text)
    else if (text.trim() !== '') return 'expected XML, got text outside of its root'
    return undefined
  }

  #markup(): string | undefined {
    const text = this.#text
    const at = this.#at
    if (text.startsWith('<!--', at)) return this.#skipTo('-->', at + 4, 'comment')
    if (text.startsWith('<![CDATA[', at)) {
      const problem = this.#skipTo(']]>', at + 9, 'CDATA section')
      return problem ?? this.#cdata(text.slice(at + 9, this.#at - 3))
    }
    if (text.startsWith('<?', at)) {
      const problem = this.#skipTo('?>', at + 2, 'processing instruction')
      return problem ?? this.#instruction(text.slice(at + 2, this.#at - 2), at)
    }
    if (text.startsWith('<!', at)) return this.#documentType()
    return text.startsWith('</', at) ? this.#end() : this.#start()
  }

  #skipTo(closing: string, from: number, what: string): string | undefined {
    const close = this.#text.indexOf(closing, from)
    if (close < 0) return `expected each ${what} of the XML to end`
    this.#at = close + closing.length
    return undefined
  }

  /** Outside of the root there is none. */
  #cdata(text: string): string | undefined {
    if (this.#open.length === 0) return 'expected XML, got text outside of its root'
    return this.#characters(text)
  }

  #instruction(text: string, at: number): string | undefined {
    if (/^xml[\s?]/i.test(`${text}?`)) {
      if (at !== 0) return 'expected the XML declaration at the beginning'
      const encoding = /\sencoding\s{0,8}=\s{0,8}["']([^"']{0,64})["']/.exec(text.slice(0, 256))?.[1]?.toLowerCase()
      // Nobody may read the document in another charset than we did.
      if (encoding !== undefined && !sameCharset(encoding, this.#charset)) {
        return 'expected the encoding of the XML declaration to be that of the body, utf-8 where nothing else is said'
      }
      return undefined
    }
    this.#list.value('body', `${this.#before}processing-instruction`, 'processing-instruction', text)
    return undefined
  }

  /** To its `>`, over quotation marks, comments and the subset in brackets. */
  #documentType(): string | undefined {
    const start = this.#at
    if (!/^<!DOCTYPE\s$/i.test(this.#text.slice(start, start + 10))) return 'expected markup that XML knows'
    if (this.#rooted || this.#declaredType) return 'expected one document type declaration, before the root'
    this.#declaredType = true
    let depth = 0
    for (let at = start + 9; at < this.#text.length; at++) {
      const sign = this.#text.charAt(at)
      if (sign === '"' || sign === "'") {
        at = this.#text.indexOf(sign, at + 1)
        if (at < 0) break
      } else if (this.#text.startsWith('<!--', at)) {
        at = this.#text.indexOf('-->', at + 4) + 2
        if (at < 2) break
      } else if (sign === '[') {
        depth++
      } else if (sign === ']') {
        depth--
      } else if (sign === '>' && depth === 0) {
        this.#at = at + 1
        this.#list.value('body', `${this.#before}DOCTYPE`, 'doctype', this.#text.slice(start, this.#at), 'unknown')
        return undefined
      }
    }
    return 'expected the document type declaration to end'
  }

  #start(): string | undefined {
    names.lastIndex = this.#at + 1
    const name = names.exec(this.#text)?.[0]
    if (name === undefined) return 'expected a name behind each `<` of the XML'
    if (this.#open.length === 0 && this.#rooted) return 'expected one root in the XML, got another'
    if (this.#open.length === depthMax) return `expected at most ${depthMax} levels of XML, got one more`
    this.#rooted = true
    const pointer = this.#pointerTo(name)
    this.#list.name('body', this.#before + pointer, name)
    this.#at = names.lastIndex
    const problem = this.#attributes(pointer)
    if (problem !== undefined) return problem
    if (this.#text.startsWith('/>', this.#at)) {
      this.#at += 2
      return undefined
    }
    if (this.#text.charAt(this.#at) !== '>') return 'expected attributes as `name="value"`, and `>`'
    this.#at++
    this.#open.push({ name, pointer, texts: [], counts: new Map() })
    return undefined
  }

  /** `/order/item`, and `/order/item[2]` of the second. */
  #pointerTo(name: string): string {
    const parent = this.#open.at(-1)
    if (parent === undefined) return step('', name)
    const count = (parent.counts.get(name) ?? 0) + 1
    parent.counts.set(name, count)
    return step(parent.pointer, count === 1 ? name : `${name}[${count}]`)
  }

  #attributes(pointer: string): string | undefined {
    const seen = new Set<string>()
    for (;;) {
      attributes.lastIndex = this.#at
      const found = attributes.exec(this.#text)
      const opened = found === null ? undefined : this.#text.charAt(attributes.lastIndex)
      if (found === null || (opened !== '"' && opened !== "'")) {
        spaces.lastIndex = this.#at
        spaces.test(this.#text)
        this.#at = spaces.lastIndex
        return undefined
      }
      const name = found[1] as string
      const from = attributes.lastIndex + 1
      const end = this.#text.indexOf(opened, from)
      if (end < 0) return 'expected each attribute of the XML to end'
      if (seen.has(name)) return 'expected each attribute once in an element'
      seen.add(name)
      const at = this.#before + step(pointer, `@${name}`)
      this.#list.name('body', at, name)
      addText(this.#list, 'body', at, localName(name), this.#text.slice(from, end))
      this.#at = end + 1
    }
  }

  #end(): string | undefined {
    const element = this.#open.pop()
    if (element === undefined || !this.#text.startsWith(element.name, this.#at + 2)) {
      return 'expected each end tag of the XML to be that of the element that is open'
    }
    spaces.lastIndex = this.#at + 2 + element.name.length
    spaces.test(this.#text)
    if (this.#text.charAt(spaces.lastIndex) !== '>') return 'expected each end tag of the XML to end'
    this.#at = spaces.lastIndex + 1
    const text = element.texts.join('')
    if (text.trim() !== '') addText(this.#list, 'body', this.#before + element.pointer, localName(element.name), text)
    return undefined
  }
}

const depthMax = 64
const names = /[^\s<>/='"&!?]{1,256}(?=[\s/>])/y
const attributes = /\s{1,256}([^\s<>/='"&]{1,256})\s{0,64}=\s{0,64}/y
const spaces = /\s*/y

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

function sameCharset(declared: string, read: string | undefined): boolean {
  const family = (charset: string): string =>
    charset.startsWith('utf-16') ? 'utf-16' : charset.replace(/^utf8$/, 'utf-8')
  return family(declared) === family((read ?? 'utf-8').toLowerCase()) || (declared === 'us-ascii' && read === undefined)
}
