/** Strikes out what its scanners find. */
export interface Redactor {
  redact(text: string, name?: string): { readonly text: string; readonly matches: readonly Match[] }
  /** What is to be struck out, in order. Where matches lie over one another, the longer has the place, then the surer: all of each goes. */
  matches(text: string, name?: string): readonly Match[]
  /** What stands in the place of a match. */
  replacement(text: string, match: Match): string
  /** How much of the beginning of a text that goes on no match will touch, beyond those that are there now. */
  settled(text: string, name?: string): number
  /** No match is longer, and none depends on more than this. */
  readonly reach: number
  /** How many characters before a match it may depend on. */
  readonly context: number
}

export interface Match {
  readonly kind: string
  readonly rule: string
  readonly start: number
  readonly end: number
  readonly confidence: number
}

/** What finds matches in a text: in order, and none over another. */
export interface Scanner {
  scan(text: string, name?: string): readonly Match[]
  readonly reach: number
  /** How many characters before a match it may depend on; `reach` where it is left out. */
  readonly context?: number
  /** As of a redactor. Without it, whatever is within `reach` of the end may still become a match. */
  settled?(text: string, name?: string): number
}

export function openRedactor({
  scanners,
  replacement,
}: {
  readonly scanners: readonly Scanner[]
  replacement(text: string, match: Match): string
}): Redactor {
  const matches = (text: string, name?: string): readonly Match[] => {
    let found: (readonly Match[])[] | undefined
    for (const scanner of scanners) {
      const its = scanner.scan(text, name)
      if (its.length > 0) (found ??= []).push(its)
    }
    if (found === undefined) return none
    return found.length === 1 ? (found[0] as readonly Match[]) : laidOver(found)
  }
  return {
    matches,
    replacement,
    reach: Math.max(1, ...scanners.map(({ reach }) => reach)),
    context: Math.max(1, ...scanners.map(({ reach, context = reach }) => context)),
    redact(text, name) {
      const found = matches(text, name)
      return { text: struckOut(text, found, replacement), matches: found }
    },
    settled(text, name) {
      let settled = text.length
      for (const scanner of scanners) {
        const outOfReach = text.length - scanner.reach
        settled = Math.min(settled, Math.max(outOfReach, scanner.settled?.(text, name) ?? outOfReach))
      }
      return Math.max(0, settled)
    },
  }
}

const none: readonly Match[] = []

function struckOut(
  text: string,
  matches: readonly Match[],
  replacement: (text: string, match: Match) => string,
): string {
  if (matches.length === 0) return text
  let out = ''
  let from = 0
  for (const match of matches) {
    out += text.slice(from, match.start) + replacement(text, match)
    from = match.end
  }
  return out + text.slice(from)
}

/**
 * Which match has each place is told by the matches at that place alone: so a text that is read in pieces comes out as the
 * whole does, and nothing that any scanner found stays.
 */
function laidOver(lists: readonly (readonly Match[])[]): readonly Match[] {
  const bounds = lists.flatMap((list) => list.flatMap(({ start, end }) => [start, end])).sort((a, b) => a - b)
  const next = lists.map(() => 0)
  const out: Match[] = []
  let last: Match | undefined
  for (let at = 0; at + 1 < bounds.length; at++) {
    const [start, end] = [bounds[at] as number, bounds[at + 1] as number]
    if (start === end) continue
    let winner: Match | undefined
    for (const [which, list] of lists.entries()) {
      let here = next[which] as number
      while (here < list.length && (list[here] as Match).end <= start) here++
      next[which] = here
      const match = list[here]
      if (match !== undefined && match.start <= start && (winner === undefined || beats(match, winner))) winner = match
    }
    if (winner === undefined) last = undefined
    else if (winner === last) out[out.length - 1] = { ...(out.at(-1) as Match), end }
    else {
      out.push({ ...winner, start, end })
      last = winner
    }
  }
  return out
}

function beats(one: Match, other: Match): boolean {
  const longer = one.end - one.start - (other.end - other.start)
  return longer !== 0 ? longer > 0 : one.confidence > other.confidence
}
