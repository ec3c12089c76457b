import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliCompressSync, createGzip, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import type { RawHeaders } from '../../../src/http/raw-headers.ts'
import { HeldSource, type Sink, type Source } from '../../../src/http/source.ts'
import { type ScreenedHead, screenSource, usualBounds } from '../../../src/inspection/stream/screen-source.ts'
import { Unscreenable } from '../../../src/inspection/stream/transform.ts'
import { Fault } from '../../../src/kernel/error.ts'
import { card, email, promptMarks, redactorOf } from './marks.ts'

const redactor = redactorOf(promptMarks)
const json = `{"é":"${email}","n":[1, 2.50]}`
const clean = '{"é":"[EMAIL]","n":[1, 2.50]}'

/** The far end: gives as fast as it may, and remembers what it was told. */
class FarEnd implements Source {
  readonly told: string[] = []
  sink: Sink | undefined
  flow(sink: Sink): void {
    this.sink = sink
  }
  pause(): void {
    this.told.push('pause')
  }
  resume(): void {
    this.told.push('resume')
  }
  abort(reason: Error): void {
    this.told.push(`abort: ${reason.message}`)
  }
  give(chunks: readonly Uint8Array[], trailers: RawHeaders = []): void {
    for (const bytes of chunks) this.sink?.chunk(bytes)
    this.sink?.end(trailers)
  }
}

class Reader implements Sink {
  readonly chunks: Uint8Array[] = []
  trailers: RawHeaders | undefined
  error: Error | undefined
  readonly over = Promise.withResolvers<void>()
  chunk(bytes: Uint8Array): void {
    this.chunks.push(bytes)
  }
  end(trailers: RawHeaders): void {
    this.trailers = trailers
    this.over.resolve()
  }
  fail(error: Error): void {
    this.error = error
    this.over.resolve()
  }
  get text(): string {
    return Buffer.concat(this.chunks).toString()
  }
}

function screened(head: Partial<ScreenedHead>, bounds = usualBounds) {
  const far = new FarEnd()
  const screening = screenSource(
    far,
    { contentType: 'application/json', contentEncoding: undefined, ...head },
    redactor,
    bounds,
  )
  assert.ok('body' in screening, JSON.stringify(screening))
  assert.ok(!(screening.body instanceof Uint8Array))
  const reader = new Reader()
  screening.body.flow(reader)
  return { far, reader, body: screening.body, redactions: screening.redactions }
}

const single = (bytes: Uint8Array): Uint8Array[] => Array.from(bytes, (byte) => Uint8Array.of(byte))
const split = (bytes: Uint8Array, at: number): Uint8Array[] => [bytes.subarray(0, at), bytes.subarray(at)]

test('CT4: bytes cut anywhere, within a character too, come out the same', () => {
  const bytes = Buffer.from(json)
  for (let at = 0; at <= bytes.byteLength; at++) {
    const { far, reader } = screened({})
    far.give(split(bytes, at))
    assert.equal(reader.text, clean)
  }
  const { far, reader } = screened({})
  far.give(single(bytes))
  assert.equal(reader.text, clean)
})

const types: Readonly<Record<string, readonly [sent: string, left: string]>> = {
  'application/problem+json; charset=utf-8': [json, clean],
  'application/x-ndjson': [`${json}\n`, `${clean}\n`],
  'text/event-stream': [`data: ${json}\n\n`, `data: ${clean}\n\n`],
  'text/html': [`<p>${email.replace('@', '&#64;')}</p>`, '<p>[EMAIL]</p>'],
  'image/svg+xml': [`<a>${email}</a>`, '<a>[EMAIL]</a>'],
  'TEXT/Plain': [`é ${email}`, 'é [EMAIL]'],
  'application/x-www-form-urlencoded': ['a=jane.roe%40mail.example', 'a=%5BEMAIL%5D'],
  'application/javascript': [`f("${email}")`, 'f("[EMAIL]")'],
}
for (const [contentType, [sent, left]] of Object.entries(types))
  test(`CT4: ${contentType} is screened, as it flows and whole`, () => {
    const { far, reader } = screened({ contentType })
    far.give(single(Buffer.from(sent)))
    assert.equal(reader.text, left)
    const whole = screenSource(Buffer.from(sent), { contentType, contentEncoding: undefined }, redactor)
    assert.ok('body' in whole && whole.body instanceof Uint8Array)
    assert.equal(Buffer.from(whole.body).toString(), left)
    assert.equal(whole.redactions.count, 1)
  })

for (const contentType of ['image/png', 'application/octet-stream', 'application/zip', 'model/3mf+zip'])
  test(`CT4: ${contentType} is not looked into, and that is said`, () => {
    assert.deepEqual(screenSource(new FarEnd(), { contentType, contentEncoding: undefined }, redactor), {
      unseen: true,
    })
  })

