import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AuditEvent, Details } from '../../src/audit/event.ts'
import { eventText } from '../../src/audit/event-text.ts'
import { canonical } from '../../src/kernel/json.ts'
import { sampleEvent } from './sample.ts'

const wellFormed = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: 'binary', maxLength }).map((text) => text.slice(0, maxLength).toWellFormed())
const someText = fc.oneof(
  wellFormed(20),
  fc.constantFrom('', 'a\\b', 'a"b', 'a\nb', 'é', '\u007f', '\u{1f600}', '\ud7ff', '\ue000', '\uffff'),
)
const someName = fc.oneof(someText, fc.constantFrom('10', '9', 'B', 'a', '__proto__', 'because', 'status'))
const someNumber = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(-0, 1e21, 5e-324),
)
const someDetails: fc.Arbitrary<Details> = fc.dictionary(someName, fc.oneof(someText, someNumber, fc.boolean()), {
  maxKeys: 6,
})

const someEvent = (text: fc.Arbitrary<string>, details: fc.Arbitrary<Details>): fc.Arbitrary<AuditEvent> =>
  fc.record({
    action: fc.constant('request' as const),
    actor: fc.record({ id: text, type: fc.constantFrom('user' as const, 'anonymous' as const) }),
    address: text,
    at: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    details,
    id: text,
    request_id: text,
    resource: fc.record({ id: text, type: fc.constantFrom('route' as const, 'user' as const) }),
    result: fc.constantFrom('success' as const, 'denied' as const),
    type: fc.constant('api_access' as const),
    user_agent: text,
    v: fc.constant(1 as const),
  })

test('the text of an event is its RFC 8785 form', () => {
  fc.assert(
    fc.property(someEvent(someText, someDetails), (event) => {
      assert.equal(eventText(event), canonical(event))
    }),
    { numRuns: 2000 },
  )
  assert.equal(eventText(sampleEvent(1)), canonical(sampleEvent(1)))
})

test('the order in which members were written does not matter', () => {
  const event = sampleEvent(1)
  const details = Object.fromEntries(Object.entries(event.details).reverse())
  const shuffled = Object.fromEntries(Object.entries({ ...event, details }).reverse()) as unknown as AuditEvent
  assert.equal(eventText(shuffled), eventText(event))
})

test('whatever a stranger sends, the text is one line of canonical JSON of at most 8 KiB', () => {
  const anyText = fc.oneof(
    fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)), maxLength: 600 }),
    fc.nat(600).map((length) => '\u0001'.repeat(length)),
  )
  const anyNumber = fc.double()
  const anyDetails = fc.dictionary(anyText, fc.oneof(anyText, anyNumber, fc.boolean()), { maxKeys: 30 })
  fc.assert(
    fc.property(someEvent(anyText, anyDetails), (event) => {
      const text = eventText(event)
      assert.equal(text, canonical(JSON.parse(text)))
      assert.ok(Buffer.byteLength(text) <= 8192, `${Buffer.byteLength(text)} bytes`)
      assert.doesNotMatch(text, /\n/)
    }),
    { numRuns: 300 },
  )
})

test('long texts end after 256 characters, and a pair cut in half is no lone surrogate', () => {
  const event = {
    ...sampleEvent(1),
    user_agent: 'x'.repeat(300),
    details: { path: `${'y'.repeat(255)}\u{1f600}${'z'.repeat(50)}` },
  }
  const { user_agent, details } = JSON.parse(eventText(event))
  assert.equal(user_agent, 'x'.repeat(256))
  assert.equal(details.path, `${'y'.repeat(255)}�`)
})

test('details that would make an event too long make way', () => {
  const details = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`fact ${index}`, 'é'.repeat(250)]))
  const { details: kept, id } = JSON.parse(eventText({ ...sampleEvent(1), details }))
  assert.deepEqual(kept, { cut: true })
  assert.equal(id, sampleEvent(1).id)
})

test('a number that is none becomes null, and a time that is none is refused', () => {
  assert.deepEqual(JSON.parse(eventText({ ...sampleEvent(1), details: { took: Number.NaN } })).details, { took: null })
  assert.throws(() => eventText({ ...sampleEvent(1), at: Number.NaN }), TypeError)
})
