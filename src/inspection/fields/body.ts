import { beginsLikeText, textOf } from './charset.ts'
import type { FieldList } from './field-list.ts'
import { isUtf8, type Pair, readForm, readPairs } from './form.ts'
import { addJsonText, addText } from './json.ts'
import { type MediaType, readMediaType } from './media-type.ts'
import { readMultipart } from './multipart.ts'
import { addPairs } from './query.ts'
import type { SchemaRole } from './schema-role.ts'
import { addXml } from './xml.ts'

/** Adds what a body says, read as its media type wants it. */
export function addBody(list: FieldList, bytes: Uint8Array, contentType: string | undefined, roles?: SchemaRole): void {
  const media = contentType === undefined ? unsaid : readMediaType(contentType)
  if ('problem' in media) return list.fail(media.problem)
  if (media.type.startsWith('multipart/')) return addMultipart(list, bytes, contentType as string)
  readerOf(media.type)(list, bytes, media, roles, '')
}

const unsaid: MediaType = { type: '', parameters: new Map() }

/** `before` stands before each place: the part of a form that it stands in. */
type Reader = (
  list: FieldList,
  bytes: Uint8Array,
  media: MediaType,
  roles: SchemaRole | undefined,
  before: string,
) => void

function readerOf(type: string): Reader {
  const reader = readers.get(type)
  if (reader !== undefined) return reader
  if (type.endsWith('+json')) return addJsonBody
  if (type.endsWith('+xml')) return addXmlBody
  return type.startsWith('text/') ? addTextBody : addUnknown
}

const addJsonBody: Reader = (list, bytes, { parameters }, roles, before) => {
  const charset = parameters.get('charset')
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    return list.fail('expected JSON in utf-8 (RFC 8259 §8.1), got another charset')
  }
  const read = textOf(bytes, 'utf-8')
  if ('problem' in read) list.fail(read.problem)
  else addJsonText(list, read.text, roles, before)
}

/** JSON texts, one to a line; RFC 7464 §2.2 begins each with a sign of its own. */
const addJsonLines: Reader = (list, bytes, { parameters }, _roles, before) => {
  const read = textOf(bytes, parameters.get('charset'))
  if ('problem' in read) return list.fail(read.problem)
  for (const [index, line] of read.text.replaceAll(recordSeparator, '').split('\n').entries()) {
    if (list.problem !== undefined) return
    if (line.trim() !== '') addJsonText(list, line, undefined, `${before}/${index}`)
  }
}

const recordSeparator = '\u001e'

const addFormBody: Reader = (list, bytes, { parameters }) => {
  const read = readForm(bytes, parameters.get('charset'))
  if ('problem' in read) return list.fail(read.problem)
  addPairs(list, 'body', read.pairs)
  // Some clients call whatever they send a form, and some programs parse it as what it is: what is one text there stands here in pieces.
  if (beginsLikeText(bytes)) addText(list, 'body', '', '', textIn(bytes))
}

/** Of bytes that were read before. */
function textIn(bytes: Uint8Array): string {
  const read = textOf(bytes, 'utf-8')
  return 'text' in read ? read.text : ''
}

const addXmlBody: Reader = (list, bytes, { type, parameters }, _roles, before) => {
  const charset = parameters.get('charset') ?? byMark(bytes)
  const read = textOf(bytes, charset)
  if ('problem' in read) return list.fail(read.problem)
  if (pages.has(type) && running.test(read.text)) list.value('body', before, '', read.text, 'unknown')
  addXml(list, read.text, charset, before)
}