test('CT4: an answer that is here whole is screened at once', () => {
  const held = new HeldSource(new FarEnd())
  held.chunk(Buffer.from(json))
  held.end([])
  const screening = screenSource(held, { contentType: 'application/json', contentEncoding: 'identity' }, redactor)
  assert.ok('body' in screening && screening.body instanceof Uint8Array)
})

test('CT4: other charsets are read, and leave as UTF-8', () => {
  const whole = (contentType: string, bytes: Uint8Array) => {
    const screening = screenSource(bytes, { contentType, contentEncoding: undefined }, redactor)
    assert.ok('body' in screening && screening.body instanceof Uint8Array)
    return [Buffer.from(screening.body).toString(), screening.contentType]
  }
  const [text, utf8] = [`é ${email}`, 'text/plain; format=flowed; charset=utf-8']
  assert.deepEqual(whole('text/plain; Charset="ISO-8859-1"; format=flowed', Buffer.from(text, 'latin1')), [
    'é [EMAIL]',
    utf8,
  ])
  assert.deepEqual(whole('text/plain; charset=utf-16le; format=flowed', Buffer.from(text, 'utf16le')), [
    'é [EMAIL]',
    utf8,
  ])
  const big = Buffer.from(`\u{feff}${text}`, 'utf16le').swap16()
  assert.deepEqual(whole('text/plain; format=flowed; charset=utf-16', big), ['\u{feff}é [EMAIL]', utf8])
  assert.deepEqual(whole('text/plain', big), ['\u{feff}é [EMAIL]', undefined])
  assert.deepEqual(whole('application/json; charset=latin1', Buffer.from(json))[0], clean)
  const unknown = screenSource(
    Buffer.from(text),
    { contentType: 'text/plain; charset=utf-7', contentEncoding: undefined },
    redactor,
  )
  assert.ok('problem' in unknown)
})

test('CT4: bytes that are no UTF-8 leave as U+FFFD, and never as they came', () => {
  const { far, reader } = screened({ contentType: 'text/plain' })
  far.give([Buffer.from([0x61, 0xff, 0xe2, 0x82]), Buffer.from(` ${email}`)])
  assert.equal(reader.text, 'a\u{fffd}\u{fffd} [EMAIL]')
})

const codings: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
  deflate: deflateSync,
  Deflate: deflateRawSync,
  'gzip, br': (bytes) => brotliCompressSync(gzipSync(bytes)),
  'identity, gzip': gzipSync,
}
for (const [contentEncoding, code] of Object.entries(codings))
  test(`CT4: content coded with ${contentEncoding} (${code.name}) is decoded and screened, in pieces and whole`, async () => {
    for (const pieces of [single, (bytes: Uint8Array) => [bytes]]) {
      const { far, reader } = screened({ contentEncoding })
      far.give(pieces(code(Buffer.from(json))))
      await reader.over.promise
      assert.equal(reader.text, clean)
    }
    const whole = screenSource(code(Buffer.from(json)), { contentType: 'text/json', contentEncoding }, redactor)
    assert.ok('body' in whole && !(whole.body instanceof Uint8Array))
    const reader = new Reader()
    whole.body.flow(reader)
    await reader.over.promise
    assert.equal(reader.text, clean)
  })

test('CT4: an empty answer of any coding is empty', () => {
  const { far, reader } = screened({ contentEncoding: 'gzip' })
  far.give([])
  assert.deepEqual([reader.text, reader.trailers], ['', []])
})

test('CT4: a coding that nobody knows, or too many of them, is a problem', () => {
  for (const contentEncoding of ['compress', 'gzip, exi', 'gzip, gzip, gzip, gzip'])
    assert.ok('problem' in screenSource(new FarEnd(), { contentType: 'text/plain', contentEncoding }, redactor))
})

test('CT4: coded content that breaks off, or is none, fails, and the far end is told', async () => {
  for (const bytes of [gzipSync(json).subarray(0, -12), Buffer.from('no gzip at all')]) {
    const { far, reader } = screened({ contentEncoding: 'gzip' })
    far.give([bytes])
    await reader.over.promise
    assert.ok(reader.error !== undefined)
    assert.match(far.told.at(-1) ?? '', /^abort/)
  }
})

test('CT4: content that grows beyond the bounds as it is decoded is refused', async () => {
  const bomb = zstdCompressSync(Buffer.alloc(32 * 1_048_576, 0x20))
  for (const bounds of [
    { ...usualBounds, ratioMax: 100 },
    { ...usualBounds, ratioMax: 1e9, decodedMax: 2_000_000 },
  ]) {
    const { far, reader } = screened({ contentEncoding: 'zstd' }, bounds)
    far.give([bomb])
    await reader.over.promise
    assert.ok(reader.error instanceof Unscreenable)
    assert.ok(Buffer.concat(reader.chunks).byteLength < 4_000_000)
  }
})

