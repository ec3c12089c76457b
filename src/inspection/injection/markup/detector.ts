import { withoutReferences } from '../../decode/html.ts'
import { type Detector, type Hint, noSigns, type Sign } from '../detector.ts'
import type { FirstLook } from '../first-look.ts'
import { requirementOf, sieve } from '../requirement.ts'
import { type Surroundings, tagSigns } from './element.ts'
import { looseHandler } from './handler.ts'
import { scriptSign } from './script.ts'
import { quotedShare, settingOf } from './setting.ts'
import { styleWeight } from './style.ts'
import { TagReader } from './tag.ts'

/**
 * Markup and scripts that a browser would run, in whatever context of a page a value is put: between tags, in an attribute of
 * any quotes, in a script, an address, a style sheet or a comment.
 */
export const xssDetector: Detector = {
  family: 'xss',
  scan(text, hint, look) {
    return worthReading(text, look) ? scan(text, hint, look) : noSigns
  },
}

/** Markup has a `<` or leaves an attribute by an `=`; a script calls, indexes or assigns; an address has a scheme. */
const worthReading = sieve(/[<(=[`]|:\S|&colon/)

function scan(text: string, hint: Hint, look: FirstLook): readonly Sign[] {
  const best = new Map<string, Sign>()
  const add = (sign: Sign): void => {
    if (sign.confidence >= confidenceMin && sign.confidence > (best.get(sign.rule)?.confidence ?? 0))
      best.set(sign.rule, sign)
  }
  const setting = settingOf(text, hint)
  const weighed = (rule: string, alone: number, among: number, start: number, end: number): void =>
    add({ rule, confidence: setting.among ? among * (setting.quoted(start) ? quotedShare : 1) : alone, start, end })

  const script = scriptSign(text)
  if (script !== undefined) weighed('xss/javascript', script.alone, script.among, script.start, script.end)
  const handler = looseHandler(text, setting)
  if (handler !== undefined) weighed('xss/event-handler', handler.weight, handler.weight, handler.start, handler.end)
  const style = styleWeight(text)
  if (style !== undefined) weighed('xss/style', style.alone, style.among, 0, text.length)
  for (const { alone, among, start, end } of addresses(text, look))
    weighed('xss/script-address', alone, among, start, end)
  for (const { as, rule, alone, among } of declarations) {
    const match = as.exec(text)
    if (match !== null) weighed(rule, alone, among, match.index, match.index + match[0].length)
  }
  const reads = readTags(text, { ...setting, script: (script?.alone ?? 0) >= 0.6, opened: new Set() }, add)
  if (!reads) add({ rule: 'xss/tangle', confidence: 0.8, start: 0, end: text.length })
  if (best.size === 0) return noSigns
  const signs = [...best.values()].sort((a, b) => b.confidence - a.confidence)
  // where markup may be the subject, many doubts are one: a tutorial names scripts, styles and handlers
  return setting.among && (signs[0]?.confidence ?? 0) < 0.5 ? signs.slice(0, 1) : signs
}

/** Less is not worth a line. */
const confidenceMin = 0.1

/** Whether all tags could be read. */
function readTags(text: string, around: Surroundings & { opened: Set<string> }, add: (sign: Sign) => void): boolean {
  const reader = new TagReader(text)
  for (let at = text.indexOf('<'); at !== -1; at = text.indexOf('<', at + 1)) {
    const tag = reader.tagAt(at)
    if (tag === undefined) continue
    if (reader.exhausted) return false
    for (const sign of tagSigns(tag, around)) add(sign)
    if (!tag.closing) around.opened.add(tag.name)
  }
  return true
}

const declarations: readonly {
  readonly as: RegExp
  readonly rule: string
  readonly alone: number
  readonly among: number
}[] = [
  { as: /<!--\s{0,8}\[\s{0,8}if/i, rule: 'xss/declaration', alone: 0.6, among: 0.15 },
  { as: /<\?(?:xml-stylesheet|import)\b/i, rule: 'xss/declaration', alone: 0.7, among: 0.3 },
  { as: /<\?xml:namespace\b/i, rule: 'xss/declaration', alone: 0.7, among: 0.3 },
  { as: /<!entity\s/i, rule: 'xss/declaration', alone: 0.55, among: 0.2 },
  { as: /=\s?&\{/, rule: 'xss/declaration', alone: 0.6, among: 0.3 }, // Netscape's script entities, in every old list
]

/** `javascript:` that stands in no attribute: a value that becomes an address itself, or a link of Markdown. */
function* addresses(
  text: string,
  look: FirstLook,
): Generator<{ alone: number; among: number; start: number; end: number }> {
  let seen = 0
  if (look.mayMeet(ofScheme))
    for (const match of text.matchAll(scheme)) {
      const start = match.index
      const end = start + match[0].length
      const rest = withoutReferences(text.slice(end, end + 96))
      const leading = text.slice(Math.max(0, start - 3), start).trimEnd()
      const begins = leading === '' || /[(=<"'`[:]$/.test(leading)
      if (++seen > seenMax) {
        yield { alone: 0.6, among: 0.3, start, end }
        return
      }
      if (!/^\s{0,8}[^\s,.;]/.test(rest)) continue
      const code = /[(`=[{]|%28|\/\//.test(rest)
      if (/^\s{0,4}void\b/.test(rest)) yield { alone: 0.5, among: 0.1, start, end }
      else if (code) yield begins ? { alone: 0.93, among: 0.6, start, end } : { alone: 0.75, among: 0.35, start, end }
      else if (!rest.startsWith(' ') && !/[\w-][:.-]$/.test(leading))
        // `test:javascript:fast` is a name
        yield begins ? { alone: 0.6, among: 0.2, start, end } : { alone: 0.45, among: 0.1, start, end }
    }
  if (!look.mayMeet(ofData)) return
  for (const match of text.matchAll(dataScheme))
    if (!/svg/i.test(match[0])) yield { ...page, start: match.index, end: match.index + match[0].length }
    else if (!inStyle.test(text.slice(Math.max(0, match.index - 8), match.index)))
      yield { ...picture, start: match.index, end: match.index + match[0].length }
}

const seenMax = 500

/** With what browsers pass over within a scheme (URL standard §4.4), and with references in the place of letters and colon. */
const scheme = new RegExp(
  `(?<![a-z0-9])(?:${['javascript', 'vbscript', 'livescript'].map((name) => [...name].map(letter).join(gap())).join('|')})${gap()}(?::|&colon;?|&#0{0,16}58;?|&#x0{0,16}3a;?)`,
  'gi',
)

const ofScheme = requirementOf(scheme)

function letter(of: string): string {
  const code = of.charCodeAt(0)
  const upper = of.toUpperCase().charCodeAt(0)
  const numbers = `&#0{0,16}(?:${code}|${upper});?|&#x0{0,16}(?:${code.toString(16)}|${upper.toString(16)});?`
  return `(?:${of}|${numbers})`
}

function gap(): string {
  return '(?:[\\t\\r\\n]|&(?:Tab|NewLine);|&#0{0,8}(?:9|10|13);?|&#x0{0,8}[9ad];?){0,8}'
}

const page = { alone: 0.7, among: 0.3 }
/** Shown by itself, an SVG runs its scripts; as a picture it does not. */
const picture = { alone: 0.4, among: 0.1 }
const inStyle = /url\s?\(\s?["']?$/i

const dataScheme = /(?<![a-z0-9])data:(?:text\/html|image\/svg\+xml|application\/xhtml\+xml)[^\s)]{0,80}(?:,|;base64)/gi
const ofData = requirementOf(dataScheme)
