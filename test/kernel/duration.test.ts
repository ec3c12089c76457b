import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { durationMs } from '../../src/kernel/duration.ts'
import { sizeBytes } from '../../src/kernel/size.ts'

const msPerUnit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 }
const bytesPerUnit = { b: 1, kb: 1024, mb: 1_048_576, gb: 1_073_741_824 }

test('a duration reads as the milliseconds that its unit says', () => {
  assert.equal(durationMs('500ms'), 500)
  assert.equal(durationMs('10s'), 10_000)
  assert.equal(durationMs('15m'), 900_000)
  assert.equal(durationMs('1h'), 3_600_000)
  assert.equal(durationMs('30d'), 2_592_000_000)
  assert.equal(durationMs('7y'), 220_752_000_000)
  assert.equal(durationMs('0s'), 0)
})

test('a size reads as bytes, counted by 1024', () => {
  assert.equal(sizeBytes('512b'), 512)
  assert.equal(sizeBytes('64kb'), 65_536)
  assert.equal(sizeBytes('1mb'), 1_048_576)
  assert.equal(sizeBytes('2gb'), 2_147_483_648)
})

test('whatever is written in another way is no duration and no size', () => {
  const wrong = [
    '',
    '15',
    'm',
    '-1s',
    '+1s',
    '1.5h',
    '1e3s',
    '015m',
    '00s',
    ' 1s',
    '1 s',
    '1s ',
    '1s\n',
    '1S',
    '1MB',
    '1min',
    '1kib',
    '1h30m',
    '١s',
    '0x1s',
  ]
  for (const text of wrong) {
    assert.equal(durationMs(text), undefined, `duration ${JSON.stringify(text)}`)
    assert.equal(sizeBytes(text), undefined, `size ${JSON.stringify(text)}`)
  }
  assert.equal(durationMs('1kb'), undefined)
  assert.equal(sizeBytes('1s'), undefined)
})

test('every number and unit reads exactly, or not at all once it is past the safe integers', () => {
  for (const [read, units] of [
    [durationMs, msPerUnit],
    [sizeBytes, bytesPerUnit],
  ] as const) {
    const unit = fc.constantFrom(...Object.entries(units))
    fc.assert(
      fc.property(fc.bigInt(0n, 99_999_999_999_999_999n), unit, (count, [name, worth]) => {
        const exact = count * BigInt(worth)
        const expected = exact <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(exact) : undefined
        assert.equal(read(`${count}${name}`), expected)
      }),
    )
  }
})

test('no text makes a reader throw or answer with anything but a safe integer', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9]{1,20}[a-z]{0,3}$/)), (text) => {
      for (const amount of [durationMs(text), sizeBytes(text)])
        assert.ok(amount === undefined || Number.isSafeInteger(amount))
    }),
  )
})
