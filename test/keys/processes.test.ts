import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemRandom } from '../../src/kernel/id.ts'
import { openRootKey } from '../../src/keys/root.ts'
import { openStore } from '../../src/store/database.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { openRing } from './cases.ts'

for (const algorithm of ['EdDSA', 'HS256'] as const) {
  test(`DP6: processes that start at once in an empty folder agree on one root key and one ${algorithm} key`, async (context) => {
    const folder = throwAwayFolder(context)
    const starters = await Promise.all(Array.from({ length: 4 }, () => starter(context, folder, algorithm)))
    const said = starters.map((child) => word(child))
    for (const child of starters) child.stdin?.write('go\n')
    const keys = await Promise.all(said)
    assert.equal(new Set(keys).size, 1, keys.join(''))
    assert.match(keys[0] ?? '', /^[0-9a-f]{64} [\w-]{22,43}\n$/)
    assert.equal(statSync(join(folder, 'root.key')).mode & 0o777, 0o600)
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('root.key')),
      ['root.key'],
    )
  })
}

/** A process that has loaded everything and waits for the word to begin. */
async function starter(context: TestContext, folder: string, algorithm: string): Promise<ChildProcess> {
  const program = new URL('./opening-process.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [program, folder, algorithm], { stdio: ['pipe', 'pipe', 'inherit'] })
  context.after(() => child.kill('SIGKILL'))
  assert.equal(await word(child), 'ready\n')
  return child
}

/** The next line that it prints. */
function word(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString()))
    child.once('close', (code) => reject(new Error(`it ended with ${code}, and printed nothing`)))
  })
}

test('A8: nothing private can be read in the files of a store', async (context) => {
  const folder = throwAwayFolder(context)
  const store = await openStore(`sqlite:${folder}/gatehouse.db`)
  const root = await openRootKey({ environment: {}, dataDir: folder, random: systemRandom, db: store.db })
  const secrets = [
    readFileSync(join(folder, 'root.key'), 'utf8').trim(),
    root.derive('signing keys').toString('base64url'),
  ]
  for (const algorithm of ['EdDSA', 'ES256', 'RS256', 'HS256'] as const) {
    const { privateKey } = (await openRing(store, algorithm, { root })).signing()
    const { d, p, q, k } = privateKey.export({ format: 'jwk' })
    for (const secret of [d, p, q, k]) if (secret !== undefined) secrets.push(secret)
  }
  assert.equal(secrets.length, 8)
  const onDisk = (): Buffer =>
    Buffer.concat(
      readdirSync(folder)
        .filter((name) => name !== 'root.key')
        .map((name) => readFileSync(join(folder, name))),
    )
  const whileOpen = onDisk()
  await store.close()
  for (const bytes of [whileOpen, onDisk()]) {
    assert.ok(bytes.includes('signing_keys'), 'the files of the store')
    for (const secret of secrets) {
      const raw = Buffer.from(secret, 'base64url')
      for (const form of [secret, raw, raw.toString('hex'), raw.toString('base64')]) {
        assert.ok(!bytes.includes(form), 'a private part lies open')
      }
    }
  }
})
