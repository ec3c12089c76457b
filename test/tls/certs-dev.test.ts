// From `gatehouse certs dev` to a request that is known by its certificate, with the tools that people have.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { command } from '../../src/cli/certs.ts'
import { run } from '../cli/in-process.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { mirror, startHouse, startUpstream } from '../support/house.ts'
import { startProcess } from '../support/process.ts'

test('AK5: what `certs dev` makes and prints works with curl, until it is taken back', async (context) => {
  if (!existsSync('/usr/bin/curl')) return context.skip('there is no curl here')
  const out = throwAwayFolder(context)
  const made = await run(command, ['dev', '--out', out, '--client', 'billing'])
  assert.equal(made.code, 0, made.err)
  const at = (name: string): string => join(out, name)
  const upstream = await startUpstream(context, mirror)
  const house = await startHouse(context, {
    upstreams: { api: upstream.url },
    routes: [{ path: '/who', access: 'authenticated', certificate: 'required', to: 'api' }],
    services: { billing: { certificates: [{ dns: 'billing' }] } },
    listen: {
      tls: { cert: at('server.pem'), key: at('server.key'), clientCa: at('ca.pem'), crl: at('crl.pem') },
    },
  })
  const line = /^ {2}curl (.*)$/m.exec(made.out)?.[1]?.replace('localhost:8080/health', `localhost:${house.port}/who`)
  assert.ok(line !== undefined)
  const curl = async (args: string): Promise<{ readonly code: number; readonly out: string }> => {
    const child = spawn('/bin/sh', ['-c', `curl -sS ${args}`], { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
    const [code] = (await once(child, 'close')) as [number]
    return { code, out: text }
  }
  const known = await curl(line)
  assert.equal(known.code, 0, known.out)
  assert.match(known.out, /"x-gatehouse-service":"billing"/)
  assert.match((await curl(line.replace(/--cert \S+ --key \S+/, ''))).out, /"code":"certificate-required"/)
  assert.notEqual((await curl(line.replace(/--cacert \S+/, ''))).code, 0, 'the authority is not one of the web’s')

  const revoked = await run(command, ['revoke', at('client-billing.pem'), '--out', out])
  assert.equal(revoked.code, 0, revoked.err)
  await house.listener.reloadTls()
  assert.match((await curl(line)).out, /"code":"certificate-required"/)
  const renewed = await run(command, ['dev', '--out', out, '--client', 'billing'])
  assert.equal(renewed.code, 0, renewed.err)
  await house.listener.reloadTls()
  assert.match((await curl(line)).out, /"x-gatehouse-service":"billing"/)
  assert.match(readFileSync(at('crl.pem'), 'utf8'), /BEGIN X509 CRL/)
})

test('a gate of `start` says https, answers with its certificate, and reads it again on SIGHUP', async (context) => {
  const out = throwAwayFolder(context)
  const make = (...args: string[]) => run(command, ['dev', '--out', out, ...args])
  assert.equal((await make()).code, 0)
  const [cert, key, ca] = ['server.pem', 'server.key', 'ca.pem'].map((name) => join(out, name)) as [
    string,
    string,
    string,
  ]
  const config = join(out, 'gatehouse.config.json')
  writeFileSync(config, JSON.stringify({ listen: { tls: { cert, key, watch: '1h' } } }))
  const gate = await startProcess(context, ['--config', config])
  assert.match(gate.url, /^https:\/\/127\.0\.0\.1:\d+$/)
  const shown = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(
        { port: gate.port, host: '127.0.0.1', ca: readFileSync(ca), servername: 'localhost' },
        () => {
          resolve(socket.getPeerX509Certificate()?.serialNumber ?? '')
          socket.destroy()
        },
      )
      socket.on('error', reject)
    })
  const serial = (): string => new X509Certificate(readFileSync(cert)).serialNumber
  const before = serial()
  assert.equal(await shown(), before)
  assert.equal((await make('--host', 'other.example')).code, 0)
  gate.child.kill('SIGHUP')
  for (let tries = 0; tries < 200 && !gate.errors().includes('read the files of `listen.tls` again'); tries++)
    await new Promise((resolve) => setTimeout(resolve, 25))
  assert.notEqual(serial(), before)
  assert.equal(await shown(), serial())
  writeFileSync(key, 'hello', { mode: 0o600 })
  gate.child.kill('SIGHUP')
  for (let tries = 0; tries < 200 && !gate.errors().includes('the old ones stay'); tries++)
    await new Promise((resolve) => setTimeout(resolve, 25))
  assert.match(gate.errors(), /the old ones stay: listen\.tls\.key: `.*` is no PEM file of a private key/)
  assert.equal(await shown(), serial())
  assert.equal(await gate.stop(), 0)
})
