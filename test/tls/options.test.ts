// What `gatehouse check` says of `listen.tls`, and the certificates that `gatehouse certs` makes.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { command } from '../../src/cli/certs.ts'
import { listenOptions } from '../../src/endpoints/options.ts'
import { checkTls, loadTls } from '../../src/endpoints/tls.ts'
import { run } from '../cli/in-process.ts'
import { type Authority, type Identity, makeAuthority } from '../support/certificates.ts'
import { throwAwayFolder } from '../support/folder.ts'

let root: Authority
let server: Identity

before(async () => {
  root = await makeAuthority('CN=Root')
  server = await root.issue({ dns: ['localhost'] })
})

test('AK5: every mistake in `listen.tls` is told by its place', async (context) => {
  const folder = throwAwayFolder(context)
  const write = (name: string, text: string, mode = 0o600): string => {
    writeFileSync(join(folder, name), text, { mode })
    chmodSync(join(folder, name), mode)
    return join(folder, name)
  }
  const [cert, key] = [write('cert.pem', server.cert), write('key.pem', server.key)]
  const clientCa = write('ca.pem', root.cert)
  const strange = await root.issue()
  const encrypted = write('encrypted.key', encryptedKey(key))
  const weak = weakIdentity(folder)
  const rows: readonly (readonly [listen: Record<string, unknown>, path: string | undefined, message?: RegExp])[] = [
    [{ tls: { cert, key } }, undefined],
    [
      { tls: { cert, key, clientCa, clientCertificates: 'required', crl: [write('r.pem', await root.revoke())] } },
      undefined,
    ],
    [{ tls: { cert, key, clientCertificates: 'optional' } }, undefined],
    [{ tls: { cert, key: encrypted, passphrase: { env: 'PASS' } } }, undefined],
    [{ tls: { cert: join(folder, 'none'), key } }, 'listen.tls.cert', /cannot be read \(ENOENT\)/],
    [{ tls: { cert: key, key } }, 'listen.tls.cert', /holds no `BEGIN CERTIFICATE`/],
    [{ tls: { cert, key: cert } }, 'listen.tls.key', /no PEM file of a private key/],
    [{ tls: { cert, key: write('strange.key', strange.key) } }, 'listen.tls.key', /does not fit the certificate/],
    [{ tls: { cert, key: write('open.key', server.key, 0o644) } }, 'listen.tls.key', /read by others: `chmod 640`/],
    [{ tls: { cert, key: write('group.key', server.key, 0o640) } }, undefined],
    [{ tls: { cert, key: write('written.key', server.key, 0o660) } }, 'listen.tls.key', /read by others/],
    [{ tls: { cert, key: encrypted } }, 'listen.tls.key', /is encrypted: expected `passphrase`/],
    [{ tls: { cert, key: encrypted, passphrase: { env: 'WRONG' } } }, 'listen.tls.passphrase', /does not open/],
    [{ tls: { cert, key, passphrase: { env: 'NONE' } } }, 'listen.tls.passphrase', /`NONE` is not set/],
    [{ tls: { cert, key, clientCertificates: 'required' } }, 'listen.tls.clientCertificates', /expected `clientCa`/],
    [{ tls: { cert, key, crl: clientCa } }, 'listen.tls.crl', /expected `clientCa`/],
    [{ tls: { cert, key, clientCa, crl: clientCa } }, 'listen.tls.crl', /holds no `BEGIN X509 CRL`/],
    [{ tls: { cert, key, clientCa: cert } }, 'listen.tls.clientCa', /may not issue certificates/],
    [{ tls: { ...weak } }, 'listen.tls.cert', /not accepted for TLS: ee key too small/],
    [{ clientCertHeader: true }, 'listen.clientCertHeader', /expected `trustedProxies`/],
    [{ clientCertHeader: true, trustedProxies: ['10.0.0.0/8'] }, undefined],
    [
      { clientCertHeader: true, trustedProxies: ['10.0.0.0/8', '0.0.0.0/0'] },
      'listen.clientCertHeader',
      /is everybody/,
    ],
    [
      { clientCertHeader: { clientCa: key }, trustedProxies: ['10.0.0.0/8'] },
      'listen.clientCertHeader.clientCa',
      /holds no/,
    ],
  ]
  const environment = { PASS: 'open sesame', WRONG: 'close sesame' }
  for (const [listen, path, message = /^/] of rows) {
    const mistakes = checkTls(listenOptions.parse(listen), environment)
    assert.deepEqual(
      mistakes.map((mistake) => mistake.path),
      path === undefined ? [] : [path],
      JSON.stringify([listen, mistakes]),
    )
    if (path !== undefined) assert.match(mistakes[0]?.message ?? '', message)
    assert.doesNotMatch(JSON.stringify(mistakes), /sesame|PRIVATE KEY/)
  }
})

