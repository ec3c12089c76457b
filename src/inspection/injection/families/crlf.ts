import { type Detector, type Hint, noSigns } from '../detector.ts'
import { sieve } from '../requirement.ts'
import { certain, type Row, row, signsOf, strong, sure } from './rows.ts'

/**
 * Ends of lines where a line may not end (CWE-93, CWE-113): headers that a value brings along, an answer or a request split in two,
 * forged lines of a log. Texts of many lines may have them; values may not.
 */
export const crlf: Detector = {
  family: 'crlf',
  scan: (text, hint, look) => (lineEnd(text, look) ? signsOf(rows, text, hint, look) : noSigns),
}

/** Also as servers have read them by mistake: the low byte of U+560A and U+560D, and what was decoded once too seldom. */
const lineEnd = sieve(/[\r\n\u560a\u560d\u2028\u0085]|%(?:25){0,4}0[ad]|%u000[ad]|%e5%98%8[ad]|\\[rn]/i)

const end = String.raw`(?:[\r\n\u560a\u560d\u2028\u0085]|%(?:25){0,4}0[ad]|%u000[ad]|%e5%98%8[ad]){1,8}[ \t]{0,4}`

const rows: readonly Row[] = [
  row(
    'crlf/header',
    [0.95, 0.2, 0],
    new RegExp(
      `${end}(?:set-cookie2?|location|content-(?:type|length|disposition|encoding|security-policy|location)|transfer-encoding|connection|host|refresh|x-[a-z][a-z-]{1,40}|access-control-allow-[a-z]{4,12}|cookie|referer|user-agent|authorization|cache-control|last-modified|status|server|link|upgrade|origin|accept|expect|via|header|injected[a-z-]{0,24}|header-?test|crlf[a-z-]{0,24})[ \\t]{0,4}(?::|%3a)`,
      'gi',
    ),
    isValueLike,
  ),
  row(
    'crlf/any-header',
    [0.75, 0, 0],
    new RegExp(`${end}[a-z][a-z0-9]{1,20}(?:-[a-z0-9]{1,20}){1,4}(?:%0d|\\r){0,4}[ \\t]{0,4}:[ \\t]{0,2}\\S`, 'gi'),
    isCarried,
  ),
  row('crlf/split-answer', sure, new RegExp(`${end}HTTP/(?:0\\.9|1\\.[01]|2)(?: |%20|\\+)\\d{3}`, 'gi'), isValueLike),
  row(
    'crlf/split-request',
    sure,
    new RegExp(
      `${end}(?:GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH|TRACE|CONNECT|DEBUG|PROPFIND)(?: |%20|\\+|\\t)[^\\s]{1,200}(?: |%20|\\+|\\t)HTTP/\\d`,
      'g',
    ),
    isValueLike,
  ),
  row(
    'crlf/body',
    strong,
    /(?:\r\n\r\n|\n\n|%0d%0a%0d%0a|%0a%0a)\s{0,4}<(?:html|script|svg|img|body|iframe|h1)\b/gi,
    isCarried,
  ),
  row('crlf/chunk', certain, /(?:^|[\r\n])0\r\n\r\n(?:GET|POST|PUT|HEAD|DELETE|OPTIONS) \S{1,200} HTTP\/\d/g),
  row(
    'crlf/forged-log',
    [0.7, 0.05, 0],
    new RegExp(
      `${end}(?:\\[?(?:INFO|ERROR|WARN(?:ING)?|DEBUG|CRITICAL|FATAL|NOTICE|AUDIT)\\]?[ :]|\\[?\\d{4}-\\d{2}-\\d{2}[ T]\\d{2}:\\d{2}|\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3} - |level=(?:info|error|warn)|(?:\\w{3} ){1,2}\\d{1,2} \\d{2}:\\d{2}:\\d{2})`,
      'gi',
    ),
    isCarried,
  ),
  row('crlf/foreign-line-end', strong, /[\u560a\u560d]{2}[ \t]{0,4}[a-z][a-z-]{1,40}:/gi),
  row('crlf/in-single-line', [0.8, 0, 0], /[\r\n](?=[^\r\n])/g, isSingleLine),
]

/** A header is one line, and so is a name; what forbids line ends anyway is where they are meant. */
function isSingleLine(_text: string, { role, in: part }: Hint): boolean {
  return (
    part === 'header' ||
    part === 'cookie' ||
    (part === 'path' && role !== 'prose') ||
    (part === 'query' && role === 'identifier')
  )
}

/** A quoted exchange has a request or an answer before its headers; a value has something short. */
function isValueLike(text: string, { in: part, role }: Hint, start: number): boolean {
  if (role === 'identifier' || (part !== 'body' && part !== 'answer')) return text.length < 2000
  if (part === 'body' && start > 0 && /^\s{0,8}[\w-]{1,40}:\s/.test(text)) return false
  return text.length < 2000 && !quotedExchange.test(text.slice(0, Math.min(start, 200)))
}

const quotedExchange =
  /^\s{0,8}(?:(?:GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS) \S|HTTP\/\d|From |Date:|Received:|curl |>|\$ |```|[A-Z][a-z]{1,24}(?:-[A-Z][a-z]{1,24}){0,3}: )/

function isCarried(text: string, { in: part }: Hint): boolean {
  return part !== 'body' && part !== 'answer' && text.length < 1000
}
