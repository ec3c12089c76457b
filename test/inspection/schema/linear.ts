import assert from 'node:assert/strict'
import { growthOf, linearMax } from '../../support/growth.ts'

/** Fails where time grows faster than the text: `run` makes a call on so many characters. */
export function assertLinear(what: string, run: (characters: number) => () => void): void {
  const ratio = growthOf(run(250_000), run(1_000_000))
  assert.ok(ratio < linearMax, `${what}: four times the text took ${ratio.toFixed(1)} times as long`)
}
