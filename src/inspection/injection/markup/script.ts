import { withoutComments } from './comments.ts'

/** JavaScript that is no text by accident: how sure, in a value of its own and within a text that people wrote. */
export interface ScriptSign {
  readonly alone: number
  readonly among: number
  readonly start: number
  readonly end: number
}

/**
 * The surest signs of a script that runs without a tag: a value that is put between the quotes of one, an event handler, an
 * address. Looks at the text, and at what it is once comments, escapes and joined strings are read as a script's reader does.
 */
export function scriptSign(text: string): ScriptSign | undefined {
  const plain = look(text)
  const read = readScript(text)
  if (read === text) return plain
  const hidden = look(read)
  if (hidden === undefined) return plain
  if (plain !== undefined && plain.alone >= hidden.alone && plain.among >= hidden.among) return plain
  return {
    alone: Math.max(hidden.alone, plain?.alone ?? 0),
    among: Math.max(hidden.among, plain?.among ?? 0),
    start: 0,
    end: text.length,
  }
}

function look(text: string): ScriptSign | undefined {
  let best: ScriptSign | undefined
  anchor.lastIndex = 0
  for (let hit = anchor.exec(text); hit !== null; hit = anchor.exec(text)) {
    const word = hit[0]
    const at = hit.index
    for (const form of forms.get(word) ?? []) {
      form.as.lastIndex = at
      const match = form.as.exec(text)
      if (match === null || form.unless?.(text, at, match[0]) === true) continue
      best = surer(best, weighed(form, text, at, at + match[0].length))
    }
  }
  for (const { needs, as, alone, among } of unanchored) {
    if (!needs.some((piece) => text.includes(piece))) continue
    const match = as.exec(text)
    if (match === null) continue
    best = surer(best, { alone, among, start: match.index, end: match.index + match[0].length })
  }
  return surer(best, jsFuck(text))
}

function surer(a: ScriptSign | undefined, b: ScriptSign | undefined): ScriptSign | undefined {
  if (a === undefined || b === undefined) return a ?? b
  if (a.alone >= b.alone && a.among >= b.among) return a
  const { start, end } = b.alone > a.alone ? b : a
  return { alone: Math.max(a.alone, b.alone), among: Math.max(a.among, b.among), start, end }
}

interface Form {
  readonly words: readonly string[]
  /** Sticky, and matched from the word on. */
  readonly as: RegExp
  readonly alone: number
  readonly among: number
  readonly unless?: (text: string, at: number, match: string) => boolean
}

function weighed({ alone, among }: Form, text: string, start: number, end: number): ScriptSign {
  if (alone >= 0.45 && leavesString(text, start))
    return { alone: Math.max(alone, 0.92), among: Math.max(among, 0.6), start, end }
  return { alone, among, start, end }
}

/** Whether what stands before is a quote that the text itself never opened, and an operator: `';`, `"-`, `')+`. */
function leavesString(text: string, at: number): boolean {
  const found = leaving.exec(text.slice(Math.max(0, at - 16), at))
  if (found === null) return false
  const quote = found[0].charAt(0)
  const first = text.slice(0, quotesEarly).indexOf(quote)
  return first !== -1 && first >= at - found[0].length
}

