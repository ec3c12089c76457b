import { type Detector, type Hint, noSigns } from '../detector.ts'
import { sieve } from '../requirement.ts'
import { certain, likely, type Row, row, signsOf, strong, sure } from './rows.ts'

/** Pieces of search filters (RFC 4515 §3) that close the one they are put into, or are one where a name belongs (CWE-90). */
export const ldap: Detector = {
  family: 'ldap',
  scan: (text, hint, look) => (parenthesised(text, look) ? signsOf(rows, text, hint, look) : noSigns),
}

const parenthesised = sieve(/[()]|\*\||%2[89]|\\2[89a]/i)

const attribute = '[a-z][a-z0-9;.-]{0,40}'

const rows: readonly Row[] = [
  row('ldap/closed-negation', strong, /\)\s{0,4}\(\s{0,4}[!&|]\s{0,4}\(\s{0,4}[&|!]/g, isBreakOut),
  row('ldap/negation', strong, /\*\s{0,2}\)\s{0,2}[!&|]\s{0,2}\(\s{0,2}[a-z]/gi, isNoExpression),
  row(
    'ldap/closed-filter',
    sure,
    new RegExp(String.raw`\)\s{0,4}\(\s{0,4}(?:[|&!]\s{0,4}\(?\s{0,4})${attribute}\s{0,4}(?:[~<>]?=|:=)`, 'gi'),
    isBreakOut,
  ),
  row(
    'ldap/closed-value',
    strong,
    new RegExp(
      String.raw`(?:[\w*.@-]|^|['"])\)\s{0,4}\(\s{0,4}(?:${attribute}|\|)\s{0,2}(?:[~<>]?=|:=)\s{0,2}(?:\*|\(|[\w@.-]{1,40}\*?\s{0,2}(?:\)|$|\0|%00))`,
      'gi',
    ),
    isBreakOut,
  ),
  row(
    'ldap/wildcard-break',
    sure,
    /\*\s{0,4}\)\s{0,4}(?:\(|\)\s{0,4}(?:\(|%00|\0|$))|\*\s{0,2}\(\s{0,2}[|&]\s{0,2}\(|\*\)\s{0,2}[&|]|^\*\)$/g,
    isNoGlob,
  ),
  row(
    'ldap/operator',
    strong,
    new RegExp(String.raw`\(\s{0,4}[|&!]\s{0,4}\(\s{0,4}(?:[|&!]\s{0,4}\()?\s{0,4}${attribute}\s{0,4}[~<>]?=`, 'gi'),
    isFilter,
  ),
  row(
    'ldap/empty-operator',
    sure,
    /\)\s{0,2}\(\s{0,2}[|&]\s{0,2}\)|\(\s{0,2}[|&]\s{0,2}\)\s{0,4}(?:\)|%00|\0|\(|$)|\)\s{0,2}\(\s{0,2}[|&]\s{0,2}(?:\(|$)|\)\s{0,2}\(\s{0,2}\(\s{0,2}[|&!]/g,
    isNoCode,
  ),
  row(
    'ldap/directory-attribute',
    strong,
    /[(|&]\s{0,2}(?:objectclass|objectcategory|uid|cn|sn|mail|userpassword|samaccountname|userprincipalname|givenname|memberof|homedirectory|useraccountcontrol|member|department|password|pass|user|zone)\s{0,2}=\s{0,2}\*{1}\s{0,2}\)/gi,
  ),
  row(
    'ldap/dangling',
    likely,
    /\)\s{0,2}\(\s{0,2}(?:cn|uid|sn|mail|ou|dc|objectclass|objectcategory|userpassword|password|memberof|samaccountname|userprincipalname|useraccountcontrol|givenname|department|homedirectory)\s{0,2}=|\|\s{0,2}\(\s{0,2}(?:cn|uid|mail|objectclass)\s{0,2}=/gi,
  ),
  row('ldap/null', certain, /\*\)\){0,3}(?:%00|\0)|\)\s{0,2}\)(?:%00|\0)/g),
  row('ldap/escaped', strong, /\\28[|&!]?\\28|\\2a\\29|\\29\\28|\*\\29/gi),
]

/** `f(a)(b=1)` is a call of what a call returned; a filter has no semicolons, arrows or braces around it. */
function isNoCode(text: string, { role }: Hint): boolean {
  return role === 'identifier' || role === 'name' || !/[;{}]|=>|\bdef\b|\n/.test(text)
}

/** A regular expression has stars, brackets and bars as well, and classes of characters besides. */
function isNoExpression(text: string): boolean {
  return !/\[\^|\[[\w-]{1,8}-|\(\?[:=!<]|\\[dws]/.test(text)
}

/** A filter as a whole, or a piece of one that came first: in the middle of a sentence it is told about. */
function isFilter(_text: string, { role }: Hint, start: number): boolean {
  return role === 'identifier' || role === 'name' || start < 40
}

/** It closes what it did not open: the filter that it is put into did. */
function isBreakOut(text: string, hint: Hint, start: number): boolean {
  if (!isNoCode(text, hint)) return false
  let open = 0
  for (let at = Math.max(0, start - lookedBack); at <= start; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x28) open++
    else if (code === 0x29 && at < start) open = Math.max(0, open - 1)
  }
  return open === 0
}

const lookedBack = 200

/** `(*.ts)(?!*.d.ts)`, and pointers to functions: stars of others. */
function isNoGlob(text: string, hint: Hint, start: number): boolean {
  return (
    isBreakOut(text, hint, text.indexOf(')', start)) &&
    text.charCodeAt(start - 1) !== 0x2f &&
    text.charCodeAt(start - 1) !== 0x2e &&
    !/\*{2}/.test(text.slice(Math.max(0, start - 2), start + 3))
  )
}
