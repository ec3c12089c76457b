// TLS, the plain port that sends to it, and meters: with several threads, where each could have gone its own way.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'node:tls'
import { type FellowMeters, openFellowMeters } from '../../src/gate/fellow-meters.ts'
import { type Authority, type Identity, makeAuthority } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { mirror, rawExchange, startUpstream } from '../support/house.ts'
import { type Running, startProcess } from '../support/process.ts'
import { unhurried } from './scene.ts'

const publicUrl = 'https://gate.example.com'

interface TlsScene {
  readonly running: Running
  readonly root: Authority
  readonly redirectPort: number
  readonly first: Identity
  write(identity: Identity): void
}

async function tlsThreads(context: TestContext): Promise<TlsScene> {
  const upstream = await startUpstream(context, mirror)
  const folder = throwAwayFolder(context)
  const [cert, key, config] = ['server.pem', 'server.key', 'gatehouse.config.json'].map((name) => join(folder, name))
  const root = await makeAuthority('CN=Root')
  const issue = (): Promise<Identity> => root.issue({ dns: ['localhost'], addresses: ['127.0.0.1'] })
  const write = (identity: Identity): void => {
    writeFileSync(cert as string, identity.cert, { mode: 0o600 })
    writeFileSync(key as string, identity.key, { mode: 0o600 })
  }
  const first = await issue()
  write(first)
  const written = {
    publicUrl,
    limits: unhurried,
    upstreams: { api: upstream.url },
    routes: [{ path: '/open', access: 'public', to: 'api' }],
    listen: { tls: { cert, key, watch: '1h' }, https: { redirectFrom: 0 } },
  }
  writeFileSync(config as string, JSON.stringify(written))
  const running = await startProcess(context, ['--config', config as string, '--threads', '3'])
  const said = /Whoever comes to port (\d+) is sent there/.exec(running.output())?.[1]
  return { running, root, redirectPort: Number(said ?? assert.fail(running.output())), first, write }
}

/** The certificate that each of many connections is shown: hardly a thread gets none of them. */
async function shown({ running, root }: TlsScene): Promise<ReadonlySet<string>> {
  const texts = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const socket = connect({ host: '127.0.0.1', port: running.port, ca: root.cert, servername: 'localhost' })
      await once(socket, 'secureConnect')
      const text = socket.getPeerX509Certificate()?.toString() ?? 'none'
      socket.destroy()
      return text.trim()
    }),
  )
  return new Set(texts)
}

test('TR11: every thread sends those who come without TLS to https, and new certificates are taken over by all or by none', async (context) => {
  const scene = await tlsThreads(context)
  const { running, redirectPort, root } = scene
  const answers = await Promise.all(
    Array.from({ length: 40 }, () =>
      rawExchange(redirectPort, 'GET /open?q=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n', 3_000),
    ),
  )
  for (const answer of answers)
    assert.match(answer, /^HTTP\/1\.1 301 [\s\S]*\r\nLocation: https:\/\/gate\.example\.com\/open\?q=1\r\n/)
  assert.deepEqual([...(await shown(scene))], [scene.first.cert.trim()])

  const second = await root.issue({ dns: ['localhost'], addresses: ['127.0.0.1'] })
  scene.write(second)
  running.child.kill('SIGHUP')
  await eventually(() => (/read the files of `listen\.tls` again/.test(running.errors()) ? true : undefined))
  assert.deepEqual([...(await shown(scene))], [second.cert.trim()])

  scene.write({ cert: 'no certificate', key: second.key })
  running.child.kill('SIGHUP')
  await eventually(() => (/were not taken over, and the old ones stay/.test(running.errors()) ? true : undefined))
  assert.deepEqual([...(await shown(scene))], [second.cert.trim()])
  assert.equal(await running.stop(), 0)
  await assert.rejects(rawExchange(redirectPort, 'GET / HTTP/1.1\r\n\r\n'), /ECONNREFUSED/)
})

test('a thread that is asked for its numbers while it closes, or cannot read them, is silent, and nothing worse', async (context) => {
  const failures: unknown[] = []
  const note = (error: unknown): void => void failures.push(error)
  process.on('unhandledRejection', note)
  context.after(() => process.off('unhandledRejection', note))
  const house = `fellows ${process.pid}`
  const open = (number: number, own: () => Promise<readonly object[]>): FellowMeters => {
    const meters = openFellowMeters({ number, of: 3, house, own })
    context.after(() => meters.close())
    return meters
  }
  const asked = Promise.withResolvers<void>()
  const asking = open(1, async () => [{ of: 1 }])
  const closing = open(2, async () => {
    asked.resolve()
    await pause(50)
    return [{ of: 2 }]
  })
  open(3, async () => {
    throw new Error('one gauge cannot be read')
  })
  const reading = asking.read()
  await asked.promise
  closing.close()
  assert.deepEqual([...(await reading)], [[1, [{ of: 1 }]]])
  assert.deepEqual(failures, [])
})
