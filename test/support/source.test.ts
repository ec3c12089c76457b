import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Reference, readSource } from './source.ts'

const snippets: Record<string, { text: string; references: readonly Reference[] }> = {
  'every form of import and export': {
    text: `
      import './effect.ts'
      import one from "./one.ts"
      import * as all from './all.ts'
      import two, { three as four, type Five } from './many.ts'
      import {
        six, // './comment.ts'
        seven,
      } from './lines.ts'
      import type { Eight } from './eight.ts'
      import type Nine from './nine.ts'
      export { ten } from './ten.ts'
      export * from './star.ts'
      export * as eleven from './named.ts'
      export type { Twelve } from './twelve.ts'
      import $ from'./tight.ts'
      import type from './default-called-type.ts'
    `,
    references: [
      ...['./effect.ts', './one.ts', './all.ts', './many.ts', './lines.ts'].map(
        (to) => ({ to, by: 'import' }) as const,
      ),
      ...['./eight.ts', './nine.ts'].map((to) => ({ to, by: 'type' }) as const),
      ...['./ten.ts', './star.ts', './named.ts'].map((to) => ({ to, by: 'import' }) as const),
      { to: './twelve.ts', by: 'type' },
      { to: './tight.ts', by: 'import' },
      { to: './default-called-type.ts', by: 'import' },
    ],
  },
  'imports while running, and types by import': {
    text: `
      const room = await import('./room.ts')
      const { open } = (await import("./door.ts")).default
      type Row = import('./schema.ts').Row
      const chosen = await import(chosenName)
    `,
    references: [
      { to: './room.ts', by: 'import' },
      { to: './door.ts', by: 'import' },
      { to: './schema.ts', by: 'type' },
    ],
  },
  'threads, also where the built form is chosen': {
    text: `
      new Worker(new URL('./one.ts', import.meta.url))
      const here = import.meta.url.endsWith('.ts')
      new Worker(new URL(here ? './two.ts' : './two.js', import.meta.url), { workerData: 1 })
      new Worker(
        new URL(
          import.meta.url.endsWith('.ts') ? '../three.ts' : '../three.js',
          import.meta.url,
        ),
      )
      new URL('./page.html', import.meta.url); new URL('/path', base)
    `,
    references: ['./one.ts', './two.ts', './two.js', '../three.ts', '../three.js'].map((to) => ({ to, by: 'thread' })),
  },
  'what stands in comments, texts and patterns names nothing': {
    text: `
      // import './comment.ts'
      /* import './block.ts'
         import './more.ts' */
      const text = "import './text.ts'"
      const quoted = 'it\\'s import "./escaped.ts"'
      const template = \`import './template.ts' \${ [\`import './inner.ts'\`, { a: 1 }] } import './after.ts'\`
      const pattern = /import '.\\/pattern.ts'/g
      const inClass = /[/'"\`]/.test(text) ? 1 / 2 : 3 / 4 // ' an apostrophe
      const half = (1 + 1) / 2; const third = list[0] / 3 /* " */
      import './seen.ts'
    `,
    references: [{ to: './seen.ts', by: 'import' }],
  },
  'code inside a template is code': {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the braces are what is tested
    text: 'const a = `${await import("./inside.ts")} and ${`${await import("./deeper.ts")}`}`',
    references: [
      { to: './inside.ts', by: 'import' },
      { to: './deeper.ts', by: 'import' },
    ],
  },
  'words that only look like an import': {
    text: `
      const importer = { import: 'x.ts', from: './no.ts' }
      export const from = './neither.ts'
      export default './nor.ts'
      const url = import.meta.url + './this.ts'
      export function type() { return './that.ts' }
      export type Name = 'one.ts' | 'two.ts'
    `,
    references: [],
  },
}

for (const [name, { text, references }] of Object.entries(snippets)) {
  test(`the scanner reads ${name}`, () => {
    assert.deepEqual(readSource(text).references, references)
  })
}

test('the scanner keeps every line where it was', () => {
  const text = "/* one\ntwo */ const a = `three\nfour`\n// five\nDate.now() // six\nconst b = /'/\nDate.now()"
  const lines = readSource(text).code.split('\n')
  assert.equal(lines.length, text.split('\n').length)
  assert.deepEqual(
    lines.flatMap((line, index) => (line.includes('Date.now()') ? [index] : [])),
    [4, 6],
  )
})
