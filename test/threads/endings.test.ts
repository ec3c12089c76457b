// How a process of several threads ends that nobody has asked to end.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { command as audit } from '../../src/cli/audit.ts'
import { run } from '../cli/in-process.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { startUpstream } from '../support/house.ts'
import { post, type Running, startProcess } from '../support/process.ts'
import { Line, unhurried } from './scene.ts'

const ending = new URL('./ending-thread.ts', import.meta.url).href

test('A60: a thread that dies takes the process with it, and neither that nor kill -9 breaks the chain', async (context) => {
  const upstream = await startUpstream(context, (_request, response) => setTimeout(() => response.end('whole'), 400))
  const config = join(mkdtempSync(join(tmpdir(), 'gatehouse-')), 'gatehouse.config.json')
  const routes = [{ path: '/slow', access: 'public', to: 'api' }]
  writeFileSync(config, JSON.stringify({ limits: unhurried, upstreams: { api: upstream.url }, routes }))
  const dataDir = throwAwayFolder(context)
  const begin = (): Promise<Running> =>
    startProcess(context, ['--config', config, '--threads', '3'], {
      dataDir,
      environment: { NODE_OPTIONS: `--import=${ending}` },
    })
  const answered: string[] = []

  const dying = await begin()
  const load = signingIn(dying, 'dying', answered)
  const slow = Array.from({ length: 12 }, () => slowly(context, dying))
  await until(() => answered.length >= 4)
  const ended = once(dying.child, 'close')
  dying.child.kill('SIGUSR2')
  assert.deepEqual(await ended, [1, null], dying.errors())
  await load
  assert.match(dying.errors(), /thread 3 ended: exit code 1/)
  const whole = (await Promise.all(slow)).filter((text) => text === 'whole').length
  assert.ok(whole > 0, 'what was on its way in the other threads came to its end')

  const killed = await begin()
  const moreLoad = signingIn(killed, 'killed', answered)
  const before = answered.length
  await until(() => answered.length >= before + 6)
  await killed.stop('SIGKILL')
  await moreLoad

  const verified = await run(audit, ['verify', '--data', dataDir, '--config', config])
  assert.equal(verified.code, 0, verified.err)
  const db = new DatabaseSync(join(dataDir, 'gatehouse.db'), { readOnly: true })
  const rows = db.prepare("select request_id from audit_events where type = 'authentication'").all()
  db.close()
  const kept = new Set(rows.map((row) => row['request_id']))
  assert.deepEqual(
    answered.filter((id) => !kept.has(id)),
    [],
    'what was answered is in the chain, whichever thread has answered it',
  )
})

/** Sign-ins, right and wrong ones, by connections of their own, for as long as somebody answers. */
async function signingIn({ url }: Running, name: string, answered: string[]): Promise<void> {
  const callers = Array.from({ length: 4 }, async (_, caller) => {
    for (let sent = 0; ; sent++) {
      const id = `${name}-${caller}-${sent}`
      const password = sent % 2 === 0 ? 'correct horse battery staple' : 'wrong'
      try {
        const headers = { 'x-request-id': id, connection: 'close' }
        const { status } = await post(`${url}/api/auth/login`, { email: 'admin@example.com', password }, headers)
        if (status === 503) return // it is closing
      } catch {
        return // it is gone
      }
      answered.push(id)
    }
  })
  await Promise.all(callers)
}

async function slowly(context: TestContext, { port }: Running): Promise<string> {
  const line = new Line(port)
  context.after(() => line.close())
  return line.ask('GET', '/slow').then(
    ({ text }) => text,
    () => 'broken off',
  )
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !holds(); tries++) await new Promise((resolve) => setTimeout(resolve, 25))
  assert.ok(holds(), 'it did not come to hold within 10 s')
}
