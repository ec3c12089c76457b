/** Texts by rules: `$name` is one of the lines of that name, `(a|b|)` one of what stands in the brackets. */
export type Grammar = Readonly<Record<string, readonly string[]>>

/** Writes one text. A rule that leads back to itself ends after so many steps. */
export function write(grammar: Grammar, start: string, random: () => number): string {
  return expand(pick(linesOf(grammar, start), random), grammar, random, 0)
    .replaceAll('¶', '\n')
    .replace(/[^\S\n]{2,}/g, ' ')
    .trim()
}

/** A generator of numbers from 0 to 1 that gives the same ones each time (Mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function pick<T>(from: readonly T[], random: () => number): T {
  return from[Math.floor(random() * from.length)] as T
}

const depthMax = 12

function expand(text: string, grammar: Grammar, random: () => number, depth: number): string {
  if (depth > depthMax) return ''
  let out = text
  // The innermost brackets first.
  while (true) {
    const chosen = out.replace(/\(([^()]*\|[^()]*)\)/g, (_, choices: string) => pick(choices.split('|'), random))
    if (chosen === out) break
    out = chosen
  }
  return out.replace(/\$([a-z][A-Za-z0-9]*)/g, (_, name: string) =>
    expand(pick(linesOf(grammar, name), random), grammar, random, depth + 1),
  )
}

function linesOf(grammar: Grammar, name: string): readonly string[] {
  const lines = grammar[name]
  if (lines === undefined) throw new Error(`no rule \`${name}\``)
  return lines
}
