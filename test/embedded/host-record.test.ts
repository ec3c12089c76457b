import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostEvent } from '../../src/endpoints/embedded/host-record.ts'
import { startHouse } from '../support/house.ts'

test('AU1: what the host says of its own data is in the record once it is told so, and what is private lies sealed', async (context) => {
  const { house } = await startHouse(context, {})
  const { store, audit } = house
  await audit.append({
    type: 'data_access',
    action: 'export',
    resource: { type: 'data', id: 'invoice 7' },
    actor: { id: 'ada', type: 'user' },
    details: { rows: 12, format: 'csv' },
    private: { to: 'ada@example.com' },
    request_id: 'request 1',
  })
  await audit.append({ type: 'data_access', action: 'read', resource: { type: 'data', id: 'a\0b' } })
  await audit.flush()
  const rows = await store.db
    .selectFrom('audit_events')
    .select('body')
    .where('type', '=', 'data_access')
    .orderBy('seq')
    .execute()
  const bodies = rows.map(({ body }) => body)
  assert.ok(!bodies.join().includes('ada@example.com'))
  const [first, second] = await audit.sealer.read(store.db, bodies)
  assert.deepEqual(
    [first?.action, first?.actor, first?.details, first?.private, first?.request_id, first?.result],
    [
      'export',
      { id: 'ada', type: 'user' },
      { format: 'csv', rows: 12 },
      { to: 'ada@example.com' },
      'request 1',
      'success',
    ],
  )
  assert.deepEqual([second?.actor, second?.resource.id], [{ id: 'host', type: 'system' }, 'a\0b'])
})

test('AU1: an event of the host’s that is none is refused, and says what was expected', async (context) => {
  const { house } = await startHouse(context, {})
  const good = { type: 'data_access', action: 'read', resource: { type: 'data', id: 'x' } } as const
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ ...good, type: 'admin_action' }, /type/],
    [{ ...good, action: 'audit.search' }, /action/],
    [{ ...good, at: 5 }, /"at"/],
    [{ ...good, resource: { type: 'user', id: 'x' } }, /resource\.type/],
    [{ ...good, resource: { type: 'data', id: '\ud800' } }, /lone surrogate/],
    [{ ...good, details: { deep: {} } }, /details\.deep/],
    [{ ...good, details: { text: 'x'.repeat(300) } }, /details\.text/],
    [{ ...good, details: { took: Number.NaN } }, /details\.took/],
    [
      { ...good, private: Object.fromEntries([...'abcdefghijk'].map((name) => [name, name.repeat(250)])) },
      /2048 bytes/,
    ],
  ]
  for (const [event, says] of wrong)
    await assert.rejects(
      house.audit.append(event as HostEvent),
      (error) => error instanceof TypeError && says.test(error.message),
    )
  await house.audit.flush()
  const rows = await house.store.db.selectFrom('audit_events').select('seq').where('type', '=', 'data_access').execute()
  assert.deepEqual(rows, [])
})
