/** Texts in order, each with the longest other of which it is a continuation. */
export interface PrefixList {
  readonly prefixes: readonly string[]
  /** The place of the longest one with which the text begins; -1 where there is none. */
  placeOf(text: string): number
  /** The place of the next shorter one with which every text begins that begins with the one at `place`; -1 where there is none. */
  shorter(place: number): number
}

/** Finds all texts of a list with which another begins, and looks at no more of the rest than a search by halves does. */
export function prefixList(texts: Iterable<string>): PrefixList {
  const prefixes = [...new Set(texts)].sort()
  const shorter = new Int32Array(prefixes.length).fill(-1)
  for (let at = 1; at < prefixes.length; at++) shorter[at] = begins(prefixes[at] as string, at - 1)
  return {
    prefixes,
    placeOf(text) {
      // What the text begins with comes before it, and whatever stands between them begins with that too.
      let [low, high] = [0, prefixes.length]
      while (low < high) {
        const middle = (low + high) >>> 1
        if ((prefixes[middle] as string) <= text) low = middle + 1
        else high = middle
      }
      return begins(text, low - 1)
    },
    shorter: (place) => shorter[place] as number,
  }

  function begins(text: string, from: number): number {
    let place = from
    while (place >= 0 && !text.startsWith(prefixes[place] as string)) place = shorter[place] as number
    return place
  }
}
