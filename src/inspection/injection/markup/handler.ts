import { withoutReferences } from '../../decode/html.ts'
import { events } from './names.ts'
import { scriptSign } from './script.ts'
import type { Setting } from './setting.ts'
import { activeAddress } from './url.ts'

/** How sure it is that an attribute `on…` of a tag runs a script, or nothing where it is no such attribute. */
export function handlerWeight(
  { name, written, value }: { readonly name: string; readonly written: string; readonly value: string },
  element: string,
  among: boolean,
): number | undefined {
  const event = eventOf(name)
  if (event === undefined) return undefined
  const known = events.has(event)
  const code = withoutReferences(value.slice(0, valueMax))
  if (camelCase.test(written) && code.startsWith('{')) return jsx(code, among)
  const like = likeOf(code)
  if (!among) return (known ? aloneKnown : aloneUnknown)[like]
  if (like === 'script' && known && pressed.has(event) && controls.has(element)) return 0.45
  return (known ? amongKnown : amongUnknown)[like]
}

/**
 * The surest `on…=` outside tags: what follows a value that leaves the quotes of an attribute (`" onfocus=…`), or that stands in
 * an attribute without quotes.
 */
export function looseHandler(
  text: string,
  { among }: Setting,
): { weight: number; start: number; end: number } | undefined {
  let best: { weight: number; start: number; end: number } | undefined
  let seen = 0
  for (const hit of text.matchAll(loose)) {
    const start = hit.index
    if (!isBoundary(text.charCodeAt(start - 1))) continue
    const event = hit[1]?.toLowerCase() ?? ''
    const end = start + hit[0].length
    const weight = ++seen > seenMax ? 0.6 : looseWeight(text, start, end, event, among)
    if (weight > (best?.weight ?? 0)) best = { weight, start, end }
    if (weight >= 0.9 || seen > seenMax) break
  }
  return best
}

const loose = /on([a-z]{3,40})[^\w=<>"'`]{0,24}[\s\0/]{0,16}=(?![=>])/gi

/** So many are looked at; a value that holds more is no honest one. */
const seenMax = 500
const valueMax = 4_096

type Like = 'script' | 'code' | 'word' | 'flag' | 'nothing'

const aloneKnown: Readonly<Record<Like, number>> = { script: 0.97, code: 0.9, word: 0.75, flag: 0.15, nothing: 0.6 }
const aloneUnknown: Readonly<Record<Like, number>> = { script: 0.93, code: 0.75, word: 0.25, flag: 0.05, nothing: 0.2 }
const amongKnown: Readonly<Record<Like, number>> = { script: 0.82, code: 0.35, word: 0.2, flag: 0.05, nothing: 0.1 }
const amongUnknown: Readonly<Record<Like, number>> = { script: 0.7, code: 0.2, word: 0.05, flag: 0.02, nothing: 0.02 }

/** What pages that are written about press, and where: a tutorial's `<button onclick="alert('hello')">`. */
const pressed: ReadonlySet<string> = new Set(['click', 'change', 'submit', 'input', 'keyup', 'keydown'])
const controls: ReadonlySet<string> = new Set(['button', 'input', 'select', 'form', 'textarea', 'label', 'li'])

const camelCase = /^on[A-Z]/

/** What begins the name, for older browsers passed over what is no letter behind it. */
function eventOf(name: string): string | undefined {
  return /^on([a-z]{3,40})(?![\w-])/.exec(name)?.[1]
}

function likeOf(code: string): Like {
  if (code.trim() === '') return 'nothing'
  if (flag.test(code)) return 'flag'
  if ((scriptSign(code)?.alone ?? 0) >= 0.5 || activeAddress(code) === 'script') return 'script'
  return /[(`=;]/.test(code) ? 'code' : 'word'
}

/** `<shop online="true">` */
const flag = /^\s{0,8}["']?(?:true|false|yes|no|off|\d{1,9})(?:["'\s>]|\/>|$)/i

/** JSX in the place of HTML: a brace that is not closed before the value ends does not compile, and a name alone does nothing. */
function jsx(code: string, among: boolean): number {
  if (among) return 0.05
  if (code.split('{').length !== code.split('}').length || !/[(`=]/.test(code)) return 0.15
  return 0.55
}

function looseWeight(text: string, start: number, end: number, event: string, among: boolean): number {
  const known = events.has(event)
  const before = text.slice(Math.max(0, start - 24), start)
  const leaves = /["'`][\s/]{0,16}$/.test(before)
  const rest = text.slice(end, end + 240)
  if (camelCase.test(text.slice(start, start + 3)) && rest.startsWith('{'))
    return jsx(rest.slice(0, rest.search(/[\s>]|$/)), among)
  const like = likeOf(withoutReferences(rest))
  if (among) {
    if (like !== 'script') return 0.05
    return known && leaves && !/=\s?["'][^"']{0,20}["'][\s/]{0,16}$/.test(before) ? 0.6 : 0.35
  }
  if (like === 'script') return known || leaves ? 0.92 : 0.6
  if (known && like === 'code') return leaves ? 0.85 : 0.6
  if (like === 'flag') return 0.1
  if (known) return leaves || text.length <= shortMax ? 0.58 : 0.3
  return leaves && like === 'code' ? 0.6 : 0.1
}

const shortMax = 60

function isBoundary(code: number): boolean {
  return (
    Number.isNaN(code) ||
    code <= 0x20 ||
    code === 0x22 ||
    code === 0x27 ||
    code === 0x60 ||
    code === 0x2f ||
    code === 0x3b
  )
}
