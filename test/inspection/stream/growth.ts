import assert from 'node:assert/strict'
import { growthOf, linearMax } from '../../support/growth.ts'

/** Four times the input takes about four times as long, of a quarter of a megabyte and of a whole one. */
export function growsLinearly(unit: string, work: (text: string) => void, opening = ''): void {
  const of = (size: number) => () => work(opening + unit.repeat(size / unit.length))
  const ratio = growthOf(of(262_144), of(1_048_576))
  assert.ok(ratio < linearMax, `four times the text took ${ratio.toFixed(1)} times as long`)
}