test('CT4: events that are coded leave as they come, not when the answer ends', async () => {
  const { far, reader } = screened({ contentType: 'text/event-stream', contentEncoding: 'gzip' })
  const gzip = createGzip()
  gzip.on('data', (bytes: Buffer) => far.sink?.chunk(bytes))
  gzip.write(`data: {"a":"${email}"}\n\n`)
  gzip.flush()
  const deadline = Date.now() + 5000
  while (reader.text === '' && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal(reader.text, 'data: {"a":"[EMAIL]"}\n\n')
  gzip.destroy()
})

test('CT4: who reads slowly slows the far end down, through the coding too, and memory stays bounded', async () => {
  for (const contentEncoding of [undefined, 'gzip']) {
    const { far, reader, body } = screened(
      { contentType: 'text/plain', contentEncoding },
      { ...usualBounds, ratioMax: 1e9 },
    )
    body.pause()
    const noise = Buffer.from(
      Array.from({ length: 4_000_000 }, (_, at) => 97 + ((at * 7919) % 26) * (at % 3 === 0 ? 1 : 0)),
    )
    const bytes = contentEncoding === undefined ? noise : gzipSync(noise, { level: 0 })
    let given = 0
    const flowing = (): boolean => far.told.at(-1) !== 'pause'
    for (; given < bytes.byteLength && flowing(); given += 65_536)
      far.sink?.chunk(bytes.subarray(given, given + 65_536))
    assert.ok(given <= 262_144, `${given} bytes were taken from a far end that was told to wait`)
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(Buffer.concat(reader.chunks).byteLength, 0)
    body.resume()
    for (let turn = 0; given < bytes.byteLength; turn++) {
      if (flowing()) {
        far.sink?.chunk(bytes.subarray(given, given + 65_536))
        given += 65_536
      } else await new Promise((resolve) => setImmediate(resolve))
      assert.ok(turn < 1_000_000)
    }
    far.sink?.end([])
    await reader.over.promise
    assert.equal(Buffer.concat(reader.chunks).byteLength, noise.byteLength)
  }
})

test('CT4: a client that leaves takes the far end along', () => {
  for (const contentEncoding of [undefined, 'gzip']) {
    const { far, reader, body } = screened({ contentEncoding })
    far.sink?.chunk(gzipSync(json).subarray(0, 12))
    body.abort(new Error('left'))
    assert.equal(far.told.at(-1), 'abort: left')
    far.give([Buffer.from('more')])
    assert.deepEqual([reader.trailers, reader.error], [undefined, undefined])
  }
})

test('CT4: a far end that breaks off is told on, and what waited does not leave', () => {
  const { far, reader } = screened({ contentType: 'text/plain' })
  far.sink?.chunk(Buffer.from('so jane.roe@mail'))
  far.sink?.fail(new Error('reset'))
  assert.deepEqual([reader.text, reader.error?.message], ['so ', 'reset'])
})

test('CT4: JSON beyond the bounds ends the answer with a fault that has a code', () => {
  const { far, reader } = screened({})
  far.give([Buffer.from('['.repeat(100))])
  assert.ok(reader.error instanceof Fault && reader.error.code === 'answer-not-screenable')
  assert.match(far.told.at(-1) ?? '', /^abort: expected JSON of at most 64 levels/)
  const whole = screenSource(
    Buffer.from('['.repeat(100)),
    { contentType: 'application/json', contentEncoding: undefined },
    redactor,
  )
  assert.ok('problem' in whole)
})

test('CT4: trailers stay, but for digests of what was sent before', () => {
  const { far, reader } = screened({})
  far.give([Buffer.from('1')], ['X-Sum', '1', 'Content-Digest', 'sha-256=:AA==:'])
  assert.deepEqual(reader.trailers, ['X-Sum', '1'])
})

test('CT4: what waits leaves after its time, whatever else comes meanwhile', async () => {
  const { far, reader } = screened({ contentType: 'text/event-stream' }, { ...usualBounds, holdMs: 30 })
  far.sink?.chunk(Buffer.from('data: {"delta":"so jane"}\n\n'))
  assert.equal(reader.text, 'data: {"delta":"so "}\n\n')
  const start = performance.now()
  while (!reader.text.includes('jane') && performance.now() - start < 5000) {
    far.sink?.chunk(Buffer.from(': beat\n\n'))
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.ok(reader.text.includes('data: {"delta":"jane"}\n\n'))
  far.sink?.chunk(Buffer.from(`data: {"delta":"${card}"}\n\n`))
  far.sink?.end([])
  assert.ok(!reader.text.includes('4111') && reader.text.includes('[CARD]'))
})
