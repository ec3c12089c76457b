import type { Hint } from '../detector.ts'

/** What a text is, as far as its look tells: a value of its own, or something that people wrote, in which markup may be the subject. */
export interface Setting {
  readonly among: boolean
  /** Whether a place stands in what Markdown marks as code. Only of texts that people wrote. */
  quoted(at: number): boolean
}

/** In what Markdown marks as code, markup is shown and not read. */
export const quotedShare = 0.4

export function settingOf(text: string, { role, in: part }: Hint): Setting {
  if (role === 'identifier' || role === 'name') return alone
  if (!isLong(text, role === 'prose')) return alone
  const markdown = (part === 'body' || part === 'answer') && (text.includes('`') || text.includes('~~~'))
  const spans = markdown ? codeSpans(text) : []
  return { among: true, quoted: (at) => isWithin(spans, at) }
}

const alone: Setting = { among: false, quoted: () => false }

/** Words that follow each other, or lines. A field that is known to hold prose needs fewer of them. */
function isLong(text: string, prose: boolean): boolean {
  let lines = 0
  for (let at = 0; at !== -1 && lines < linesEnough; ) {
    const newline = text.indexOf('\n', at + 1)
    if ((newline === -1 ? text.length : newline) - at > lineMin) lines++
    at = newline
  }
  if (lines >= (prose ? 2 : linesEnough)) return true
  const tokens = text.slice(0, lookedAt).split(/\s+/)
  let words = 0
  for (const token of tokens) if (word.test(token)) words++
  return words >= 4 && words * 2 >= tokens.length
}

const linesEnough = 3
/** A tag may be broken into lines too, one for each attribute. */
const lineMin = 12
const lookedAt = 4_096
const word = /^[("'*_]?\p{L}[\p{L}’'-]{0,40}["')*_]?[,.;:!?]?$/u

type Span = readonly [start: number, end: number]

/** Fenced blocks and code spans of Markdown (CommonMark §4.5, §6.1); a span ends on the line it began. */
function codeSpans(text: string): readonly Span[] {
  const spans: Span[] = []
  let fence: { readonly mark: string; readonly start: number } | undefined
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start)
    const end = newline === -1 ? text.length : newline
    const mark = fenceOf(text, start)
    if (fence !== undefined) {
      if (mark === fence.mark) {
        spans.push([fence.start, end])
        fence = undefined
      }
    } else if (mark !== undefined) fence = { mark, start }
    else inlineSpans(text, start, end, spans)
    start = end + 1
  }
  if (fence !== undefined) spans.push([fence.start, text.length])
  return spans
}

function fenceOf(text: string, start: number): string | undefined {
  let at = start
  while (at < start + 12 && text.charCodeAt(at) === 0x20) at++
  const mark = text.slice(at, at + 3)
  return mark === '```' || mark === '~~~' ? mark : undefined
}

function inlineSpans(text: string, start: number, end: number, spans: Span[]): void {
  let open = -1
  for (let at = start; at < end; at++) {
    if (text.charCodeAt(at) !== backtick) continue
    if (open === -1) open = at
    else {
      if (at > open + 1) spans.push([open, at])
      open = -1
    }
  }
}

const backtick = 0x60

function isWithin(spans: readonly Span[], at: number): boolean {
  let low = 0
  let high = spans.length
  while (low < high) {
    const middle = (low + high) >> 1
    const span = spans[middle]
    if (span === undefined || span[1] >= at) high = middle
    else low = middle + 1
  }
  const span = spans[low]
  return span !== undefined && span[0] <= at
}
