import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { actions } from '../../src/audit/event.ts'

test('AU1: the page about the record names every type of event and every action, and no other', () => {
  assert.deepEqual(
    rowsOf(readFileSync(join(import.meta.dirname, '../../docs/audit.md'), 'utf8')),
    Object.fromEntries(Object.entries(actions).map(([type, all]) => [type, all.toSorted()])),
  )
})

/** `| \`type\` | \`action\`, … |` */
function rowsOf(page: string): Readonly<Record<string, readonly string[]>> {
  const rows = [...page.matchAll(/^\| `(\w+)` \| (`.*`) \|/gm)]
  return Object.fromEntries(
    rows.map(([, type, actions = '']) => [
      type,
      [...actions.matchAll(/`([^`]+)`/g)].map(([, one]) => one as string).toSorted(),
    ]),
  )
}