const leaving = /['"`][\s)}\]]{0,4}[;,+\-*%&|^~?:]{1,2}[\s(!+\-~]{0,4}(?:[\w$]{1,8}[.=])?$/
const quotesEarly = 4_096

/** Whether it is a member of something that is not the global object: `dialog.prompt(`. */
function isMember(text: string, at: number): boolean {
  return text.charCodeAt(at - 1) === 0x2e && !globalBefore.test(text.slice(Math.max(0, at - 16), at))
}

/** Whether it is a member of anything. */
function isMemberOfAny(text: string, at: number): boolean {
  return text.charCodeAt(at - 1) === 0x2e
}

function isNoMember(text: string, at: number): boolean {
  const before = text.charAt(at - 1)
  return before !== '.' && before !== '"' && before !== "'" && before !== '`' && before !== '['
}

const globalBefore = /(?:^|[^\w$])(?:window|self|top|parent|this|globalThis|frames|document|defaultView)\??\.$/

const proofs = ['alert', 'confirm', 'prompt']
const globals = ['window', 'self', 'top', 'parent', 'frames', 'globalThis', 'this', 'document', 'location']
const timers = ['setTimeout', 'setInterval', 'setImmediate', 'execScript']

const table: readonly Form[] = [
  // what shows that a script runs
  {
    words: proofs,
    as: /[a-z]+\s{0,2}(?:\?\.)?\(\s{0,8}(?:\d|[-+!~/`'"[]|\)(?!\s{0,4}\{)|document\b|location\b|window\b|self\b|top\b|origin\b|this\b|String\b|cookie\b|name\b|navigator\b|domain\b|\w{1,12}\.(?:cookie|domain|origin))/y,
    alone: 0.88,
    among: 0.3,
    unless: isMember,
  },
  { words: proofs, as: /[a-z]+\(\s{0,4}[\w$]/y, alone: 0.6, among: 0.1, unless: isMember },
  { words: proofs, as: /[a-z]+(?:\?\.)?`[^\s`,.;:)]?[^`\n]{0,80}`/y, alone: 0.85, among: 0.3, unless: isMember },
  {
    words: proofs,
    as: /[a-z]+\s{0,2}\.\s{0,2}(?:call|apply|bind)\s{0,2}[(`]/y,
    alone: 0.8,
    among: 0.2,
    unless: isMember,
  },
  { words: ['print'], as: /print(?:\(\s?\)|``)/y, alone: 0.5, among: 0.02, unless: isMember },
  // and by another name
  {
    words: [...proofs, 'eval'],
    as: /[a-z]+\s{0,2}[)\]]{1,3}\s{0,2}[(`]/y,
    alone: 0.85,
    among: 0.3,
    unless: (text, at) => !/[([,]\s{0,2}$/.test(text.slice(Math.max(0, at - 4), at)),
  },
  {
    words: [...proofs, 'eval'],
    as: /[a-z]+\s{0,2}\)?\s{0,2}[;,]\s{0,4}[\w$]{1,20}\s{0,3}[(`]/y,
    alone: 0.85,
    among: 0.3,
    unless: (text, at) => !/=\s{0,2}\(?$/.test(text.slice(Math.max(0, at - 4), at)),
  },
  {
    words: [...proofs, 'eval'],
    as: /[a-z]+\s{0,2}[,)\]]/y,
    alone: 0.85,
    among: 0.35,
    unless: (text, at) =>
      !/(?:\.(?:map|find|findIndex|some|every|filter|forEach|sort|reduce|replace|from|then|apply|call)|setTimeout|Reflect\.apply)\((?:[^()\n]{0,8},)?\s{0,2}$/.test(
        text.slice(Math.max(0, at - 32), at),
      ),
  },
  {
    words: ['onerror', 'valueOf', 'toString', 'onload', 'hasInstance'],
    as: /[a-zA-Z]+\s{0,3}\]?\s{0,3}=\s{0,3}\[?(?:alert|confirm|prompt|eval|Function|setTimeout|console|location|import)\b/y,
    alone: 0.92,
    among: 0.5,
  },
  // text that becomes a script
  { words: ['eval'], as: /eval(?:\?\.)?(?:\(|`[^`\n]{1,200}`)/y, alone: 0.72, among: 0.15, unless: isMember },
  { words: timers, as: /[a-zA-Z]+\s{0,2}(?:\(\s{0,4}['"`]|`)/y, alone: 0.78, among: 0.25, unless: isMember },
  { words: ['Function'], as: /Function\s{0,3}(?:\(\s{0,4}['"`]|`)/y, alone: 0.78, among: 0.25 },
  { words: ['constructor'], as: /constructor\s{0,3}(?:\(|`)/y, alone: 0.8, among: 0.25, unless: isNoMember },
  {
    words: ['constructor'],
    as: /constructor['"`]?\s{0,3}\]?\s{0,3}(?:\.\s{0,3}|\[\s{0,3}['"`]?)constructor/y,
    alone: 0.93,
    among: 0.5,
  },
  {
    words: ['constructor'],
    as: /constructor['"`]\s{0,3}\]\s{0,3}(?:\(|`|\[)/y,
    alone: 0.9,
    among: 0.4,
    unless: isNoMember,
  },
  // members of the page under a computed name
  {
    words: globals,
    as: /[a-zA-Z]+\s{0,3}(?:\?\.)?\[\s{0,3}(?:['"`/([!+~\d]|atob|String)[^\n]{0,160}?\]\s{0,3}(?:\?\.)?[(`=]/y,
    alone: 0.85,
    among: 0.2,
    unless: isMemberOfAny,
  },
  {
    words: [...proofs, 'eval', 'cookie', 'write'],
    as: /[a-z]+["'`]\s{0,3}[^\w\n]{0,12}\](?:\s{0,3}[(`=]|$)/y,
    alone: 0.8,
    among: 0.2,
    unless: (text, at) => !/["'`]/.test(text.charAt(at - 1)),
  },
  // what a script is after
  {
    words: ['document'],
    as: /document\s{0,2}\??\.\s{0,2}cookie\b/y,
    alone: 0.65,
    among: 0.15,
    unless: (text, at) => !/[(=;+,'"`<>[]/.test(text.slice(Math.max(0, at - 64), at + 80)),
  },
  {
    words: ['document'],
    as: /document\.cookie[^\n]{0,120}(?:fetch|location|Image|\.src|sendBeacon|open\()/y,
    alone: 0.9,
    among: 0.3,
  },
  { words: ['document'], as: /document\s{0,2}\.\s{0,2}write(?:ln)?\s{0,2}(?:\(|`|\.call)/y, alone: 0.75, among: 0.15 },
  {
    words: ['document'],
    as: /document\.(?:domain|URL|referrer|location|baseURI|documentURI)\b/y,
    alone: 0.5,
    among: 0.05,
  },
  {
    words: ['document'],
    as: /document\s{0,2}\.\s{0,2}(?:querySelector(?:All)?|getElement[A-Za-z]{3,14}|createElement|execCommand|open|body|head|forms|scripts|documentElement|implementation|defaultView|all)\b[^\n]{0,80}?(?:[^=!<>]=[^=>]|\)\.[a-z])/y,
    alone: 0.55,
    among: 0.05,
  },
  {
    words: ['location'],
    as: /location(?:\.(?:href|hash|search|pathname))?\s{0,3}=(?![=>])\s{0,3}(?:['"`]|\/\/|javascript|name\b|hash\b|document\b|window\b|[a-z]{1,8}\s?[;)+])/y,
    alone: 0.65,
    among: 0.08,
  },
  { words: ['location'], as: /location\.(?:replace|assign)\s{0,2}[(`]/y, alone: 0.7, among: 0.08 },
  {
    words: ['location'],
    as: /location\.(?:hash|search|href)\.(?:slice|substr|substring|split)\b/y,
    alone: 0.6,
    among: 0.08,
  },
  { words: ['import'], as: /import\s{0,3}\(\s{0,3}['"`](?:\/\/|https?:|data:|blob:)/y, alone: 0.85, among: 0.2 },
  { words: ['fetch'], as: /fetch\s{0,2}[(`]\s{0,3}['"`]?\/\//y, alone: 0.75, among: 0.2 },
  {
    words: ['fetch', 'Image', 'sendBeacon', 'WebSocket', 'src', 'open'],
    as: /[a-zA-Z]+\b[^\n]{0,160}?(?:document\s{0,2}\.\s{0,2}(?:cookie|domain)|localStorage|sessionStorage)/y,
    alone: 0.9,
    among: 0.45,
  },
  { words: ['Image'], as: /Image\s{0,2}(?:\(\s{0,2}\))?\s{0,2}\.src\s{0,2}=/y, alone: 0.7, among: 0.2 },
  { words: ['sendBeacon', 'getScript', 'globalEval'], as: /[a-zA-Z]+\s{0,2}[(`]/y, alone: 0.65, among: 0.1 },
  // and what it is made with
  { words: ['fromCharCode'], as: /fromCharCode\s{0,2}(?:\(|`|\.(?:call|apply))/y, alone: 0.75, among: 0.15 },
  { words: ['atob', 'unescape'], as: /[a-z]+\s{0,2}[(`]\s{0,2}['"`]/y, alone: 0.55, among: 0.05 },
  { words: ['innerHTML', 'outerHTML'], as: /[a-zA-Z]+\s{0,3}\+?=(?!=)/y, alone: 0.62, among: 0.1 },
  { words: ['textContent'], as: /textContent\s{0,3}=\s{0,3}['"`]/y, alone: 0.5, among: 0.02 },
  { words: ['insertAdjacentHTML'], as: /insertAdjacentHTML\s{0,2}[(`]/y, alone: 0.62, among: 0.1 },
  { words: ['throw'], as: /throw\s{0,8}(?:\/\*|onerror|\[?onerror)/y, alone: 0.9, among: 0.4 },
  { words: ['with'], as: /with\s{0,3}\(\s{0,3}(?:document|location|window|self|top|`)/y, alone: 0.85, among: 0.3 },
  { words: ['Reflect'], as: /Reflect\.\w{1,20}(?:\.\w{1,10})?\s{0,2}[(`]/y, alone: 0.55, among: 0.05 },
  { words: ['MsgBox'], as: /MsgBox[\s(]{1,3}["'\d]/y, alone: 0.75, among: 0.2 },
]

const forms = new Map<string, Form[]>()
for (const form of table) {
  for (const word of form.words) {
    const known = forms.get(word)
    if (known === undefined) forms.set(word, [form])
    else known.push(form)
  }
}

const anchor = new RegExp(`\\b(?:${[...forms.keys()].join('|')})\\b`, 'g')

const unanchored: readonly {
  /** Each match holds one of them: looking for that first is quicker. */
  readonly needs: readonly string[]
  readonly as: RegExp
  readonly alone: number
  readonly among: number
}[] = [
  { needs: [')'], as: /\)\s?\[\s?["'`][^"'`\n]{1,80}["'`]\s?\]\s?[(`]/, alone: 0.5, among: 0.05 },
  { needs: ['$=~'], as: /\$=~\[\];/, alone: 0.9, among: 0.7 }, // jjencode
  { needs: ['ﾟ'], as: /ﾟωﾟ\s?ﾉ|\(ﾟДﾟ\)\s?\[/, alone: 0.9, among: 0.7 }, // aaencode
  {
    needs: ['+', '.concat'],
    as: /\b(?:al|pro|con|ev)['"`]\s{0,3}(?:\+|\.concat)[^\n]{0,24}['"`](?:ert|rt|mpt|firm|al)['"`]/,
    alone: 0.9,
    among: 0.5,
  },
]

/** Scripts of six characters, `[]()!+`. */
function jsFuck(text: string): ScriptSign | undefined {
  if (!text.includes('[]')) return undefined
  for (const run of text.matchAll(sixCharacters)) {
    if (run[0].split('[]').length < 4 || !/[!+]/.test(run[0])) continue
    return { alone: 0.95, among: 0.8, start: run.index, end: run.index + run[0].length }
  }
  return undefined
}

const sixCharacters = /[[\]()!+]{16,4096}/g

/** Without comments, with escapes decoded, and with strings joined that are joined by `+` (ECMA-262 §12.4, §12.9.4). */
function readScript(text: string): string {
  const escaped = text.includes('\\')
  const comments = text.includes('/*')
  if (!escaped && !comments && !joined.test(text)) return text
  const bare = comments ? withoutComments(text) : text
  const decoded = escaped ? bare.replace(escaping, decodeEscape) : bare
  return decoded.replace(joint, '')
}

const joined = /['"`]\s{0,8}\+\s{0,8}['"`]/
const joint = /['"`]\s{0,8}\+\s{0,8}['"`]/g
const escaping = /\\(?:u\{0{0,8}([0-9a-fA-F]{1,4})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-3]?[0-7]{2})|\r?\n)/g

function decodeEscape(_: string, braced?: string, four?: string, two?: string, octal?: string): string {
  if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8))
  const hex = braced ?? four ?? two
  return hex === undefined ? '' : String.fromCharCode(Number.parseInt(hex, 16))
}
