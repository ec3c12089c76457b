import { type Detector, type Hint, noSigns } from '../detector.ts'
import { sieve } from '../requirement.ts'
import { certain, likely, type Row, row, signsOf, strong, sure, weak } from './rows.ts'

/** Names that reach from an object to what all objects are made after (CWE-1321). */
export const prototype: Detector = {
  family: 'prototype',
  structure: true,
  scan: (text, hint, look) =>
    telling(text, look) ? signsOf(hint.role === 'name' ? nameRows : rows, text, hint, look) : noSigns,
}

const telling = sieve(/__proto__|prototype|constructor|__(?:define|lookup)/i)

const nameRows: readonly Row[] = [
  row('prototype/proto-name', certain, /__proto__/g),
  row('prototype/constructor-name', certain, /\bconstructor(?:\]?\[['"]?prototype|\.prototype|\/prototype)/g),
  row('prototype/accessor-name', sure, /__(?:define|lookup)(?:Getter|Setter)__/g),
  row('prototype/constructor-member', certain, /^prototype$/g, (_text, { at }) =>
    at.endsWith('/constructor/prototype'),
  ),
  row('prototype/lone-name', weak, /^(?:constructor|prototype)$/g),
]

const rows: readonly Row[] = [
  row('prototype/member', [0.9, 0.5, 0.05], /[{,]\s{0,8}\\{0,3}["']__proto__\\{0,3}["']\s{0,8}:/g, isShort),
  row(
    'prototype/assignment',
    sure,
    /(?:^|[&?#.\w\]])(?:\[\s{0,2}['"]?__proto__['"]?\s{0,2}\]|__proto__|\.__proto__)\s{0,2}(?:\[\s{0,2}['"]?[\w$-]{1,40}['"]?\s{0,2}\]|\.[\w$]{1,40})\s{0,4}(?:=|$|&)/g,
    isShort,
  ),
  row(
    'prototype/constructor-path',
    strong,
    /\bconstructor\s{0,2}(?:\]\s{0,2}\[|\[)\s{0,2}['"]?prototype['"]?\s{0,2}\]|\bconstructor\.prototype(?:\.|\[)[\w$'"]{1,40}\]?\s{0,4}(?:=|$|&)/g,
    isShort,
  ),
  row(
    'prototype/constructor-member',
    strong,
    /["']constructor\\{0,3}["']\s{0,8}:\s{0,8}\{\s{0,8}\\{0,3}["']prototype/g,
  ),
  row('prototype/whole', strong, /^\s{0,4}(?:[\w$.-]{0,40}[.[/])?__proto__(?:[\].[/][\w$.\]-]{0,40})?\s{0,4}$/g),
  row('prototype/object', likely, /\bObject\.prototype\.(?:__|constructor|toString\s{0,2}=|polluted)/g, isShort),
]

function isShort(text: string, _hint: Hint): boolean {
  return text.length < 1000
}
