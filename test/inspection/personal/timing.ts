import { growthOf } from '../../support/growth.ts'

/** How many times as long a scan takes on four times the text. */
export function growth(scan: (text: string) => unknown, piece: string): number {
  const large = piece.repeat(Math.ceil(1_000_000 / piece.length))
  const small = large.slice(0, 250_000)
  return growthOf(
    () => void scan(small),
    () => void scan(large),
  )
}
