import { type Hint, noSigns, type Sign } from '../detector.ts'
import type { FirstLook, Requirement } from '../first-look.ts'
import { requirementOf } from '../requirement.ts'
import { type Setting, settingOf } from './setting.ts'

/** A shape of text, and how sure it makes us in each setting. */
export interface Row {
  readonly rule: string
  readonly sure: Weight
  /** Global, and linear: literals, classes and bounded repetition only. */
  readonly pattern: RegExp
  /** What the pattern cannot match without: looking for that first is quicker by far. */
  readonly requirement: Requirement
  /** What a pattern cannot say. Asked at each match, so it looks at a bounded stretch only. */
  readonly holds?: Holds
}

/** How sure in a value, in prose, in a document. Zero is no sign at all. */
export type Weight = readonly [value: number, prose: number, document: number]

export type Holds = (text: string, hint: Hint, start: number, end: number) => boolean

/** Weights by what has to be true of the writer: hardly anybody else writes it, few do, some do. */
export const certain: Weight = [0.98, 0.9, 0.6]
export const sure: Weight = [0.93, 0.7, 0.15]
export const strong: Weight = [0.85, 0.4, 0]
export const likely: Weight = [0.65, 0.2, 0]
export const weak: Weight = [0.35, 0, 0]

export function row(rule: string, weight: Weight, pattern: RegExp, holds?: Holds): Row {
  const requirement = requirementOf(pattern)
  return holds === undefined
    ? { rule, sure: weight, pattern, requirement }
    : { rule, sure: weight, pattern, requirement, holds }
}

/** The first stretch of the text that each row holds for. */
export function signsOf(
  table: readonly Row[],
  text: string,
  hint: Hint,
  look: FirstLook,
  known?: Setting,
): readonly Sign[] {
  let signs: Sign[] | undefined
  let setting = known
  for (const { rule, sure: weight, pattern, requirement, holds } of table) {
    if (!look.mayMeet(requirement)) continue
    pattern.lastIndex = 0
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const start = match.index
      const end = start + match[0].length
      if (end === start) pattern.lastIndex++
      if (holds !== undefined && !holds(text, hint, start, end)) continue
      setting ??= settingOf(text, hint)
      const confidence = weighed(weight, setting)
      if (confidence > 0) (signs ??= []).push({ rule, confidence, start, end })
      break
    }
  }
  return signs ?? noSigns
}

export function weighed([value, prose, document]: Weight, setting: Setting): number {
  return setting === 'value' ? value : setting === 'prose' ? prose : document
}
