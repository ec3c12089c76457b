import { fileTypeFromBuffer } from 'file-type'
import { parseStrict } from '../../kernel/json.ts'
import type { UploadedFile, UploadFault } from './uploaded.ts'

/** What a file is by what it holds. */
export interface ContentType {
  /** `application/octet-stream` where nobody can tell. */
  readonly type: string
  /** Extensions that such a file may have; undefined where all of them do. */
  readonly extensions: readonly string[] | undefined
  /** Its text, where it is one. */
  readonly text: string | undefined
}

/** Reads what a file is from its own bytes: what its sender says of it counts for nothing. */
export async function contentTypeOf(bytes: Uint8Array): Promise<ContentType> {
  const found = await fileTypeFromBuffer(bytes)
  if (found !== undefined && !found.mime.endsWith('/xml')) {
    const type = aliases[found.mime] ?? found.mime
    return { type, extensions: [...new Set([found.ext, ...(extensions[type] ?? [])])], text: undefined }
  }
  const text = textOf(bytes)
  if (text === undefined) return { type: 'application/octet-stream', extensions: undefined, text }
  const type = typeOfText(text)
  return { type, extensions: extensions[type], text }
}

/** Whether a file is among the types that are taken, and says the truth about itself. */
export function faultOfType(
  { name, declaredType }: UploadedFile,
  { type, extensions: fitting, text }: ContentType,
  taken: readonly string[],
): UploadFault | undefined {
  // Text has no marks: what kind it is, its sender has to say.
  const isOfText = text !== undefined && type === 'text/plain'
  const meant = isOfText && declaredType !== undefined && plainText.has(declaredType) ? declaredType : type
  if (!taken.some((one) => one === meant || (one.endsWith('/*') && meant.startsWith(one.slice(0, -1)))))
    return { rule: 'upload/type', message: `expected ${taken.join(', ')}, got ${meant}` }
  const extension = name?.includes('.') === true ? name.slice(name.lastIndexOf('.') + 1).toLowerCase() : undefined
  if (extension !== undefined && fitting !== undefined && !fitting.includes(extension))
    return { rule: 'upload/extension', message: `expected a name that ends in ${endings(fitting)}: it holds ${meant}` }
  if (declaredType !== undefined && !isHonest(declaredType, type))
    return { rule: 'upload/declared', message: `expected a file that says what it is: it holds ${meant}` }
  return undefined
}

/** Who keeps a file may keep what its sender calls it: a picture that is given out as HTML again runs as HTML. */
function isHonest(declared: string, type: string): boolean {
  if (isXml(declared)) return isXml(type)
  return !runsAs.test(declared) || declared === type
}

function isXml(type: string): boolean {
  return /[/+]xml$/.test(type)
}

const runsAs =
  /^(?:text\/(?:x-)?(?:html|(?:java|ecma|j|live)script[\d.]*|xsl|php)|application\/(?:x-)?(?:(?:java|ecma)script|httpd-php|php|shockwave-flash|java-applet)|multipart\/.*)$/

function endings(fitting: readonly string[]): string {
  return fitting.map((one) => `.${one}`).join(' or ')
}

/** Types whose content is text like any other. */
const plainText = new Set([
  'text/plain',
  'text/csv',
  'text/markdown',
  'text/tab-separated-values',
  'text/yaml',
  'application/yaml',
])

const aliases: Readonly<Record<string, string>> = {
  'image/apng': 'image/png',
  'application/x-gzip': 'application/gzip',
  'application/x-zip-compressed': 'application/zip',
}

const extensions: Readonly<Record<string, readonly string[]>> = {
  'application/x-cfb': ['doc', 'dot', 'xls', 'xlt', 'ppt', 'pps', 'pot', 'msg', 'vsd', 'pub', 'mpp'],
  'image/jpeg': ['jpg', 'jpeg', 'jpe', 'jfif'],
  'image/png': ['png', 'apng'],
  'image/tiff': ['tif', 'tiff'],
  'image/svg+xml': ['svg'],
  'image/heic': ['heic', 'heif'],
  'application/gzip': ['gz', 'tgz'],
  'application/zip': ['zip'],
  'application/json': ['json', 'map', 'geojson', 'webmanifest'],
  'application/xml': ['xml', 'xsd', 'xsl', 'rss', 'atom', 'kml', 'gpx'],
  'text/html': ['html', 'htm', 'xhtml'],
  'text/plain': [
    'txt',
    'text',
    'csv',
    'tsv',
    'md',
    'markdown',
    'log',
    'yaml',
    'yml',
    'ini',
    'conf',
    'srt',
    'vtt',
    'eml',
    'ics',
    'vcf',
  ],
  'audio/mpeg': ['mp3', 'mpga'],
  'video/mp4': ['mp4', 'm4v'],
  'video/quicktime': ['mov', 'qt'],
}

/** UTF-8, or UTF-16 that says so, without what no text holds. */
function textOf(bytes: Uint8Array): string | undefined {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  const label = utf16 ? (bytes[0] === 0xff ? 'utf-16le' : 'utf-16be') : 'utf-8'
  let text: string
  try {
    text = new TextDecoder(label, { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what tells a text from other bytes
  return /[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(text) ? undefined : text
}

/** What browsers would take a text for, and what parsers would (WHATWG MIME Sniffing §7.1). */
function typeOfText(text: string): string {
  const start = text.slice(0, 4096).trimStart()
  const lower = start.toLowerCase()
  if (start.startsWith('<')) {
    if (/<(?:[a-z]+:)?svg[\s>/]/.test(lower) && /^<(?:\?xml|!--|!doctype svg|(?:[a-z]+:)?svg)/.test(lower))
      return 'image/svg+xml'
    if (htmlStarts.test(lower)) return 'text/html'
    if (lower.startsWith('<?php')) return 'application/x-httpd-php'
    if (/^<(?:\?xml|!doctype|!--|[a-z_][\w.:-]*[\s/>])/.test(lower)) return 'application/xml'
  }
  if (/^<\?php|^#!\s*\//.test(lower)) return 'text/x-script'
  if ((start.startsWith('{') || start.startsWith('[')) && 'value' in parseStrict(text)) return 'application/json'
  return 'text/plain'
}

const htmlStarts =
  /^(?:<!--[^>]{0,1024}-->\s{0,64}){0,8}<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|img|form|input|video|audio|object|embed|link|meta)[\s>/]/
