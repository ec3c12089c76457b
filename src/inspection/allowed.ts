import { type Place, placeText } from './place.ts'

/** What an operator knows to be harmless: by field, by rule, or a rule in a field. */
export interface AllowEntry {
  /** `body /description`, `query q`, `body /items/*`; `*` stands for one step of a pointer or for any name. */
  readonly field?: string | undefined
  /** `sql/tautology`, or `sql/*`. */
  readonly rule?: string | undefined
}

/** Whether a finding of a rule at a place is allowed. */
export type Allowed = (rule: string, place: Place) => boolean

export function compileAllowed(entries: readonly AllowEntry[]): Allowed {
  if (entries.length === 0) return () => false
  const tests = entries.map(({ field, rule }) => ({ field: globOf(field), rule: globOf(rule) }))
  return (rule, place) => tests.some((test) => test.rule(rule) && test.field(placeText(place)))
}

/** `*` is everything up to the next `/`. */
function globOf(pattern: string | undefined): (text: string) => boolean {
  if (pattern === undefined) return () => true
  if (!pattern.includes('*')) return (text) => text === pattern
  const wanted = pattern.split('/')
  return (text) => {
    const steps = text.split('/')
    return steps.length === wanted.length && wanted.every((want, at) => fits(want, steps[at] as string))
  }
}

/** One step: a `*` stands for any characters. */
function fits(want: string, step: string): boolean {
  const star = want.indexOf('*')
  if (star < 0) return want === step
  const [before, after] = [want.slice(0, star), want.slice(star + 1)]
  return step.length >= before.length + after.length && step.startsWith(before) && step.endsWith(after)
}
