/**
 * What an expression may match, as expressions of their own: `a|b` is `a` and `b`, `\b(?:a|b)c` is `\bac` and `\bbc`. The first
 * match of any of them, and of those that begin at one place that of the first, is the match of the whole. One that tells enough
 * by itself is not taken apart further, and one that cannot be is the only part.
 */
export function alternativesOf({ source, flags }: RegExp, isTelling: (part: RegExp) => boolean): readonly RegExp[] {
  const ofFlags = (part: string): RegExp => new RegExp(part, flags)
  if (unsplittable.test(source) || flags.includes('v')) return [ofFlags(source)]
  let parts: readonly string[] = [source]
  for (let round = 0; round < roundsMax; round++) {
    const next = parts.flatMap((part) => (round > 0 && isTelling(ofFlags(part)) ? [part] : opened(part)))
    if (next.length === parts.length || next.length > partsMax) break
    parts = next
  }
  return parts.map(ofFlags)
}

const roundsMax = 4

/** References to groups, which would be others. */
const unsplittable = /\\(?:[1-9]|k<)|\(\?<[^=!]|\(\?[a-z-]/

/** More of them would take longer to choose from than the whole takes to run. */
const partsMax = 96

/** Where the alternatives of a source part, outside of its groups and classes. */
function alternatives(source: string): readonly string[] {
  const parts: string[] = []
  let from = 0
  for (let at = 0; at < source.length; at = afterAtom(source, at)) {
    if (source[at] !== '|') continue
    parts.push(source.slice(from, at))
    from = at + 1
  }
  return [...parts, source.slice(from)]
}

/** Its alternatives, or one for each of the first group, where nothing before that may match in more than one way. */
function opened(source: string): readonly string[] {
  const parts = alternatives(source)
  if (parts.length > 1) return parts
  for (let at = 0; at < source.length; ) {
    const end = afterAtom(source, at)
    if (end < source.length && '*+?{'.includes(source[end] as string)) return parts
    if (source.startsWith('(?:', at)) {
      const inner = alternatives(source.slice(at + 3, end - 1))
      return inner.map((one) => source.slice(0, at) + one + source.slice(end))
    }
    at = end
  }
  return parts
}

/** Behind a sign, an escape, a class or a group. */
function afterAtom(source: string, start: number): number {
  switch (source[start]) {
    case '\\':
      return start + 2
    case '[': {
      let at = start + 1
      while (at < source.length && source[at] !== ']') at += source[at] === '\\' ? 2 : 1
      return at + 1
    }
    case '(': {
      let at = start + 1
      while (at < source.length && source[at] !== ')') at = afterAtom(source, at)
      return at + 1
    }
    default:
      return start + 1
  }
}