function encryptedKey(key: string): string {
  const made = spawnSync('openssl', ['pkey', '-in', key, '-aes256', '-passout', 'pass:open sesame'])
  return made.stdout.toString()
}

/** Too short for what a handshake is held to. */
function weakIdentity(folder: string): { readonly cert: string; readonly key: string } {
  const [cert, key] = [join(folder, 'weak.pem'), join(folder, 'weak.key')]
  spawnSync('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:1024',
    '-nodes',
    '-keyout',
    key,
    '-out',
    cert,
    '-subj',
    '/CN=weak',
  ])
  return { cert, key }
}

test('suites without forward secrecy or authentication are refused by name, and so are other words of OpenSSL', () => {
  const parse = (tls: Record<string, unknown>) => listenOptions.safeParse({ tls: { cert: 'a', key: 'b', ...tls } })
  assert.equal(parse({ ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256' }).success, true)
  for (const ciphers of ['AES128-SHA', 'ALL', 'ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0', '', 'HIGH:!aNULL', 'NULL'])
    assert.match(parse({ ciphers }).error?.issues[0]?.message ?? '', /is none of the suites that are safe/, ciphers)
  assert.equal(parse({ minVersion: 'TLSv1.1' }).success, false)
  assert.equal(parse({ rejectUnauthorized: false }).success, false)
})

test('what has run out, or soon will, is a warning and no mistake', async (context) => {
  const folder = throwAwayFolder(context)
  const loaded = async (untilMs: number, crl?: string): Promise<string> => {
    const { cert, key } = await root.issue({ untilMs })
    for (const [name, text] of Object.entries({ cert, key, ca: root.cert, crl: crl ?? '' }))
      writeFileSync(join(folder, name), text, { mode: 0o600 })
    const tls = {
      cert: join(folder, 'cert'),
      key: join(folder, 'key'),
      ...(crl === undefined ? {} : { clientCa: join(folder, 'ca'), crl: join(folder, 'crl') }),
    }
    const outcome = loadTls(listenOptions.parse({ tls }).tls as never, {}, Date.now())
    assert.ok(!('mistakes' in outcome), JSON.stringify(outcome))
    return outcome.warnings.map(({ path, message }) => `${path}: ${message}`).join()
  }
  assert.match(await loaded(-60_000), /^listen\.tls\.cert: it has run out at \d{4}-/)
  assert.match(await loaded(100), /^listen\.tls\.cert: it (?:runs|has run) out at/)
  assert.equal(await loaded(30 * 86_400_000), '')
  assert.match(
    await loaded(30 * 86_400_000, await root.revoke([], { fromMs: -90_000, untilMs: -60_000 })),
    /`CN=Root` is out of date/,
  )
  const other = await makeAuthority('CN=Other')
  assert.match(await loaded(30 * 86_400_000, await other.revoke()), /`CN=Root` has no revocation list/)
})

test('`certs dev` makes an authority once, and certificates as often as they are asked for', async (context) => {
  const out = join(throwAwayFolder(context), 'my certs')
  const first = await run(command, [
    'dev',
    '--out',
    out,
    '--client',
    'billing',
    '--host',
    'gate.example',
    '--host',
    '10.1.2.3',
  ])
  assert.equal(first.code, 0, first.err)
  const files = [
    '.gitignore',
    'ca.key',
    'ca.pem',
    'client-billing.key',
    'client-billing.pem',
    'crl.pem',
    'server.key',
    'server.pem',
  ]
  assert.deepEqual(readdirSync(out).toSorted(), files)
  for (const name of files.filter((name) => name.endsWith('.key')))
    assert.equal(statSync(join(out, name)).mode & 0o777, 0o600, name)
  const read = (name: string): X509Certificate => new X509Certificate(readFileSync(join(out, name)))
  const [authority, made] = [read('ca.pem'), read('server.pem')]
  assert.ok(made.checkIssued(authority) && made.verify(authority.publicKey))
  for (const name of ['localhost', 'gate.example']) assert.equal(made.checkHost(name), name)
  for (const address of ['127.0.0.1', '::1', '10.1.2.3']) assert.equal(made.checkIP(address), address)
  const days = (made.validToDate.getTime() - Date.now()) / 86_400_000
  assert.ok(days > 29.9 && days < 30.1)
  assert.equal(made.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')

  const again = await run(command, ['dev', '--out', out, '--client', 'orders'])
  assert.equal(again.code, 0, again.err)
  assert.equal(read('ca.pem').fingerprint256, authority.fingerprint256)
  assert.equal(read('server.pem').fingerprint256, made.fingerprint256)
  assert.ok(read('client-orders.pem').verify(authority.publicKey))
  const listen = /listen: (\{.*\}),$/m.exec(again.out)?.[1] ?? ''
  const mistakes = checkTls(listenOptions.parse(new Function(`return ${listen}`)()), {})
  assert.deepEqual(mistakes, [])
})

test('`certs` writes a key into no file that somebody else has laid there', async (context) => {
  const out = throwAwayFolder(context)
  const elsewhere = join(throwAwayFolder(context), 'theirs')
  writeFileSync(elsewhere, '')
  symlinkSync(elsewhere, join(out, 'server.key.new'))
  writeFileSync(join(out, 'client-billing.key.new'), '', { mode: 0o644 })
  const { code, err } = await run(command, ['dev', '--out', out, '--client', 'billing'])
  assert.equal(code, 0, err)
  assert.equal(readFileSync(elsewhere, 'utf8'), '')
  for (const name of ['server.key', 'client-billing.key']) {
    const found = lstatSync(join(out, name))
    assert.deepEqual([found.isFile(), found.mode & 0o777], [true, 0o600], name)
  }
})

test('`certs` refuses what would break an authority, and names that are none', async (context) => {
  const out = throwAwayFolder(context)
  const says = async (args: readonly string[], message: RegExp): Promise<void> => {
    const { code, err } = await run(command, [...args, '--out', out])
    assert.equal(code, 2, args.join(' '))
    assert.match(err, message)
  }
  await says([], /^usage:/)
  await says(['dev', 'more'], /^usage:/)
  await says(['dev', '--client', '../evil'], /--client: expected/)
  await says(['dev', '--client', 'Upper'], /--client: expected/)
  await says(['dev', '--host', 'a, DNS:b'], /--host: expected/)
  await says(['revoke', join(out, 'none.pem')], /no authority lies in/)
  assert.deepEqual(readdirSync(out), [])
  assert.equal((await run(command, ['dev', '--out', out])).code, 0)
  const authority = readFileSync(join(out, 'ca.pem'), 'utf8')
  writeFileSync(join(out, 'other.pem'), server.cert)
  await says(['revoke', join(out, 'other.pem')], /was not issued by the authority/)
  await says(['revoke', join(out, 'none.pem')], /is not there/)
  await says(['revoke', join(out, 'ca.key')], /is no certificate/)
  rmSync(join(out, 'ca.key'))
  await says(['dev'], /ca\.pem` is there and `.*ca\.key` is not/)
  assert.equal(readFileSync(join(out, 'ca.pem'), 'utf8'), authority)
  assert.equal(existsSync(join(out, 'ca.key')), false)
  mkdirSync(join(out, 'file'))
})
