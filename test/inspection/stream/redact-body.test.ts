import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redactBody, redactText } from '../../../src/inspection/stream/redact-body.ts'
import { Redactions } from '../../../src/inspection/stream/redactions.ts'
import { screenedFields, screenedTrailers } from '../../../src/inspection/stream/screened-fields.ts'
import { email, marks, redactorOf } from './marks.ts'

const redactor = redactorOf(marks)

function whole(...given: Parameters<typeof redactBody>) {
  const redacted = redactBody(...given)
  assert.ok('bytes' in redacted)
  return redacted
}

test('CT4: a request that is too deep, or in a charset that nobody knows, is a problem and no body', () => {
  assert.ok('problem' in redactBody(Buffer.from('['.repeat(65)), 'application/json', redactor))
  assert.ok('problem' in redactBody(Buffer.from(email), 'text/plain; charset=utf-7', redactor))
})

test('CT4: a request is redacted where something is found, and everything else stays byte for byte', () => {
  const text = `{ "big": 12345678901234567890.10, "a":1,"a" : "${email}",\t"\\u00e9": "é" }\r\n`
  const redacted = whole(Buffer.from(text), 'application/json', redactor)
  assert.equal(Buffer.from(redacted.bytes).toString(), text.replace(email, '[EMAIL]'))
  assert.deepEqual(redacted.redactions.first, [{ kind: 'email', rule: 'mark/email', at: '/a' }])
})

test('CT4: a request in which nothing is found goes on as the same bytes, well encoded or not', () => {
  const bytes = Buffer.from([0x22, 0xff, 0x22])
  assert.equal(whole(bytes, 'application/json', redactor).bytes, bytes)
})

test('CT4: what is no text is said not to be looked into', () => {
  assert.deepEqual(redactBody(Buffer.from(email), 'image/png', redactor), { unseen: true })
})

test('CT4: one text is redacted at its place', () => {
  const redactions = new Redactions()
  assert.equal(redactText(`to ${email}`, redactor, 'upload#filename', redactions), 'to [EMAIL]')
  assert.deepEqual(
    redactions.first.map(({ at }) => at),
    ['upload#filename'],
  )
})

test('CT4: fields that are not true of a screened answer leave it', () => {
  const headers = ['Content-Type', 'text/plain', 'content-length', '3', 'ETag', '"a"', 'Digest', 'x', 'Set-Cookie', 'a=b', 'Accept-Ranges', 'bytes'] // biome-ignore format: a row
  assert.equal(screenedFields(headers), headers)
  assert.deepEqual(headers, ['Content-Type', 'text/plain', 'Set-Cookie', 'a=b'])
  assert.deepEqual(screenedTrailers(['Repr-Digest', 'x', 'A', 'b']), ['A', 'b'])
})
