import assert from 'node:assert/strict'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import type { AuditEvent, Details } from '../../src/audit/event.ts'
import { eventText } from '../../src/audit/event-text.ts'
import { openEventSealer } from '../../src/audit/sealer.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { canonical } from '../../src/kernel/json.ts'
import { openStore } from '../../src/store/database.ts'
import { testClock } from '../support/clock.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { sampleEvent, wrappingKey } from './sample.ts'
import { sealerCases } from './sealer-cases.ts'

suite('the sealer on SQLite in memory', () => sealerCases(async () => 'sqlite::memory:'))

suite('the sealer on SQLite in a file', () =>
  sealerCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))

test('whatever strangers send, the stored form is one line of canonical JSON of at most 8 KiB, and opens', async (context) => {
  const store = await openStore('sqlite::memory:')
  context.after(() => store.close())
  const sealer = openEventSealer({ wrappingKey, clock: testClock(), random: systemRandom })
  const units = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit))
  const text = fc.oneof(
    fc.string({ unit: units, maxLength: 400 }),
    fc.nat(400).map((length) => '\u0001'.repeat(length)),
    fc.constantFrom('a\u2028b', '\0', '\ud800', '🔒'.repeat(200), '='.repeat(10_000_000)),
  )
  const details: fc.Arbitrary<Details> = fc.dictionary(fc.oneof(text, fc.constantFrom('9', '10')), text, {
    maxKeys: 30,
  })
  const subject = fc.oneof(
    fc.uuid(),
    fc.constantFrom('9', '10', '"'.repeat(128), '\\'.repeat(127), '__proto__', 'toString'),
    text,
  )
  const event = fc.record({
    actor: fc.record({ id: subject, type: fc.constantFrom('user' as const, 'anonymous' as const) }),
    address: text,
    details,
    private: fc.option(details, { nil: undefined }),
    request_id: text,
    resource: fc.record({ id: subject, type: fc.constantFrom('route' as const, 'user' as const) }),
    user_agent: text,
  })
  await fc.assert(
    fc.asyncProperty(event, async ({ private: own, ...made }) => {
      const whole = { ...sampleEvent(1), ...made, ...(own !== undefined && { private: own }) } as AuditEvent
      const [body] = (await sealer.store(store.db, [whole])) as [string]
      assert.equal(body, canonical(JSON.parse(body)))
      assert.ok(Buffer.byteLength(body) <= 8192, `${Buffer.byteLength(body)} bytes`)
      assert.doesNotMatch(body, /\n/)
      const [read] = await sealer.read(store.db, [body])
      assert.equal(canonical(read), eventText(whole))
    }),
    { numRuns: 300 },
  )
})
