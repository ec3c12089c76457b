import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { openPartMeter } from '../../../src/inspection/uploads/part-meter.ts'
import { growthOf, linearMax } from '../../support/growth.ts'

const type = 'multipart/form-data; boundary=b'
const bounds = { fileBytesMax: 100, filesMax: 2 }

function form(...parts: readonly (readonly [head: string, body: string])[]): Buffer {
  const pieces = parts.map(([head, body]) => `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`)
  return Buffer.from(`${pieces.join('')}--b--\r\n`, 'latin1')
}

/** Feeds it in pieces, and says what was wrong, after how many bytes. */
function meter(bytes: Buffer, size: number, contentType: string | undefined = type) {
  const meter = openPartMeter(contentType, bounds)
  for (let at = 0; at < bytes.byteLength; at += size) {
    const wrong = meter.update(bytes.subarray(at, at + size))
    if (wrong !== undefined) return { rule: wrong.fault.rule, field: wrong.file.place.at, after: at + size }
  }
  return undefined
}

suite('CT7: what a part holds is counted while it comes', () => {
  const fits = form(
    ['name="a"', 'x'.repeat(500)],
    ['name="f"; filename="1"', 'y'.repeat(100)],
    ['name="g"; filename="2"', '\r\n--c\r\n'],
  )

  test('a form within its bounds passes, however it is cut, and whatever looks like a boundary', () => {
    for (let size = 1; size <= fits.byteLength; size++) assert.equal(meter(fits, size), undefined, `pieces of ${size}`)
  })

  test('a file that is a byte too large is told by its field, however it is cut, before more than a boundary has followed', () => {
    const large = form(['name="a"', 'b'], ['name="f"; filename="1"', 'y'.repeat(101)], ['name="h"', 'z'.repeat(300)])
    const end = large.indexOf('y'.repeat(101)) + 101
    for (let size = 1; size <= large.byteLength; size++) {
      const wrong = meter(large, size)
      assert.deepEqual([wrong?.rule, wrong?.field], ['upload/size', 'f'], `pieces of ${size}`)
      assert.ok((wrong?.after ?? 0) <= end + size + 8)
    }
  })

  test('one file too many is told once its name is here', () => {
    const many = form(...['a', 'b', 'c'].map((name) => [`name="${name}"; filename="x"`, 'x'] as const), [
      'name="z"',
      'z'.repeat(900),
    ])
    for (let size = 1; size <= many.byteLength; size++) {
      const wrong = meter(many, size)
      assert.deepEqual([wrong?.rule, wrong?.field], ['upload/count', 'c'])
    }
    assert.ok((meter(many, 1)?.after ?? 0) < many.indexOf('zzz'))
  })

  test('any other body is one file; what was wrong stays wrong', () => {
    assert.deepEqual(meter(Buffer.alloc(101), 50, 'image/png'), { rule: 'upload/size', field: '', after: 150 })
    assert.equal(meter(Buffer.alloc(100), 7, undefined), undefined)
    const once = openPartMeter(type, bounds)
    assert.ok(once.update(form(['name="f"; filename="1"', 'y'.repeat(200)])) !== undefined)
    assert.ok(once.update(Buffer.from('more')) !== undefined)
  })

  const hostile: readonly (readonly [what: string, unit: string])[] = [
    ['boundaries', '--b\r\n'],
    ['beginnings of boundaries', '\r\n--'],
    ['headers that do not end', '--b\r\nA: b\r\n'],
    ['line ends', '\r\n\r\n'],
    ['names of files', '--b\r\nContent-Disposition: form-data; name="a"; filename="x"\r\n'],
  ]
  for (const [what, unit] of hostile)
    test(`time grows with the length of a form of nothing but ${what}`, () => {
      const of = (bytes: number) => () => {
        const body = Buffer.from(unit.repeat(Math.ceil(bytes / unit.length)))
        for (let times = 0; times < 20; times++) {
          const meter = openPartMeter(type, { fileBytesMax: 1e9, filesMax: 1e9 })
          for (let at = 0; at < body.byteLength; at += 1024) meter.update(body.subarray(at, at + 1024))
        }
      }
      const ratio = growthOf(of(250_000), of(1_000_000))
      assert.ok(ratio < linearMax, `${what}: ${ratio.toFixed(1)}`)
    })
})
