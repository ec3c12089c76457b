import type { RuleSign } from './rules.ts'
import type { Channel } from './sign.ts'
import { classNumber, type Words } from './words.ts'

/**
 * Ways out for what a model knows: an image or a link whose address takes something along when it is shown, and an order to send
 * something to an address.
 */
export function exfiltrationSigns(text: string, words: Words, channel: Channel): readonly RuleSign[] {
  const found: RuleSign[] = []
  if (text.includes('](')) {
    const link = linkSign(text)
    if (link !== undefined) found.push(link)
  }
  const order = sendSign(text, words, channel)
  if (order !== undefined) found.push(order)
  return found.length === 0 ? none : found
}

const none: readonly RuleSign[] = []

/** `![x](https://host/p?d={what was said})`. */
function linkSign(text: string): RuleSign | undefined {
  for (let at = text.indexOf(']('); at >= 0; at = text.indexOf('](', at + 2)) {
    const from = at + 2
    if (!/^https?:/i.test(text.slice(from, from + 6))) continue
    const near = text.slice(from, from + 400)
    const end = near.search(/[\s)]/)
    const address = end < 0 ? near : near.slice(0, end)
    const before = Math.max(0, at - 200)
    const opening = before + text.slice(before, at).lastIndexOf('[')
    const isImage = opening > before && text[opening - 1] === '!'
    const query = address.indexOf('?')
    const takes = placeholder.test(query < 0 ? address.slice(8) : address.slice(query))
    if (!takes) continue
    return {
      what: 'exfiltration',
      rule: isImage ? 'exfiltration/image' : 'exfiltration/link',
      confidence: isImage ? 0.7 : 0.35,
      start: Math.max(before, opening),
      end: from + address.length,
    }
  }
  return undefined
}

/** Something is to be put in: `{…}`, `<…>`, `d=[…]`, `q=CONVERSATION_HERE`. */
const placeholder =
  /[{<]|%7[bB]|=\[|[?&](?:d|q|data|secret|prompt|chat|history|password|text|msg|summary)=[A-Z_]{4,40}(?:$|&)/

const send = classNumber('send')
const secret = classNumber('secret')
const system = classNumber('system')
const act = classNumber('act')
const asset = classNumber('asset')
const reachWords = 24

/** `send the conversation … to https://…`: to send, what is secret, and an address, within a sentence or two. */
function sendSign(text: string, { classes, count, starts, ends }: Words, channel: Channel): RuleSign | undefined {
  if (!text.includes('@') && !text.includes('://') && !text.includes('www.')) return undefined
  const addresses = ['@', '://', 'www.'].map((mark) => new Next(text, mark))
  for (let at = 0; at < count; at++) {
    if (classes[at] !== send) continue
    const last = Math.min(count - 1, at + reachWords)
    let takes = false
    for (let ahead = at + 1; ahead <= last; ahead++) takes ||= classes[ahead] === secret || classes[ahead] === system
    // Something of somebody's is fetched first, and then sent.
    const isFetched = !takes && channel === 'tool-result' && fetchedBefore(classes, at)
    if (!takes && !isFetched) continue
    const [from, to] = [starts[at] as number, ends[last] as number]
    if (!addresses.some((address) => address.from(from) < to)) continue
    if (isFetched)
      return {
        what: 'exfiltration',
        rule: 'exfiltration/fetch-and-send',
        confidence: 0.5,
        start: starts[at] as number,
        end: ends[last] as number,
      }
    return {
      what: 'exfiltration',
      rule: 'exfiltration/send',
      confidence: channel === 'tool-result' ? 0.6 : 0.35,
      start: starts[at] as number,
      end: ends[last] as number,
    }
  }
  return undefined
}

/** An act and what belongs to somebody, within the words before. */
function fetchedBefore(classes: Uint8Array, at: number): boolean {
  let hasAsset = false
  for (let before = at - 1; before >= Math.max(0, at - reachWords); before--) {
    hasAsset ||= classes[before] === asset
    if (hasAsset && classes[before] === act) return true
  }
  return false
}

/** Where a mark stands next, asked for places that only go forward: the text is gone through once. */
class Next {
  readonly #text: string
  readonly #mark: string
  #at = -1

  constructor(text: string, mark: string) {
    this.#text = text
    this.#mark = mark
  }

  from(place: number): number {
    if (this.#at < place) {
      const found = this.#text.indexOf(this.#mark, place)
      this.#at = found < 0 ? Number.POSITIVE_INFINITY : found
    }
    return this.#at
  }
}
