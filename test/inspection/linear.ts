import assert from 'node:assert/strict'
import { growthOf, linearMax } from '../support/growth.ts'

/** Asserts that four times the text takes no more than about four times as long, whatever is repeated in it. */
export function assertLinear(name: string, pattern: string, run: (text: string) => void): void {
  const ratio = growthOf(
    () => run(repeated(pattern, 250_000)),
    () => run(repeated(pattern, 1_000_000)),
  )
  assert.ok(ratio < linearMax, `${name}: four times the text took ${ratio.toFixed(1)} times as long`)
}

function repeated(pattern: string, length: number): string {
  return pattern.repeat(Math.ceil(length / pattern.length)).slice(0, length)
}
