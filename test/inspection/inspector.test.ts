// CT3: what is only noted never stops a request, whatever becomes of looking.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestParts } from '../../src/inspection/fields/request.ts'
import { type InspectorParts, openInspector } from '../../src/inspection/inspector.ts'

const parts: RequestParts = {
  path: '/',
  params: {},
  query: '',
  headers: [],
  contentType: 'text/plain',
  body: undefined,
}

/** An inspector whose examination goes wrong, here or in its thread. No input is known that does that. */
const failing = (acts: boolean, told: unknown[]) =>
  openInspector({
    examination: {
      acts,
      examine() {
        throw new Error('here')
      },
    },
    offLoop: { examine: () => Promise.reject(new Error('in its thread')), close: async () => {} },
    plan: { bodyBytesMax: 1_000_000 } as InspectorParts['plan'],
    deadlineMs: 1_000,
    consultation: undefined,
    virusScan: undefined,
    tellFailed: (error) => told.push(String(error)),
  })

test('CT3: where nothing is refused a request goes on that could not be looked into, and the log hears of it', async () => {
  const told: unknown[] = []
  const inspector = failing(false, told)
  assert.equal((await inspector.inspect(parts)).refusal, undefined)
  assert.equal((await inspector.inspect({ ...parts, body: Buffer.alloc(100_000, 'a') })).refusal, undefined)
  assert.deepEqual(told, ['Error: here', 'Error: in its thread'])
})

test('CT3: where something is refused an error in looking is never a pass', async () => {
  const told: unknown[] = []
  const inspector = failing(true, told)
  assert.throws(() => inspector.inspect(parts), /here/)
  await assert.rejects(async () => inspector.inspect({ ...parts, body: Buffer.alloc(100_000, 'a') }), /in its thread/)
  assert.deepEqual(told, [])
})
