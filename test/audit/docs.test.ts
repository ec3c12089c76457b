import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')

test('AU1: the page about the record names every type of event and every action, and no other', () => {
  assert.deepEqual(
    rowsOf(readFileSync(join(root, 'docs/audit.md'), 'utf8')),
    unionOf(readFileSync(join(root, 'src/audit/event.ts'), 'utf8')),
  )
})

/** Type → actions, as the closed union has them. */
function unionOf(source: string): Readonly<Record<string, readonly string[]>> {
  const named = new Map(
    [...source.matchAll(/export type (\w+Action) =([^;]*?)\n\n/g)].map(([, name, body]) => [name, quoted(body ?? '')]),
  )
  const entries = [...source.matchAll(/\| Entry<'(\w+)', ([^>]+)>/g)].map(
    ([, type = '', actions = '']) => [type, (named.get(actions) ?? quoted(actions)).toSorted()] as const,
  )
  assert.ok(entries.length >= 10)
  return Object.fromEntries(entries)
}

function quoted(text: string): readonly string[] {
  return [...text.matchAll(/'([^']+)'/g)].map(([, word]) => word as string)
}

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
