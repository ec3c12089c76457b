// docs/sandbox.md and docs/configuration.md say what there is, and nothing else.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { sandboxOptions, usualImports } from '../../src/sandbox/options.ts'
import type { RunErrorCode } from '../../src/sandbox/run.ts'
import { walls } from '../../src/sandbox/walls/wall.ts'

const page = readFileSync(new URL('../../docs/sandbox.md', import.meta.url), 'utf8')
const configuration = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
const section = /## `sandbox`\n[\s\S]*?(?=\n## )/.exec(configuration)?.[0] ?? ''

const codes: Readonly<Record<RunErrorCode, true>> = {
  syntax: true,
  'import-forbidden': true,
  exception: true,
  'result-invalid': true,
  limit: true,
  crashed: true,
}

/** The first cells of the table under a heading. */
function firstCells(heading: string): readonly string[] {
  const [, table = ''] = new RegExp(`${heading}[\\s\\S]*?\\n\\| --- .*\\n((?:\\|.*\\n)+)`).exec(page) ?? []
  return [...table.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name = '']) => name)
}

test('CT6: the page names every wall, in their order, and every code of an error', () => {
  assert.deepEqual(firstCells('## The walls'), [...walls])
  assert.deepEqual(firstCells('\\| `error.code` \\|').toSorted(), Object.keys(codes).toSorted())
})

test('CT6: every key of the configuration has its row, with the modules that may be imported where nothing is said', () => {
  const rows = [...section.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, names = '']) => names.split(', '))
  const written = rows.map((name) => name.replaceAll('`', '').split('.')[0])
  assert.deepEqual(written.toSorted(), Object.keys(sandboxOptions.shape).toSorted())
  assert.ok(section.includes(usualImports.join(' ')))
  assert.ok(page.includes(usualImports.join(' ')))
})

test('CT6: the defaults of the page are those of the configuration', () => {
  const { enabled: _, ...defaults } = sandboxOptions.parse({})
  const said = (key: string): string =>
    new RegExp(`\\| \`${key}\` \\| \`?(\\{.*?\\}|[^|\`]*)\`? \\|`).exec(section)?.[1] ?? ''
  const value = (text: string): unknown => new Function(`return (${text})`)()
  assert.deepEqual(sandboxOptions.parse({ limits: value(said('limits')), pool: value(said('pool')) }), {
    enabled: false,
    ...defaults,
  })
})
