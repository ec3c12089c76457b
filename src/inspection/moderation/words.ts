import { viewsOf } from '../decode/views.ts'
import { disguisesOf } from '../prompts/disguises.ts'
import { Trie } from '../prompts/trie.ts'
import { markFrom, marks, type Words, wordsOf } from '../prompts/words.ts'
import { type Category, categories } from './category.ts'
import type { Flag, Moderator } from './moderator.ts'
import { contempt, groups, type Weight, wordLists } from './word-lists.ts'

/** Words of the operator's own, by category: they count as much as the surest of the house. */
export type OwnWords = Readonly<Partial<Record<Category, readonly string[]>>>

/**
 * Judges by lists of phrases, in this process: a baseline that knows words and not what is meant. Phrases end where words end,
 * so that no name of a town is a swear word, and are seen through the usual disguises.
 */
export function openWordModerator(name: string, own: OwnWords = {}): Moderator {
  const trie = new Trie(entriesOf(own))
  return {
    name,
    async check(texts) {
      const flags: Flag[] = []
      for (const [index, text] of texts.entries())
        for (const [category, score] of judged(text, trie)) flags.push({ index, category, score })
      return flags
    },
    async close() {},
  }
}

/** A list's weight as a number of the trie: eight categories of four weights, then the two parts of a pair. */
const step = 4
const group = 100
const scorn = 101

const scores: Readonly<Record<Weight, number>> = { 1: 0.2, 2: 0.6, 3: 0.9 }

/** The two parts of a pair stand no further apart. */
const pairReach = 5

function* entriesOf(own: OwnWords): Generator<readonly [string, number]> {
  for (const [at, category] of categories.entries()) {
    for (const phrase of own[category] ?? []) yield [phrase.toLowerCase(), at * step + 3]
    for (const weight of [3, 2, 1] as const)
      for (const phrase of listed(wordLists[category][weight] ?? '')) yield [phrase, at * step + weight]
  }
  for (const phrase of listed(groups)) yield [phrase, group]
  for (const phrase of listed(contempt)) yield [phrase, scorn]
}

function listed(text: string): string[] {
  return text
    .split('|')
    .map((phrase) => phrase.trim())
    .filter((phrase) => phrase !== '')
}

function judged(text: string, trie: Trie): Map<Category, number> {
  const found = new Map<Category, number>()
  for (const view of viewsOf(text).views) readInto(found, wordsOf(view.text, trie))
  for (const disguise of disguisesOf(text)) readInto(found, wordsOf(disguise.text, trie))
  return found
}

function readInto(found: Map<Category, number>, { count, classes }: Words): void {
  for (let at = 0; at < count; at++) {
    const value = classes[at] as number
    if (value === 0 || value >= markFrom) continue
    if (value === group) {
      if (isScorned(classes, at, count)) raise(found, 'hate', scores[3])
    } else if (value !== scorn)
      raise(found, categories[Math.floor(value / step)] as Category, scores[(value % step) as Weight])
  }
}

function isScorned(classes: Uint8Array, from: number, count: number): boolean {
  const last = Math.min(count - 1, from + pairReach)
  for (let at = from + 1; at <= last; at++) {
    if (classes[at] === scorn) return true
    if (classes[at] === marks.stop) return false
  }
  return false
}

function raise(found: Map<Category, number>, category: Category, score: number): void {
  if (score > (found.get(category) ?? 0)) found.set(category, score)
}
