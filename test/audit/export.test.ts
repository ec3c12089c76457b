// What an export is made of: pieces at the pace of whoever takes them, and OCSF.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { AuditEvent } from '../../src/audit/event.ts'
import { ocsfOf } from '../../src/audit/reading/ocsf.ts'
import { streamed } from '../../src/endpoints/api/streamed.ts'
import type { Sink, Source } from '../../src/http/source.ts'
import { eventually } from '../support/eventually.ts'
import { sampleEvent } from './sample.ts'

/** Pieces without end, and what became of them. */
function pieces(): { readonly all: AsyncGenerator<string, void, undefined>; made: number; ended: boolean } {
  const state = { all: make(), made: 0, ended: false }
  async function* make(): AsyncGenerator<string, void, undefined> {
    try {
      for (;;) {
        if (++state.made > 1_000) throw new Error('nobody holds it back')
        yield `piece ${state.made}\n`
      }
    } finally {
      state.ended = true
    }
  }
  return state
}

async function turns(): Promise<void> {
  for (let count = 0; count < 20; count++) await turn()
}

function sinkOf(
  source: Source,
  pauseAfter: number,
): { readonly sink: Sink; taken: number; failed: string | undefined } {
  const state = {
    taken: 0,
    failed: undefined as string | undefined,
    sink: {
      chunk() {
        if (++state.taken % pauseAfter === 0) source.pause()
      },
      end() {},
      fail(error: Error) {
        state.failed = error.message
      },
    },
  }
  return state
}

test('AU3: no piece of an export is made while the client takes none', async () => {
  const made = pieces()
  const source = streamed('text/plain', 'a', made.all).body as Source
  const client = sinkOf(source, 3)
  source.flow(client.sink)
  await turns()
  assert.deepEqual([client.taken, made.made], [3, 3])
  source.resume()
  await turns()
  assert.deepEqual([client.taken, made.made], [6, 6])
  source.abort(new Error('it left'))
  await turns()
  assert.deepEqual([made.made, made.ended], [6, true])
  source.resume()
  await turns()
  assert.equal(made.made, 6)
})

test('AU3: an export that nobody takes any more is given up, and breaks off', async () => {
  const made = pieces()
  const source = streamed('text/plain', 'a', made.all, 20).body as Source
  const client = sinkOf(source, 3)
  source.flow(client.sink)
  const failed = await eventually(() => client.failed || undefined)
  assert.match(failed, /took nothing for 20 ms/)
  await turns()
  assert.deepEqual([client.taken, made.made, made.ended], [3, 3, true])
})

test('AU3: an export that fails breaks off, so that nobody takes it for the whole', async () => {
  const made = pieces()
  const source = streamed('text/plain', 'a', made.all).body as Source
  const client = sinkOf(source, 100_000)
  source.flow(client.sink)
  await turns()
  assert.equal(client.failed, 'nobody holds it back')
})

/** What https://schema.ocsf.io/1.3.0 demands of each class: `a|b` for at least one of them, `a.b` within an object. */
const demanded: Readonly<Record<number, readonly string[]>> = {
  2004: ['finding_info.uid', 'finding_info.title'],
  3001: ['user.uid|user.name'],
  3002: ['user.uid|user.name', 'service.name|dst_endpoint'],
  3004: ['entity.uid|entity.name'],
  3005: ['user.uid|user.name', 'privileges'],
  4002: ['http_request|http_response', 'src_endpoint.ip|src_endpoint.svc_name', 'http_response.code'],
  6002: ['app.vendor_name', 'app.name'],
  6003: ['actor', 'api.operation', 'src_endpoint.ip|src_endpoint.svc_name'],
}
const always = [
  'category_uid',
  'class_uid',
  'activity_id',
  'type_uid',
  'time',
  'severity_id',
  'status_id',
  'metadata.version',
  'metadata.product.vendor_name',
  'metadata.product.name',
  'metadata.uid',
  'message',
]
/** The largest activity that a class names; 99 is any other. */
const activitiesMax: Readonly<Record<number, number>> = {
  2004: 3,
  3001: 11,
  3002: 7,
  3004: 4,
  3005: 2,
  4002: 8,
  6002: 8,
  6003: 4,
}

/** An event of each kind, with the class and the activity that it has in OCSF. */
// biome-ignore format: a table
const mapped: readonly (readonly [type: AuditEvent['type'], action: string, resource: AuditEvent['resource']['type'], type_uid: number])[] = [
  ['authentication',        'sign-in',         'user',     300201],
  ['authentication',        'sign-out',        'user',     300202],
  ['authentication',        'registration',    'user',     300101],
  ['authentication',        'password-change', 'user',     300103],
  ['authentication',        'factor-add',      'user',     300110],
  ['authorization_failure', 'refused',         'route',    400203],
  ['api_access',            'request',         'route',    400203],
  ['api_access',            'evaluated',       'route',    600302],
  ['data_access',           'export',          'data',     600302],
  ['data_access',           'write',           'data',     600303],
  ['security_incident',     'detected',        'address',  200401],
  ['consent',               'client-allow',    'client',   300501],
  ['consent',               'client-withdraw', 'client',   300502],
  ['erasure',               'complete',        'user',     300404],
  ['admin_action',          'user.lock',       'user',     300109],
  ['admin_action',          'user.roles',      'user',     300501],
  ['admin_action',          'api-key.revoke',  'api-key',  300404],
  ['admin_action',          'role.change',     'role',     300403],
  ['admin_action',          'audit.checkpoint', 'audit',   300499],
  ['client_report',         'reported',        'data',     600301],
  ['system',                'start',           'house',    600203],
  ['system',                'sink-lost',       'sink',     600299],
]

test('AU3: an event in OCSF has what its class demands, also of the operator, of nobody and without an address', () => {
  for (const [type, action, resource, type_uid] of mapped) {
    for (const actor of [
      { id: 'user-1', type: 'user' },
      { id: 'operator', type: 'system' },
      { id: 'anonymous', type: 'anonymous' },
    ] as const)
      for (const address of ['203.0.113.7', '']) {
        const details = action === 'evaluated' ? {} : sampleEvent(1).details
        const event = {
          ...sampleEvent(1),
          type,
          action,
          actor,
          address,
          details,
          resource: { id: 'x', type: resource },
        } as AuditEvent
        const told = ocsfOf({ seq: 7, hash: 'f', body: '', event }, '1.2.3')
        const { class_uid, category_uid, activity_id } = told as { readonly [name: string]: number }
        assert.equal(told['type_uid'], type_uid, `${type} ${action}`)
        assert.equal(told['type_uid'], (class_uid as number) * 100 + (activity_id as number))
        assert.equal(category_uid, Math.floor((class_uid as number) / 1000))
        const rules = demanded[class_uid as number]
        assert.ok(rules, `class ${class_uid}`)
        for (const rule of [...always, ...rules])
          assert.ok(
            rule.split('|').some((path) => at(told, path) !== undefined),
            `${type} ${action}: ${rule}`,
          )
        assert.ok(
          activity_id === 99
            ? typeof told['activity_name'] === 'string'
            : (activity_id as number) <= (activitiesMax[class_uid as number] as number),
        )
        assert.equal((told['metadata'] as { readonly sequence: number }).sequence, 7)
      }
  }
})

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce((inner: unknown, name) => (inner as Record<string, unknown> | undefined)?.[name], value)
}
