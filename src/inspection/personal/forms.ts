import { type Surroundings, wordsPattern } from './context.ts'
import {
  endsAfter,
  endsBefore,
  type IdRule,
  isDigit,
  isLetter,
  isSpace,
  type RunFinder,
  type Sighting,
} from './rule.ts'

/** One finder for many rules: a run is held only against the forms that begin with one like it. */
export function formFinder(rules: readonly IdRule[]): RunFinder {
  const forms = rules.flatMap(formsOf)
  const byNumber: (readonly Form[])[] = []
  const byShape = new Map<string, Form[]>()
  const byLength: Form[][] = []
  for (const form of forms) {
    const head = form.template.slice(form.offset).match(/^[A-Zadx]+/)?.[0] ?? ''
    if (head.includes('x')) (byLength[head.length] ??= []).push(form)
    else {
      const shape = shapeOf(head.replace(/[A-Z]/g, 'a').replaceAll('d', '0'), 0, head.length)
      byShape.set(shape, [...(byShape.get(shape) ?? []), form])
      if (/^d+$/.test(head)) byNumber[head.length] = byShape.get(shape) as Form[]
    }
  }
  return {
    kinds: [...new Set(rules.map(({ kind }) => kind))],
    find(around, run) {
      const { text } = around
      const length = run.end - run.start
      if (length > runMax) return undefined
      const exact = run.isNumber ? byNumber[length] : byShape.get(shapeOf(text, run.start, run.end))
      const one = exact === undefined ? undefined : bestOf(around, run.start, exact)
      const loose = byLength[length]
      const other = loose === undefined ? undefined : bestOf(around, run.start, loose)
      return better(one, other)
    },
  }
}

/** Of two that were found in one place, the longer, and of equals the surer. */
export function better(one: Sighting | undefined, other: Sighting | undefined): Sighting | undefined {
  if (one === undefined) return other
  if (other === undefined) return one
  const difference = other.end - other.start - (one.end - one.start)
  return difference > 0 || (difference === 0 && other.confidence > one.confidence) ? other : one
}

interface Form {
  readonly rule: IdRule
  readonly template: string
  /** Where in it the first run with a digit begins. */
  readonly offset: number
  readonly need: 'nothing' | 'alone' | 'told'
  readonly words: RegExp
}

/** No form begins with a longer run. */
const runMax = 20

function formsOf(rule: IdRule): Form[] {
  const words = wordsPattern(rule.words)
  const of = (templates: readonly string[] | undefined, need: Form['need']): Form[] =>
    (templates ?? []).flatMap((written) =>
      (written.includes('~') ? ['', ' ', '-', '.'] : ['']).map((separator) => {
        const template = written.replaceAll('~', separator)
        return { rule, template, offset: template.search(/[A-Zadx]*[dx]/), need, words }
      }),
    )
  return [...of(rule.sure, 'nothing'), ...of(rule.alone, 'alone'), ...of(rule.told, 'told')]
}

function bestOf(around: Surroundings, start: number, forms: readonly Form[]): Sighting | undefined {
  let best: Sighting | undefined
  for (const form of forms) best = better(best, sighting(around, start, form))
  return best
}

function sighting(around: Surroundings, runAt: number, form: Form): Sighting | undefined {
  const { rule, template, need, words } = form
  const { text } = around
  const start = runAt - form.offset
  const end = start + template.length
  if (start < 0 || !fits(text, start, template)) return undefined
  if (!endsBefore(text, start) || !endsAfter(text, end)) return undefined
  const written = text.slice(start, end)
  if (template.includes(' ') && isInRow(text, start, end)) return undefined
  const compact = written.replace(/[^0-9A-Za-z]/g, '').toUpperCase()
  if (rule.check?.(compact) === false) return undefined
  const told = around.tells(words, start, end)
  if (!told && need === 'told') return undefined
  if (!told && need === 'alone' && /0{5}$/.test(compact)) return undefined
  // Identifiers are written in capitals; words of programs are not.
  const asked = need === 'alone' || written !== written.toUpperCase()
  if (!told && asked && !around.isAlone()) return undefined
  const confidence = told ? 0.95 : need === 'nothing' ? 0.8 : 0.6
  return { kind: rule.kind, rule: rule.rule, start, end, confidence }
}

/** Whether groups of digits go on to one side: then these are no number of their own. */
function isInRow(text: string, start: number, end: number): boolean {
  return (
    (start > 1 && isSpace(text.charCodeAt(start - 1)) && isDigit(text.charCodeAt(start - 2))) ||
    (isSpace(text.charCodeAt(end)) && isDigit(text.charCodeAt(end + 1)))
  )
}

function fits(text: string, start: number, template: string): boolean {
  if (start + template.length > text.length) return false
  for (let at = 0; at < template.length; at++) {
    const code = text.charCodeAt(start + at)
    switch (template.charCodeAt(at)) {
      case 0x64: // d
        if (!isDigit(code)) return false
        break
      case 0x61: // a
        if (!isLetter(code)) return false
        break
      case 0x78: // x
        if (!isDigit(code) && !isLetter(code)) return false
        break
      case 0x20:
        if (!isSpace(code)) return false
        break
      default:
        if (code !== template.charCodeAt(at)) return false
    }
  }
  return true
}

/** `AB12C` → `2a2d1a`. */
function shapeOf(text: string, start: number, end: number): string {
  let shape = ''
  for (let at = start; at < end; ) {
    const from = at
    const digit = isDigit(text.charCodeAt(at))
    while (at < end && isDigit(text.charCodeAt(at)) === digit) at++
    shape += `${at - from}${digit ? 'd' : 'a'}`
  }
  return shape
}
