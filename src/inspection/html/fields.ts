import type { HtmlOptions } from './options.ts'
import { openSanitiser, type Sanitiser } from './sanitiser.ts'

/** What is sanitised in a message, and how: made at load. */
export interface HtmlPlan {
  readonly pointers: Step
  /** Of forms alone, by name. */
  readonly names: ReadonlyMap<string, Sanitiser>
}

/** One step of the pointers: which lead on from here, and what is done with what stands here. */
interface Step {
  readonly next: Map<string, Step>
  sanitise: Sanitiser | undefined
}

export function planSanitising(options: HtmlOptions): HtmlPlan {
  const pointers: Step = { next: new Map(), sanitise: undefined }
  const names = new Map<string, Sanitiser>()
  for (const [place, profile] of Object.entries(options)) {
    const sanitise = openSanitiser(profile)
    if (!place.startsWith('/')) {
      names.set(place, sanitise)
      continue
    }
    let step = pointers
    for (const token of place.slice(1).split('/')) {
      const name = token.replaceAll('~1', '/').replaceAll('~0', '~') // RFC 6901 §4
      const known = step.next.get(name)
      const next = known ?? { next: new Map(), sanitise: undefined }
      if (known === undefined) step.next.set(name, next)
      step = next
    }
    step.sanitise = sanitise
  }
  return { pointers, names }
}

/**
 * Sanitises the texts of parsed JSON that the plan names, and says by pointers which have changed. All that stands below such a
 * place is sanitised: a list in the place of a text is no way around. Names of members and other fields stay as they are, and
 * what has not changed is the same object.
 */
export function sanitiseFields(
  value: unknown,
  { pointers }: HtmlPlan,
): { readonly value: unknown; readonly changed: readonly string[] } {
  const changed: string[] = []
  return { value: visit(value, [pointers], undefined, '', changed), changed }
}

/** The same for the fields of a form, in their order; `changed` holds names. */
export function sanitisePairs(
  pairs: readonly (readonly [name: string, value: string])[],
  { pointers, names }: HtmlPlan,
): { readonly pairs: readonly (readonly [string, string])[]; readonly changed: readonly string[] } {
  const changed = new Set<string>()
  const sanitised = pairs.map((pair) => {
    const [name, value] = pair
    const sanitise =
      names.get(name) ??
      readingsOf(name)
        .map((path) => sanitiserAt(pointers, path))
        .find((one) => one !== undefined)
    const clean = sanitise?.(value) ?? value
    if (clean === value) return pair
    changed.add(name)
    return [name, clean] as const
  })
  return { pairs: sanitised, changed: [...changed] }
}

/** Whether a field is sanitised that stands there: of JSON a pointer, of a form a name. */
export function isSanitised({ pointers, names }: HtmlPlan, at: string, of: 'json' | 'form'): boolean {
  if (of === 'form') return names.has(at) || readingsOf(at).some((path) => sanitiserAt(pointers, path) !== undefined)
  const path = at.split('/').slice(1)
  return (
    sanitiserAt(
      pointers,
      path.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~')),
    ) !== undefined
  )
}

/**
 * Where the field of a form may stand in what programs make of it: under its name as it is, and where brackets and dots lead
 * (`user[texts][0]`, `user.texts[]`), which many of them follow.
 */
function readingsOf(name: string): readonly (readonly string[])[] {
  if (!/[[.]/.test(name)) return [[name]]
  const open = name.replaceAll(']', '')
  return [[name], open.split('['), open.split(/[[.]/)]
}

/** What is done with a text that stands there: the last word on the way counts, as what stands below a place is of that place. */
function sanitiserAt(pointers: Step, path: readonly string[]): Sanitiser | undefined {
  let steps: readonly Step[] = [pointers]
  let found: Sanitiser | undefined
  for (const token of path) {
    steps = stepsTo(steps, token)
    found = steps.find(({ sanitise }) => sanitise !== undefined)?.sanitise ?? found
  }
  return found
}

/** The recursion ends where that of the parser did: JSON of strangers is of a bounded depth. */
function visit(
  value: unknown,
  steps: readonly Step[],
  above: Sanitiser | undefined,
  at: string,
  changed: string[],
): unknown {
  const sanitise = steps.find((step) => step.sanitise !== undefined)?.sanitise ?? above
  if (typeof value === 'string') {
    const clean = sanitise?.(value) ?? value
    if (clean !== value) changed.push(at)
    return clean
  }
  if (
    typeof value !== 'object' ||
    value === null ||
    isRawJson(value) ||
    (sanitise === undefined && steps.every(({ next }) => next.size === 0))
  )
    return value
  const before = changed.length
  const inner = (name: string, member: unknown): unknown =>
    visit(member, stepsTo(steps, name), sanitise, `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, changed)
  const copy = Array.isArray(value)
    ? value.map((member, index) => inner(String(index), member))
    : Object.fromEntries(Object.entries(value).map(([name, member]) => [name, inner(name, member)])) // keeps an own `__proto__`
  return changed.length === before ? value : copy
}

/** A number as it was written. The types do not know it yet. */
const { isRawJSON: isRawJson } = JSON as unknown as { readonly isRawJSON: (value: unknown) => boolean }

/** By name first: it says more than `*`. */
function stepsTo(steps: readonly Step[], name: string): readonly Step[] {
  const found: Step[] = []
  for (const key of [name, '*']) {
    for (const { next } of steps) {
      const step = next.get(key)
      if (step !== undefined && !found.includes(step)) found.push(step)
    }
  }
  return found
}