/** XML that browsers show as a page: what runs in it are its elements and attributes, and not the texts in them alone. */
const pages: ReadonlySet<string> = new Set(['image/svg+xml', 'application/xhtml+xml'])
const running = /<(?:[\w-]{1,32}:)?script\b|[\s"'/]on[a-z]{3,32}\s{0,16}=|(?:java|vb)script:|<foreignobject/i

const addTextBody: Reader = (list, bytes, { parameters }) => {
  const read = textOf(bytes, parameters.get('charset'))
  if ('problem' in read) list.fail(read.problem)
  else addLoose(list, read.text)
}

/** A program may read JSON or a form in a text all the same (as `text/plain` of a foreign page, for example). */
function addLoose(list: FieldList, text: string): void {
  addText(list, 'body', '', '', text)
  if (formLike.test(text.slice(0, formSample))) addPairs(list, 'body', readPairs(text).pairs)
}

const formLike = /^&{0,16}[^\s=&{}<>"]{1,128}=/
const formSample = 160

/** XML without a word about it begins with a mark where it is UTF-16 (XML §4.3.3). */
function byMark(bytes: Uint8Array): string | undefined {
  return bytes[0] === 0xff || bytes[0] === 0xfe ? 'utf-16' : undefined
}

/** A query is code: nothing of it is prose, and what stands in it is for the schema of that service to judge. */
const addGraphql: Reader = (list, bytes, { parameters }) => {
  const read = textOf(bytes, parameters.get('charset'))
  if ('problem' in read) list.fail(read.problem)
  else list.value('body', '', 'query', read.text, 'unknown')
}

/**
 * Of a type that nobody knows, or without one: text is looked at, with whatever control characters stand in it, and what is no text
 * has no fields. What begins like JSON or XML is read as that by somebody, also with bytes in it that are no text; and what has no type
 * is read by somebody as whatever they like.
 */
const addUnknown: Reader = (list, bytes, { type, parameters }) => {
  const read = textOf(bytes, parameters.get('charset') ?? byMark(bytes))
  if ('text' in read) addLoose(list, read.text)
  else if (type === '') list.fail('expected a `Content-Type` with a body that is no text')
  else if (beginsLikeText(bytes)) list.fail(read.problem)
}

const readers: ReadonlyMap<string, Reader> = new Map([
  ['application/json', addJsonBody],
  ['text/json', addJsonBody],
  ['application/csp-report', addJsonBody],
  ['application/x-ndjson', addJsonLines],
  ['application/ndjson', addJsonLines],
  ['application/jsonl', addJsonLines],
  ['application/json-seq', addJsonLines],
  ['application/x-www-form-urlencoded', addFormBody],
  ['application/xml', addXmlBody],
  ['text/xml', addXmlBody],
  ['application/graphql', addGraphql],
])

/** Values as those of a form; of a file its name, and what stands in it where it says that it is JSON or XML. */
function addMultipart(list: FieldList, bytes: Uint8Array, contentType: string): void {
  const read = readMultipart(bytes, contentType)
  if ('problem' in read) return list.fail(read.problem)
  const pairs: Pair[] = []
  for (const { name, filename, contentType: said, bytes: content } of read.parts) {
    const media = said === undefined ? unsaid : readMediaType(said)
    if ('problem' in media) return list.fail(media.problem)
    const reader = readerOf(media.type)
    if (filename !== undefined) {
      list.name('body', name, name)
      list.value('body', `${name}#filename`, 'filename', filename)
      if (structured.has(reader)) reader(list, content, media, undefined, `${name}#`)
      continue
    }
    const value = textOf(content, media.parameters.get('charset'))
    if ('problem' in value) return list.fail(`a value of the form: ${value.problem}`)
    // RFC 7578 §4.6: it is the charset of the values then, to those who know of it.
    if (name === '_charset_' && !isUtf8(value.text))
      return list.fail('expected a form in utf-8, and `_charset_` to say so')
    pairs.push({ name, value: value.text })
    if (reader === addXmlBody) addXml(list, value.text, undefined, `${name}#`)
  }
  addPairs(list, 'body', pairs)
}

const structured: ReadonlySet<Reader> = new Set([addJsonBody, addJsonLines, addXmlBody])
