// CT7 through the front door: files by size, content and name, and a scanner of viruses.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { assertRefused, type Guarded, json, multipart, route, sent, startGuarded } from './guarded.ts'

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const virus = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR', '-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('')

/** Speaks `INSTREAM` as clamd does (clamd(8)): every piece with its length before it, and an empty one at the end. */
async function daemon(verdict: (bytes: Buffer) => string | undefined): Promise<{ server: Server; address: string }> {
  const server = createServer((socket) => {
    let read = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      read = Buffer.concat([read, chunk])
      const pieces: Buffer[] = []
      for (let at = 'zINSTREAM\0'.length; at + 4 <= read.byteLength; ) {
        const length = read.readUInt32BE(at)
        if (length === 0) {
          const answer = verdict(Buffer.concat(pieces))
          if (answer !== undefined) socket.end(`${answer}\0`)
          return
        }
        pieces.push(read.subarray(at + 4, at + 4 + length))
        at += 4 + length
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

suite('CT7: uploads', () => {
  let house: Guarded
  const closing: (() => unknown)[] = []

  before(async () => {
    const context = { after: (close: () => unknown) => void closing.push(close) } as never
    const scanner = await daemon((bytes) =>
      bytes.includes(virus) ? 'stream: Eicar-Test-Signature FOUND' : 'stream: OK',
    )
    const silent = await daemon(() => undefined)
    closing.push(
      () => scanner.server.close(),
      () => silent.server.close(),
    )
    const types = ['image/png', 'text/plain']
    const gone = '127.0.0.1:9'
    const clamd = (address: string, more = {}) => ({
      inspection: { uploads: { types, clamd: { address, deadline: '300ms', ...more } } },
    })
    house = await startGuarded(context, {
      inspection: { injection: 'off' },
      routes: [
        route('/files', { inspection: { uploads: { types, max: '100kb', files: 2 } } }),
        route('/scanned', clamd(scanner.address)),
        route('/gone', clamd(gone)),
        route('/silent', clamd(silent.address)),
        route('/gone-allowed', clamd(gone, { whenDown: 'allow' })),
        route('/house', { inspection: { uploads: 'off' } }),
      ],
    })
  })
  after(async () => {
    for (const close of closing.reverse()) await close()
  })

  test('CT7: a file that is what it says goes on byte for byte, in a form and as the body', async () => {
    for (const init of [
      multipart([
        { name: 'note', body: 'hello' },
        { name: 'file', filename: 'one.png', head: 'Content-Type: image/png\r\n', body: png },
      ]),
      sent(png, 'image/png'),
      json({ no: 'file' }),
    ]) {
      const { status, seen, text } = await house.ask('/files', init)
      assert.equal(status, 200, text)
      assert.deepEqual(seen?.body, init.body)
    }
  })

  const refused: readonly (readonly [why: string, init: RequestInit, errors: Record<string, RegExp>])[] = [
    [
      'another type than it says',
      multipart([{ name: 'file', filename: 'a.png', head: 'Content-Type: image/png\r\n', body: 'just text' }]),
      { file: /./ },
    ],
    [
      'a type that is not taken',
      multipart([{ name: 'file', filename: 'a.pdf', body: '%PDF-1.7\n1 0 obj' }]),
      { file: /./ },
    ],
    [
      'a name that leads elsewhere',
      multipart([{ name: 'file', filename: '../a.png', body: png }]),
      { file: /plain file name/ },
    ],
    ['a body that is no picture', sent('GIF89a no', 'image/png'), { body: /./ }],
    [
      'one file too many',
      multipart([1, 2, 3].map((at) => ({ name: `f${at}`, filename: 'a.png', body: png }))),
      { f3: /at most 2 files/ },
    ],
    [
      'a field called `__proto__`',
      multipart([{ name: '__proto__', filename: '../a', body: 'x' }]),
      { ['__proto__']: /plain file name/ },
    ],
  ]
  for (const [why, init, errors] of refused)
    test(`CT7: refused: ${why}`, async () => {
      const outcome = await house.ask('/files', init)
      assertRefused(outcome, 422, 'upload-refused')
      for (const [field, message] of Object.entries(errors)) {
        const told = Object.entries(outcome.problem.errors ?? {}).find(([name]) => name === field)
        assert.match(told?.[1]?.[0] ?? '', message, outcome.text)
      }
      assert.match(String((await house.eventOf(outcome.id)).details['findings']), /\(upload\//)
    })

  const sizes: readonly (readonly [what: string, type: string, begin: string])[] = [
    [
      'a file of a form',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n',
    ],
    ['a body that is a file', 'text/plain', ''],
  ]
  for (const [what, type, begin] of sizes)
    test(`CT7: ${what} that grows past its bound is refused before the rest of it is sent`, async () => {
      const socket = connect(house.port, '127.0.0.1')
      let answered = ''
      socket.on('data', (chunk) => (answered += chunk.toString()))
      socket.on('error', () => {})
      socket.write(`POST /files HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: 900000\r\n\r\n${begin}`)
      for (let sentBytes = 0; sentBytes < 110_000 && answered === ''; sentBytes += 10_000) {
        socket.write('a'.repeat(10_000))
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      await eventually(() => answered.includes('upload-refused') || undefined)
      assert.match(answered, /^HTTP\/1\.1 422 .*expected at most 102400 bytes/s)
      socket.destroy()
      assert.ok(house.reached.every(({ body }) => body.byteLength < 100_000))
    })

  test('CT7: clamd is asked about each file, and refuses by field', async () => {
    const clean = multipart([{ name: 'file', filename: 'a.png', body: png }])
    assert.equal((await house.ask('/scanned', clean)).status, 200)
    const infected = await house.ask(
      '/scanned',
      multipart([
        { name: 'one', filename: 'a.png', body: png },
        { name: 'two', filename: 'a.txt', body: virus },
      ]),
    )
    assertRefused(infected, 422, 'upload-refused')
    assert.deepEqual(infected.problem.errors, { two: ['expected a file that does no harm'] })
    assert.match(String((await house.eventOf(infected.id)).details['findings']), /virus .*upload\/virus/)
    assert.equal((await house.ask('/scanned', json({ no: 'file' }))).status, 200)
  })

  test('CT7: a daemon that is not there, or does not answer in time, has not said that a file is clean', async () => {
    const init = multipart([{ name: 'file', filename: 'a.png', body: png }])
    for (const path of ['/gone', '/silent']) {
      const outcome = await house.ask(path, init)
      assertRefused(outcome, 503, 'unavailable')
      assert.match(String((await house.eventOf(outcome.id)).details['findings']), /upload\/unscanned/)
    }
    const allowed = await house.ask('/gone-allowed', init)
    assert.equal(allowed.status, 200)
    assert.match(String((await house.eventOf(allowed.id)).details['findings']), /upload\/unscanned/)
  })
})
