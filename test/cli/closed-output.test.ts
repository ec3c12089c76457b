import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'

const main = join(import.meta.dirname, '../../src/main.ts')

test('a command whose reader has had enough ends as it would have, and shows nobody a stack', async () => {
  const child = spawn(process.execPath, [main, 'detect', 'rules'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let complained = ''
  child.stderr.on('data', (text) => {
    complained += text
  })
  child.stdout.destroy()
  const [code] = await once(child, 'close')
  assert.deepEqual([code, complained], [0, ''])
})
