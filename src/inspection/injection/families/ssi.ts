import { type Detector, noSigns } from '../detector.ts'
import { sieve } from '../requirement.ts'
import { certain, likely, type Row, row, signsOf, sure } from './rows.ts'

/** Directives that a server or a cache in front of it acts upon: server-side includes, and ESI (CWE-97). */
export const ssi: Detector = {
  family: 'ssi',
  scan: (text, hint, look) => (directive(text, look) ? signsOf(rows, text, hint, look) : noSigns),
}

const directive = sieve(/<!--\s{0,8}#|<esi:|<!--esi|surrogate-control/i)

const rows: readonly Row[] = [
  row('ssi/exec', certain, /<!--\s{0,8}#\s{0,4}exec\s{1,8}\\{0,3}(?:cmd|cgi)\s{0,4}=/gi),
  row(
    'ssi/directive',
    sure,
    /<!--\s{0,8}#\s{0,4}(?:echo|include|config|printenv|set|flastmod|fsize|if|odbc|email)\b[^>]{0,80}/gi,
  ),
  row(
    'ssi/esi',
    sure,
    /<esi:(?:include|inline|debug|vars|remove|try|assign|eval|when|choose|comment|function)\b|<!--esi\b/gi,
  ),
  row('ssi/surrogate', likely, /\bsurrogate-control\s{0,4}:\s{0,4}[^\n]{0,40}ESI\//gi),
]
