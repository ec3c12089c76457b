import type { RuleSign } from './rules.ts'
import type { Channel } from './sign.ts'

/** What a text looks like where nobody says: a record, a table or a letter is data; everything else is asked. */
export function channelOf(text: string): Channel {
  const head = text.slice(0, 400).trimStart()
  const first = head.charCodeAt(0)
  if (isRecord(head, first) || first === 0x7c) return 'tool-result'
  return /^(?:subject|from|to|email_from|date|return-path|received|http\/1\.[01])\b ?:|^(?:hi|hello|dear|hey) [\w. ]{1,30},\s|^<(?:!doctype|html|div|p)\b/i.test(
    head,
  )
    ? 'tool-result'
    : 'ask'
}

/** JSON, or what Python prints of it, also as a text in quotes. */
function isRecord(head: string, first: number): boolean {
  const inside = first === 0x22 ? head.slice(1) : head
  return /^[[{]\s{0,40}(?:[[{]\s{0,40})?['"\\]/.test(inside)
}

/**
 * A sentence among the rows of a table, or below one that ends the text. Rows are data, and a sentence there speaks to whoever
 * reads them.
 */
export function outsiderSign(text: string): RuleSign | undefined {
  const head = text.slice(0, 4_096)
  if (!head.includes('|')) return undefined
  let rows = 0
  let others = 0
  let start = -1
  let end = -1
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf('\n', at)
    const stop = next < 0 ? text.length : next
    const line = text.slice(at, Math.min(stop, at + 400)).trim()
    if (line.startsWith('|')) rows++
    else if (line !== '') {
      others++
      start = at
      end = stop
    }
    at = stop + 1
  }
  if (rows < 3 || others !== 1) return undefined
  const line = text.slice(start, end).trim()
  // A caption or a note is no order: an order begins with a capital, has a few words, and speaks to somebody or asks.
  const words = line.split(/\s{1,8}/, 80).length
  if (words < 4 || words >= 80 || !/^["“]?\p{Lu}\p{L}+/u.test(line)) return undefined
  if (/^(?:note|source|table|see|total|figure|legend|key|as of|updated|the|this|these|all|values|data)\b/i.test(line))
    return undefined
  return { what: 'outsider', rule: 'outsider/table', confidence: line.endsWith('?') ? 0.6 : 0.55, start, end }
}
