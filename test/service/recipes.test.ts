// What docs/services.md tells people to run does what it says.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { claimsAt, reportsSecret, serviceScene, target } from './scene.ts'

const page = readFileSync(new URL('../../docs/services.md', import.meta.url), 'utf8')

test('AK4: the recipe of the page makes a token that holds', async (context) => {
  const at = await serviceScene(context, async () => 'sqlite::memory:')
  const [, recipe = ''] = /```js\n([\s\S]*?)```/.exec(page) ?? []
  const now = Number(claimsAt(at.clock, 'reports')['iat'])
  const call = `console.log(serviceToken('reports', '${target}', ${JSON.stringify(reportsSecret)}, ${now}))`
  const token = execFileSync(process.execPath, ['--input-type=module', '--eval', `${recipe}\n${call}`], {
    encoding: 'utf8',
  })
  const held = at.book.verify(token.trim(), [target])
  assert.equal('code' in held ? held.reason : held.id, 'reports')
})
