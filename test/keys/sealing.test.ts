import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { base64url } from '../../src/kernel/bytes.ts'
import { type Random, systemRandom } from '../../src/kernel/id.ts'
import { open, seal } from '../../src/keys/sealing.ts'

const key = Buffer.alloc(32, 1)

test('A63: what is sealed is AES-256-GCM as its authors print it (McGrew and Viega, test cases 13 and 14)', () => {
  const zeros: Random = { bytes: (count) => new Uint8Array(count) }
  const vectors = [
    ['', '530f8afbc74536b9a963b4f1c4cb738b'],
    ['\0'.repeat(16), 'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919'],
  ] as const
  for (const [text, bytes] of vectors) {
    const sealed = `v1.${base64url(Buffer.from('00'.repeat(12) + bytes, 'hex'))}`
    assert.equal(seal(Buffer.alloc(32), text, '', zeros), sealed)
    assert.equal(open(Buffer.alloc(32), sealed, ''), text)
  }
})

test('A63: what was sealed opens with its key at its place, and is the same text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, place) => {
      assert.equal(open(key, seal(key, text, place, systemRandom), place), text)
    }),
  )
})

test('A63: another key, another row, column or table, and any changed character open nothing', () => {
  const place = 'signing_keys.sealed.a'
  const sealed = seal(key, 'the private part', place, systemRandom)
  assert.equal(open(Buffer.alloc(32, 2), sealed, place), undefined)
  for (const elsewhere of ['signing_keys.sealed.b', 'signing_keys.kid.a', 'house.sealed.a', '']) {
    assert.equal(open(key, sealed, elsewhere), undefined, elsewhere)
  }
  for (let at = 0; at < sealed.length; at++) {
    const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1)
    assert.equal(open(key, changed, place), undefined, `character ${at}`)
    assert.equal(open(key, sealed.slice(0, at), place), undefined, `cut at ${at}`)
  }
  for (const longer of [`${sealed}A`, `${sealed}=`, ` ${sealed}`]) assert.equal(open(key, longer, place), undefined)
})

test('A63: no two sealings share a nonce, and nothing of the text shows', () => {
  const nonces = Array.from({ length: 1000 }, () => seal(key, 'same', 'same', systemRandom).slice(3, 19))
  assert.equal(new Set(nonces).size, nonces.length)
  const repeated = seal(key, 'a'.repeat(64), 'place', systemRandom)
  assert.ok(!Buffer.from(repeated.slice(3), 'base64url').includes('aaaa'))
})
