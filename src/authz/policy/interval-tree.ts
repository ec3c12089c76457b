import type { Range } from './range.ts'

/**
 * Puts ranges on the nodes of a segment tree, each on few of them, so that a number meets the nodes that lie above it, and on
 * these every range that it lies in and no other. Nodes are counted from 1, the root, as in a heap.
 */
export interface IntervalTree {
  /** One more than the last node. */
  readonly size: number
  /** The nodes that together make up the range: 2 log n at most, without repetition. */
  nodesOf(range: Range): readonly number[]
  /** The lowest node above the number, which is no NaN; the next above it is half of it, and the root the last. */
  nodeOf(number: number): number
}

export function intervalTree(ranges: readonly Range[]): IntervalTree {
  const ends = Float64Array.from(
    new Set(ranges.flatMap(({ from, to }) => [from, to]).filter((end) => Number.isFinite(end))),
  ).sort()
  // The leaves: each end by itself, and the numbers before, between and behind them.
  const leaves = 2 * ends.length + 1

  /** The place of the first end that is not below the number. */
  const placeOf = (number: number): number => {
    let [low, high] = [0, ends.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((ends[middle] as number) < number) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    size: 2 * leaves,
    nodesOf({ from, to, withFrom, withTo }) {
      const nodes: number[] = []
      let low = leaves + (from === Number.NEGATIVE_INFINITY ? 0 : 2 * placeOf(from) + (withFrom ? 1 : 2))
      let high = leaves + (to === Number.POSITIVE_INFINITY ? leaves : 2 * placeOf(to) + (withTo ? 2 : 1))
      for (; low < high; low >>= 1, high >>= 1) {
        if (low % 2 === 1) nodes.push(low++)
        if (high % 2 === 1) nodes.push(--high)
      }
      return nodes
    },
    nodeOf(number) {
      const place = placeOf(number)
      return leaves + 2 * place + (ends[place] === number ? 1 : 0)
    },
  }
}
