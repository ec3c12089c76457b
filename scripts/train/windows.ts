import {
  className,
  featureHash,
  featuresAt,
  featuresMax,
  unitsOf,
  windowStep,
  windowWords,
} from '../../src/inspection/prompts/features.ts'
import { markFrom, type Words, wordsOf } from '../../src/inspection/prompts/words.ts'

/** The names of features, as far as texts had them: what is shipped are names, so that they can be read. */
export type Names = Map<number, string>

/** The features of each window of a text that stands, in good part, between two places of it. */
export function windowsOf(text: string, names: Names, from = 0, to = text.length): Int32Array[] {
  const words = wordsOf(text)
  const units = unitsOf(words)
  const named = namesOf(text, words)
  const found: Int32Array[] = []
  const here = new Int32Array(featuresMax)
  const inside = countBetween(words, 0, words.count, from, to)
  for (let first = 0; first < words.count; first += windowStep) {
    const last = Math.min(words.count, first + windowWords)
    const overlap = countBetween(words, first, last, from, to)
    // A window that holds little of the order is no order.
    if (overlap > 0 && overlap * 2 >= Math.min(inside, windowWords)) {
      const features = new Set<number>()
      for (let at = first; at < last; at++) {
        const n = featuresAt(words, units, at, here)
        for (let i = 0; i < n; i++) features.add(here[i] as number)
        remember(names, words, named, at)
      }
      found.push(Int32Array.from(features))
    }
    if (last >= words.count) break
  }
  return found
}

function countBetween({ starts, ends }: Words, first: number, last: number, from: number, to: number): number {
  let count = 0
  for (let at = first; at < last; at++) if ((starts[at] as number) >= from && (ends[at] as number) <= to) count++
  return count
}

interface Named {
  readonly unit: string
  readonly word: string
}

function namesOf(text: string, { count, classes, starts, ends }: Words): Named[] {
  return Array.from({ length: count }, (_, at) => {
    const kind = classes[at] as number
    const first = /^[\p{L}\p{N}\p{M}_]+(?:['’][\p{L}\p{M}]+)*/u.exec(text.slice(starts[at], ends[at]))?.[0] ?? ''
    const word = first
      .normalize('NFD')
      .replace(/[\u0300-\u036f]/g, '')
      .normalize('NFC')
      .replace(/['’]/g, '')
      .replace(/\d+/g, '#')
      .toLowerCase()
    return { unit: kind === 0 ? word : className(kind), word: kind >= markFrom ? '' : word }
  })
}

/** Only names that lead to the hash are kept: what is odd enough to fold otherwise is left out. */
function remember(names: Names, { count, classes }: Words, named: readonly Named[], at: number): void {
  const here = named[at] as Named
  const candidates = [here.unit, here.word]
  if (at + 1 < count) candidates.push(`${here.unit}+${named[at + 1]?.unit}`)
  if (at + 2 < count) candidates.push(`${here.unit}/${named[at + 2]?.unit}`)
  const kind = classes[at] as number
  if (kind > 0 && kind < markFrom)
    for (let before = at - 1; before >= 0 && before >= at - 8; before--) {
      const earlier = classes[before] as number
      if (earlier === 0 || earlier >= markFrom) continue
      candidates.push(`${named[before]?.unit}~${here.unit}`)
      break
    }
  for (const name of candidates) {
    if (name === '' || /[,=`\\$]/.test(name) || name.length > 60) continue
    const hash = featureHash(name)
    if (!names.has(hash)) names.set(hash, name)
  }
}
