/** Numbers that lie together, from one up to another. An end that is infinite belongs to it. */
export interface Range {
  readonly from: number
  readonly to: number
  readonly withFrom: boolean
  readonly withTo: boolean
}

export function above(number: number, itself: boolean): Range {
  return { from: number, to: Number.POSITIVE_INFINITY, withFrom: itself, withTo: true }
}

export function below(number: number, itself: boolean): Range {
  return { from: Number.NEGATIVE_INFINITY, to: number, withFrom: true, withTo: itself }
}

/** What two ranges share; undefined where it is nothing. */
export function overlap(one: Range, other: Range): Range | undefined {
  const lower = one.from > other.from || (one.from === other.from && !one.withFrom) ? one : other
  const upper = one.to < other.to || (one.to === other.to && !one.withTo) ? one : other
  const [{ from, withFrom }, { to, withTo }] = [lower, upper]
  return from < to || (from === to && withFrom && withTo) ? { from, to, withFrom, withTo } : undefined
}
