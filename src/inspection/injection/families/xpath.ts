import { type Detector, type Hint, noSigns } from '../detector.ts'
import { sieve } from '../requirement.ts'
import { likely, type Row, row, signsOf, strong, sure } from './rows.ts'

/** Expressions of XPath and XQuery that break out of a string, or ask about a document node by node (CWE-643). */
export const xpath: Detector = {
  family: 'xpath',
  scan: (text, hint, look) => (telling(text, look) ? signsOf(rows, text, hint, look) : noSigns),
}

const telling = sieve(/\/\/|\(\s?\/|::|name\s?\(|\(\)|\/\*|doc\s?\(|text\s?\(|string-length|substring|[[\]]/i)

const rows: readonly Row[] = [
  row(
    'xpath/break-out',
    sure,
    /['"\])]\s{0,4}(?:or|and|\|)\s{0,4}(?:not\s{0,2}\(\s{0,2})?(?:count|name|local-name|string-length|position|last|substring|contains|starts-with|string|doc|text|node|true|boolean|normalize-space)\(/gi,
  ),
  row(
    'xpath/condition',
    strong,
    /['"]\s{0,4}[\])]?\s{0,4}(?:or|and)\s{1,4}(?:not\s{0,2}\(\s{0,2}['"]|\/{1,2}(?:\*|@\*|\w{1,24}::)|\.\.?\/\/?[*@\w])/gi,
  ),
  row('xpath/node-count', sure, /\bcount\s{0,4}\(\s{0,4}(?:\/|\.\.?\/|child::|parent::|\*[[/]|@\*)/gi),
  row(
    'xpath/name-probe',
    sure,
    /\b(?:substring|string-length|starts-with|contains|name|local-name|string)\s{0,4}\(\s{0,4}(?:(?:local-)?name\s{0,2}\(\s{0,2})?(?:\/{1,2}[\w*@]|\.\.?\/|\/\*|parent::|child::|(?:local-)?name\s{0,2}\()/gi,
  ),
  row(
    'xpath/union',
    sure,
    /['"\])]\s{0,4}\]?\s{0,4}\|\s{0,4}\/{1,2}[\w*@]|\|\s{0,4}\/{1,2}\*?(?:\w{1,32}|\*)?(?:\[|\/(?:\w|\*|@|text\()|$)/g,
    isNoShell,
  ),
  row(
    'xpath/node-test',
    strong,
    /\/{1,2}[\w*:.@-]{1,40}\s{0,2}\[\s{0,4}(?:@?\w{1,32}\s{0,4}(?:=|!=)|position\(|last\(|contains\(|starts-with\(|text\(\)|\d{1,4}\s{0,2}\]\s{0,2}\/)/gi,
    isLeading,
  ),
  row(
    'xpath/path',
    [0.6, 0.1, 0],
    /^['"\])\s]{0,6}(?:\/\/(?:\*|\w{1,24})(?:\/\w{1,24}){0,4}|\/\*(?:\[\d{1,3}\])?(?:\/\*(?:\[\d{1,3}\])?){1,8})\s{0,2}(?:\[|$|\/text\(|\/@|\/\*)/g,
    isNodes,
  ),
  row(
    'xpath/axis',
    strong,
    /\b(?:ancestor|ancestor-or-self|attribute|child|descendant|descendant-or-self|following|following-sibling|parent|preceding|preceding-sibling|self)::(?:node\s{0,2}\(|text\s{0,2}\(|\*|[a-z]\w{0,32}\s{0,4}(?:\[|\/|=|$|'|"))/gi,
    isNoCpp,
  ),
  row(
    'xpath/string-condition',
    sure,
    /['"]\s{0,4}\]?\s{0,4}(?:or|and)\s{0,4}(?:(?:local-)?name|text|node|position|last)\s{0,2}\(\s{0,2}\)\s{0,4}[!<>=]/gi,
  ),
  row(
    'xpath/document',
    likely,
    /(?:^|['"|\s(])(?:doc|document|collection|unparsed-text|doc-available|fn:doc|saxon:evaluate)\s{0,4}\(\s{0,4}(?:concat\s{0,2}\(\s{0,2})?['"](?:https?:|file:|ftp:|\/)/gi,
  ),
  row('xpath/comment', likely, /['"]\s{0,4}(?:or|and)\b[^\n]{0,48}\(:|\]\s{0,4}\(:/gi),
  row(
    'xpath/closed-predicate',
    likely,
    /(?:['"]|=\s{0,2}\d{1,6})\s{0,4}\]\s{0,4}(?:\/\/?\w|\/\*|\|\s{0,4}\/?|%00|\0)/g,
  ),
  row('xpath/xquery', strong, /\b(?:for|let)\s{1,4}\$\w{1,24}\s{1,4}(?:in|:=)\s{1,4}(?:doc|collection|fn:|\/\/)/gi),
]

/** `cat x | /bin/sh` is another family's. */
function isNoShell(text: string, _hint: Hint, start: number): boolean {
  return !/\|\s{0,4}\/(?:bin|usr|sbin|etc|tmp|dev|opt|var|home)\b/.test(text.slice(start, start + 24))
}

function isLeading(text: string, { role }: Hint, start: number): boolean {
  return role === 'identifier' || start < 24 || /['"\])|]\s{0,4}$/.test(text.slice(Math.max(0, start - 6), start))
}

/** A path of nodes, and no protocol-relative address, and no comment. */
function isNodes(text: string): boolean {
  return text.length < 80 && !/\.\w{2,12}(?:\/|$|:)|^\/\/\s|^\/\*\*/.test(text)
}

function isNoCpp(text: string, _hint: Hint, start: number): boolean {
  return !text.includes('std::') && text.charCodeAt(start - 1) !== 0x3a
}
