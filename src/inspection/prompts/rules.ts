import type { WordClass } from './lexicon.ts'
import type { Channel, PromptKind } from './sign.ts'
import { classNumber, markFrom, marks, type Words } from './words.ts'

/** What a rule finds among the words of a text. */
export interface RuleSign {
  readonly what: PromptKind
  readonly rule: string
  readonly confidence: number
  readonly start: number
  readonly end: number
}

/** Goes along the words once; at each, rules that begin with its class look a few words further, and no sentence further. */
export function ruleSigns(words: Words, channel: Channel): readonly RuleSign[] {
  let found: Map<string, RuleSign> | undefined
  for (let at = 0; at < words.count; at++) {
    const candidates = beginning[words.classes[at] as number]
    if (candidates === undefined) continue
    for (const candidate of candidates) {
      const last = lastOf(words, at, candidate)
      if (last < 0) continue
      const confidence = sureness(words, at, candidate, channel)
      const before = found?.get(candidate.rule)
      if (before !== undefined && before.confidence >= confidence) continue
      found ??= new Map()
      found.set(candidate.rule, {
        what: candidate.what,
        rule: candidate.rule,
        confidence,
        start: words.starts[at] as number,
        end: words.ends[last] as number,
      })
    }
  }
  return found === undefined ? none : [...found.values()]
}

const none: readonly RuleSign[] = []

/** A rule: classes in their order, and how many words may stand between one and the next. */
type Row = readonly [rule: string, confidence: number, gap: number, ...steps: WordClass[]]

/**
 * In which order an order's words stand. Languages that end with the verb have rows of their own. Confidences are shares of such
 * texts that were orders; those under a half only add up.
 */
// biome-ignore format: a table
const table: readonly Row[] = [
  ['override/ignore-prior-rules',      0.92, 4,  'ignore', 'prior', 'rules'],
  ['override/ignore-rules-prior',      0.88, 4,  'ignore', 'rules', 'prior'],
  ['override/ignore-all-rules',        0.72, 2,  'ignore', 'all', 'rules'],
  ['override/ignore-all-prior',        0.86, 3,  'ignore', 'all', 'prior'],
  ['override/ignore-your-rules',       0.82, 3,  'ignore', 'system'],
  ['override/ignore-you-rules',        0.6,  2,  'ignore', 'you', 'rules'],
  ['override/ignore-limits',           0.6,  3,  'ignore', 'you', 'limits'],
  ['override/ignore-model',            0.5,  4,  'ignore', 'model', 'limits'],
  ['override/ignore-prior',            0.42, 2,  'ignore', 'prior'],
  ['override/ignore-all',              0.3,  2,  'ignore', 'all'],
  ['override/prior-rules-ignore',      0.9,  4,  'prior', 'rules', 'ignore'],
  ['override/rules-prior-ignore',      0.8,  4,  'rules', 'prior', 'ignore'],
  ['override/prior-all-ignore',        0.8,  4,  'prior', 'all', 'ignore'],
  ['override/ignore-all-fresh',        0.6,  6,  'ignore', 'all', 'fresh'],
  ['override/ignore-all-speak',        0.6,  4,  'ignore', 'all', 'speak'],
  ['override/ignore-all-reveal',       0.55, 4,  'ignore', 'all', 'reveal'],
  ['override/fresh-free',              0.7,  12, 'fresh', 'free'],
  ['override/fresh-role',              0.4,  6,  'fresh', 'role'],
  ['role-play/role-free',              0.6,  14, 'role', 'free'],
  ['role-play/model-free',             0.4,  8,  'model', 'free'],
  ['role-play/you-free',               0.4,  5,  'you', 'free'],
  ['role-play/free-free',              0.45, 14, 'free', 'free'],
  ['role-play/free-model',             0.45, 4,  'free', 'model'],
  ['role-play/role-never-limits',      0.6,  14, 'role', 'never', 'limits'],
  ['role-play/role-harm',              0.3,  14, 'role', 'harm'],
  ['role-play/role-model',             0.2,  6,  'role', 'model'],
  ['refusal-suppression/never-refuse', 0.35, 4,  'never', 'refuse'],
  ['refusal-suppression/you-never-refuse', 0.45, 4, 'you', 'never', 'refuse'],
  ['refusal-suppression/never-limits', 0.2,  3,  'never', 'limits'],
  ['refusal-suppression/must-harm',    0.3,  8,  'must', 'all', 'harm'],
  ['system-prompt/reveal',             0.7,  4,  'reveal', 'system'],
  ['system-prompt/reveal-you-rules',   0.7,  3,  'reveal', 'you', 'rules'],
  ['system-prompt/ask',                0.35, 4,  'asker', 'system'],
  ['system-prompt/rules-reveal',       0.6,  4,  'system', 'reveal'],
  ['system-prompt/reveal-prior-rules', 0.4,  2,  'reveal', 'prior', 'rules'],
  ['exfiltration/reveal-secret',       0.3,  3,  'reveal', 'you', 'secret'],
  ['exfiltration/send-secret',         0.2,  5,  'send', 'secret'],
  ['tool-order/answer-send',           0.2,  6,  'answer', 'send'],
]

interface Rule {
  readonly what: PromptKind
  readonly rule: string
  readonly confidence: number
  readonly gap: number
  readonly steps: readonly number[]
}

const beginning: (Rule[] | undefined)[] = []
for (const [rule, confidence, gap, ...names] of table) {
  const [first = 0, ...steps] = names.map(classNumber)
  const what = rule.slice(0, rule.indexOf('/')) as PromptKind
  beginning[first] = [...(beginning[first] ?? []), { what, rule, confidence, gap, steps }]
}

const asker = classNumber('asker')
const you = classNumber('you')
const never = classNumber('never')
const ignore = classNumber('ignore')

/** Where the last of the steps stands; -1 where they do not follow. */
function lastOf({ classes, count }: Words, from: number, { steps, gap }: Rule): number {
  let at = from
  for (const step of steps) {
    const last = Math.min(count - 1, at + 1 + gap)
    let next = -1
    for (let ahead = at + 1; ahead <= last; ahead++) {
      const kind = classes[ahead] as number
      if (kind === step) {
        next = ahead
        break
      }
      if (kind === marks.stop) return -1
    }
    if (next < 0) return -1
    at = next
  }
  return at
}

/**
 * Somebody who speaks of an order gives none: `should I ignore the previous instructions`, `what does “ignore …” mean`. A
 * request that begins with `I want you to` is one. In what a tool brought back nobody has orders to give.
 */
function sureness(words: Words, at: number, { confidence }: Rule, channel: Channel): number {
  const { classes } = words
  const before = classes[at - 1]
  const isAbout = classes[at] === ignore && (before === never || isAsked(classes, at))
  const less = isAbout
    ? confidence * 0.4
    : before === marks.quote || before === marks.code
      ? confidence * 0.8
      : confidence
  return channel === 'tool-result' ? Math.min(0.97, less * 1.1) : less
}

/** A clause is no longer than so many words before its verb. */
const clauseWords = 10

/** Whether a clause begins with `how`, `should I` or `when`, or has one right before its verb, and speaks to no `you`. */
function isAsked(classes: Uint8Array, at: number): boolean {
  if (classes[at - 1] === asker && classes[at - 2] !== you) return true
  for (let before = at - 1; before >= Math.max(0, at - clauseWords); before--) {
    const kind = classes[before] as number
    if (kind === you) return false
    const begins = before === 0 || (classes[before - 1] as number) >= markFrom
    if (kind >= markFrom) return false
    if (begins) return kind === asker
  }
  return false
}
