import { type Views, viewsOf } from '../decode/views.ts'
import type { Decoding } from '../view.ts'
import { channelOf, outsiderSign } from './channel.ts'
import { delimiterSigns } from './delimiters.ts'
import { disguisesOf } from './disguises.ts'
import { exfiltrationSigns } from './exfiltration.ts'
import { models } from './model.ts'
import { type RuleSign, ruleSigns } from './rules.ts'
import type { Channel, PromptKind, PromptSign } from './sign.ts'
import { alike, type Words, wordsOf } from './words.ts'

/** What was found in one text. */
export interface PromptJudgement {
  /** How sure it is that the text gives orders to a model, from 0 to 1. */
  readonly score: number
  /** Why, the surest first. */
  readonly signs: readonly PromptSign[]
}

/** Looks for orders to a model, in this process and at once. */
export interface PromptScanner {
  /** `auto` takes what looks like a record, a table or a letter for what a tool brought back. The views are those of the text. */
  judge(text: string, channel: Channel | 'auto', views?: Views): PromptJudgement
}

/** From here on a text is taken for an order: at most one honest text in a hundred scores as much. */
export const usualThreshold = 0.5

/**
 * Rules over words and marks, beside a linear model over the same words, each over every way in which the text may be read.
 * What was found only in another reading was hidden, which is a sign of its own.
 */
export function openPromptScanner(): PromptScanner {
  return {
    judge(text, channel, { views, exhausted } = viewsOf(text)) {
      const known = channel === 'auto' ? channelOf(text) : channel
      const best = new Map<string, PromptSign>()
      let plain = 0
      let read: Read | undefined
      for (const { text: reading, by, start, end } of views) {
        const isPlain = by.length === 0
        const words = wordsOf(reading)
        const ofWords = read !== undefined && alike(words, read.words) ? read.signs : signsOfWords(words, known)
        if (isPlain) read = { words, signs: ofWords }
        const signs = signsOf(reading, words, ofWords, known)
        for (const sign of signs) keep(best, isPlain ? { ...sign, decoded: by } : { ...sign, start, end, decoded: by })
        if (isPlain) plain = together(signs)
        else hiddenSign(best, signs, plain, by, start, end)
      }
      for (const disguise of disguisesOf(text)) {
        const words = wordsOf(disguise.text)
        const signs = signsOf(disguise.text, words, signsOfWords(words, known), known)
        if (together(signs) < surelyHidden || plain >= surelyHidden) continue
        const { rule, start, end } = disguise
        for (const sign of signs) keep(best, { ...sign, start, end, decoded: [] })
        keep(best, { what: 'obfuscated', rule, confidence: 0.5, start, end, decoded: [] })
      }
      if (exhausted)
        keep(best, {
          what: 'encoded',
          rule: 'encoded/too-deep',
          confidence: 0.6,
          start: 0,
          end: text.length,
          decoded: [],
        })
      if (best.size === 0) return clean
      const signs = [...best.values()].sort((one, other) => other.confidence - one.confidence)
      return { score: together(signs), signs }
    },
  }
}

const clean: PromptJudgement = { score: 0, signs: [] }

/** What is found in another reading counts as hidden from here on. */
const surelyHidden = 0.4

/** A model that is less sure than this says nothing. */
const weighedMin = 0.15

/** What the words of a text say: the same for every reading that has the same words. */
interface Read {
  readonly words: Words
  readonly signs: readonly RuleSign[]
}

function signsOfWords(words: Words, channel: Channel): readonly RuleSign[] {
  const weighed = models[channel].weigh(words)
  if (weighed === undefined || weighed.score < weighedMin) return ruleSigns(words, channel)
  const { score, start, end } = weighed
  return [...ruleSigns(words, channel), { what: 'model', rule: `model/${channel}`, confidence: score, start, end }]
}

function signsOf(text: string, words: Words, ofWords: readonly RuleSign[], channel: Channel): readonly RuleSign[] {
  if (words.count === 0) return none
  const ofText = [...delimiterSigns(text, channel), ...exfiltrationSigns(text, words, channel)]
  const outsider = channel === 'tool-result' ? outsiderSign(text) : undefined
  if (outsider !== undefined) ofText.push(outsider)
  return ofText.length === 0 ? ofWords : [...ofWords, ...ofText]
}

const none: readonly RuleSign[] = []

function keep(best: Map<string, PromptSign>, sign: PromptSign): void {
  const before = best.get(sign.rule)
  if (before === undefined || before.confidence < sign.confidence) best.set(sign.rule, sign)
}

function hiddenSign(
  best: Map<string, PromptSign>,
  signs: readonly RuleSign[],
  plain: number,
  by: readonly Decoding[],
  start: number,
  end: number,
): void {
  if (plain >= surelyHidden || together(signs) < surelyHidden) return
  const last = by[by.length - 1]
  const what: PromptKind = last === 'invisible' ? 'invisible' : last === 'unicode' ? 'obfuscated' : 'encoded'
  keep(best, { what, rule: `${what}/${last}`, confidence: 0.4, start, end, decoded: by })
}

/** The chance that at least one kind of them is right: of one kind the surest counts, since its rules see the same words. */
function together(signs: Iterable<{ readonly what: PromptKind; readonly confidence: number }>): number {
  const surest = new Map<PromptKind, number>()
  for (const { what, confidence } of signs) surest.set(what, Math.max(surest.get(what) ?? 0, confidence))
  let doubt = 1
  for (const confidence of surest.values()) doubt *= 1 - confidence
  return 1 - doubt
}
