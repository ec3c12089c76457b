/** Whether what is held covers what is wanted: itself, `*`, or a wildcard such as `conversation:*` above it. */
export function covers(held: ReadonlySet<string>, wanted: string): boolean {
  if (held.has(wanted) || held.has('*')) return true
  for (let at = wanted.lastIndexOf(':'); at > 0; at = wanted.lastIndexOf(':', at - 1)) {
    if (held.has(`${wanted.slice(0, at)}:*`)) return true
  }
  return false
}

/**
 * What both hold: covered by one set and by the other. Of two patterns that meet, one lies within the other, so that the
 * narrower of them is all that they share.
 */
export function common(some: ReadonlySet<string>, others: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([
    ...[...some].filter((pattern) => covers(others, pattern)),
    ...[...others].filter((pattern) => covers(some, pattern)),
  ])
}
