// The AuthZEN Authorization API 1.0 as its certification scenario and its interop scenario ask for it.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Config } from '../../src/config/settings.ts'
import { publicUrl } from '../support/people.ts'
import { type DecisionScene, many, one, openDecisions, type Verdict } from './scene.ts'

const action = (name: string): object => ({ operator: 'equals', attribute: 'action.name', value: name })
const is = (attribute: string, value: unknown): object => ({ operator: 'equals', attribute, value })

/** The required policy of the certification scenario (§3.4): who may is told by roles, the rest by properties. */
const certified: Config = {
  roles: { author: { permissions: ['read', 'write', 'delete'] }, reader: { permissions: ['read', 'write'] } },
  policies: [
    {
      name: 'records',
      version: '1.0',
      rules: [
        { effect: 'allow', condition: is('subject.properties.role', 'admin') },
        {
          effect: 'deny',
          condition: {
            all: [
              action('write'),
              { operator: 'exists', attribute: 'resource.status' },
              is('resource.status', 'archived'),
            ],
          },
        },
        { effect: 'allow', condition: action('read') },
        { effect: 'allow', condition: { all: [action('write'), is('subject.role', 'author')] } },
        { effect: 'allow', condition: { all: [action('delete'), is('action.soft', true)] } },
      ],
    },
  ],
  resources: { record: { policy: 'records' } },
}

async function certification(
  context: TestContext,
): Promise<DecisionScene & { readonly alice: object; readonly bob: object }> {
  const scene = await openDecisions(context, certified)
  const alice = { type: 'user', id: (await scene.person('alice', 'author')).id }
  return { ...scene, alice, bob: { type: 'user', id: (await scene.person('bob', 'reader')).id } }
}

const first = { type: 'record', id: 'record-1' }
const active = { ...first, properties: { status: 'active' } }
const archived = { type: 'record', id: 'record-2', properties: { status: 'archived' } }

function decided(answer: { readonly evaluations?: readonly Verdict[] }): readonly (boolean | undefined)[] | undefined {
  return answer.evaluations?.map(({ decision }) => decision)
}

test('AZ4: a single evaluation, by identifiers and by properties (certification, Basic)', async (context) => {
  const { ask, alice, bob } = await certification(context)
  const asks = [
    [true, { subject: alice, action: { name: 'read' }, resource: first }],
    [true, { subject: alice, action: { name: 'write' }, resource: first }],
    [true, { subject: bob, action: { name: 'read' }, resource: first }],
    [false, { subject: bob, action: { name: 'write' }, resource: first }],
    [false, { subject: alice, action: { name: 'write' }, resource: archived }],
    [true, { subject: { ...bob, properties: { role: 'admin' } }, action: { name: 'write' }, resource: archived }],
    [true, { subject: alice, action: { name: 'delete', properties: { soft: true } }, resource: first }],
    [false, { subject: alice, action: { name: 'delete', properties: { soft: false } }, resource: first }],
  ] as const
  for (const [expected, body] of asks) {
    const text = JSON.stringify(body)
    assert.equal((await ask(body)).decision, expected, text)
    assert.equal((await ask(body, many)).decision, expected, `without \`evaluations\` it is one: ${text}`)
    assert.equal((await ask({ ...body, evaluations: [] }, many)).decision, expected, text)
    const surrounded = { ...body, context: { time: '2025-06-27T18:03-07:00', ip: '192.168.1.1' } }
    assert.equal((await ask(surrounded)).decision, expected, text)
    assert.equal((await ask({ ...body, foo: 'bar', futureField: { nested: true } })).decision, expected, text)
  }
  const more = {
    subject: { ...alice, properties: { department: 'Sales', role: 'manager' } },
    action: { name: 'read', properties: { method: 'GET' } },
    resource: { ...first, properties: { status: 'active', owner: 'bob' } },
  }
  for (let turn = 0; turn < 3; turn++) assert.equal((await ask(more)).decision, true)
})

test('AZ4: what is wrong with a question is 400, whatever it is (certification, error handling)', async (context) => {
  const { post, alice } = await certification(context)
  const [subject, read] = [alice, { name: 'read' }]
  const wrong: readonly (readonly [
    text: string,
    fields: readonly string[],
    headers?: Readonly<Record<string, string>>,
  ])[] = [
    [JSON.stringify({ action: read, resource: first }), ['subject']],
    [JSON.stringify({ subject, resource: first }), ['action']],
    [JSON.stringify({ subject, action: read }), ['resource']],
    [JSON.stringify({ subject: { id: 'x' }, action: read, resource: first }), ['subject.type']],
    [JSON.stringify({ subject: { type: 'user' }, action: read, resource: first }), ['subject.id']],
    [JSON.stringify({ subject, action: {}, resource: first }), ['action.name']],
    [JSON.stringify({ subject, action: read, resource: { id: 'record-1' } }), ['resource.type']],
    [JSON.stringify({ subject, action: read, resource: { type: 'record' } }), ['resource.id']],
    [JSON.stringify({ subject: 'alice', action: read, resource: first }), ['subject']],
    [JSON.stringify({ subject, action: { name: 123 }, resource: first }), ['action.name']],
    [JSON.stringify({ subject, action: read, resource: first, context: { time: 'noon' } }), ['context.time']],
    [JSON.stringify([{ subject, action: read, resource: first }]), ['body']],
    ['{"subject":', []],
    ['', []],
    ['null', ['body']],
    [JSON.stringify({ subject, action: read, resource: first }), [], { 'content-type': 'text/plain' }],
  ]
  for (const [text, fields, headers] of wrong) {
    for (const path of [one, many]) {
      const answer = await post(text, headers, path)
      const body = (await answer.json()) as { errors?: Record<string, string[]>; error: string }
      assert.equal(answer.status, 400, `${path} ${text}: ${JSON.stringify(body)}`)
      assert.deepEqual(Object.keys(body.errors ?? {}), fields, `${path} ${text}`)
    }
  }
})

test('AZ4: a request id comes back as it was sent (certification, header handling)', async (context) => {
  const { post, alice } = await certification(context)
  const body = JSON.stringify({ subject: alice, action: { name: 'read' }, resource: first })
  const id = 'bfe9eb29-ab87-4ca3-be83-a1d5d8305716'
  assert.equal((await post(body, { 'x-request-id': id })).headers.get('x-request-id'), id)
  assert.equal((await post('{', { 'x-request-id': id })).headers.get('x-request-id'), id)
  assert.ok((await post(body)).headers.get('x-request-id'))
})

test('AZ4: many evaluations, with what they share and in their order (certification, Batch)', async (context) => {
  const { ask, alice, bob } = await certification(context)
  const [read, write] = [{ name: 'read' }, { name: 'write' }]
  const inAdmin = { ...bob, properties: { role: 'admin' } }
  const asks = [
    [[true, true], { subject: alice, action: read, evaluations: [{ resource: first }, { resource: archived }] }],
    [[true, false], { subject: bob, resource: first, evaluations: [{ action: read }, { action: write }] }],
    [[true, false], { subject: alice, action: write, evaluations: [{ resource: active }, { resource: archived }] }],
    [[false, true], { action: write, resource: archived, evaluations: [{ subject: alice }, { subject: inAdmin }] }],
    [
      [true, false],
      {
        evaluations: [
          { subject: alice, action: read, resource: first },
          { subject: bob, action: write, resource: first },
        ],
      },
    ],
    [
      [true, true],
      {
        subject: alice,
        action: read,
        context: { time: '2025-06-27T18:03-07:00' },
        evaluations: [
          { resource: first },
          { resource: first, context: { time: '2025-06-27T19:00-07:00', source: 'batch-override' } },
        ],
      },
    ],
    [
      [true, false],
      {
        subject: alice,
        action: write,
        resource: { type: 'record' },
        evaluations: [{ resource: { id: 'record-1', properties: { status: 'active' } } }, { resource: archived }],
      },
    ],
  ] as const
  for (const [expected, body] of asks) {
    const answer = await ask(body, many)
    assert.deepEqual(decided(answer), expected, JSON.stringify(body))
    assert.ok(!('decision' in answer))
  }
  const replaced = await ask(
    { subject: alice, action: write, resource: archived, evaluations: [{ resource: first }, {}] },
    many,
  )
  assert.deepEqual(decided(replaced), [true, false], 'a resource takes the place of the shared one with its properties')
  const broken = await ask(
    {
      subject: alice,
      action: read,
      evaluations: [{ resource: first }, {}, 7, { resource: 'record-1' }, { resource: first }],
    },
    many,
  )
  assert.deepEqual(decided(broken), [true, false, false, false, true])
  assert.deepEqual(broken.evaluations?.[1]?.context?.error, { status: 400, message: '`resource` is required' })
})

test('AZ4: the three semantics: all, until the first no, until the first yes', async (context) => {
  const { ask, post, alice } = await certification(context)
  const evaluations = [{ resource: active }, { resource: archived }, { resource: active }]
  const asking = (semantic: string): object => ({
    subject: alice,
    action: { name: 'write' },
    evaluations,
    options: { evaluations_semantic: semantic, another_option: 'value' },
  })
  assert.deepEqual(decided(await ask(asking('execute_all'), many)), [true, false, true])
  assert.deepEqual(decided(await ask(asking('deny_on_first_deny'), many)), [true, false])
  assert.deepEqual(decided(await ask(asking('permit_on_first_permit'), many)), [true])
  const late = {
    ...asking('permit_on_first_permit'),
    evaluations: [{ resource: archived }, {}, { resource: active }, {}],
  }
  assert.deepEqual(decided(await ask(late, many)), [false, false, true])
  assert.equal((await post(JSON.stringify(asking('any')), {}, many)).status, 400)
})

test('AZ4: an enforcement point finds what it may ask (certification, Discovery)', async (context) => {
  const { people } = await certification(context)
  const answer = await people.api('GET', '/.well-known/authzen-configuration', undefined, {
    origin: 'https://app.example',
  })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-type'), 'application/json')
  assert.equal(answer.headers.get('access-control-allow-origin'), '*')
  assert.deepEqual(answer.body, {
    policy_decision_point: publicUrl,
    access_evaluation_endpoint: `${publicUrl}/access/v1/evaluation`,
    access_evaluations_endpoint: `${publicUrl}/access/v1/evaluations`,
  })
})

test('AZ3, AZ4: the to-do list of the interop scenario: whose it is, and who may all the same', async (context) => {
  const viewer = ['can_read_user', 'can_read_todos']
  const editor = [...viewer, 'can_create_todo', 'can_update_todo', 'can_delete_todo']
  const own = is('subject.email', { ref: 'resource.ownerID' })
  const may = (name: string, ...any: object[]): object => ({
    effect: 'allow',
    condition: { all: [action(name), { any }] },
  })
  const { ask, person } = await openDecisions(context, {
    administrator: 'root',
    roles: {
      viewer: { permissions: viewer },
      editor: { permissions: editor },
      admin: { permissions: editor },
      evil_genius: { permissions: editor },
    },
    policies: [
      {
        name: 'todos',
        version: '1.0',
        rules: [
          may('can_update_todo', own, is('subject.role', 'evil_genius')),
          may('can_delete_todo', own, is('subject.role', 'admin')),
          {
            effect: 'allow',
            condition: { operator: 'in', attribute: 'action.name', value: ['can_read_todos', 'can_create_todo'] },
          },
        ],
      },
    ],
    resources: { todo: { policy: 'todos' }, user: {} },
  })
  const subjects: Record<string, object> = {}
  for (const [name, ...roles] of [
    ['rick', 'admin', 'evil_genius'],
    ['morty', 'editor'],
    ['beth', 'viewer'],
  ] as const)
    subjects[name] = { type: 'user', id: (await person(name, ...roles)).id }
  const todo = (owner: string): object => ({
    type: 'todo',
    id: '7240d0db',
    properties: { ownerID: `${owner}@example.com` },
  })
  const rows = [
    ['rick', 'can_read_user', { type: 'user', id: 'beth@the-smiths.com' }, true],
    ['beth', 'can_read_todos', { type: 'todo', id: 'todo-1' }, true],
    ['morty', 'can_create_todo', { type: 'todo', id: 'todo-1' }, true],
    ['beth', 'can_create_todo', { type: 'todo', id: 'todo-1' }, false],
    ['morty', 'can_update_todo', todo('morty'), true],
    ['morty', 'can_update_todo', todo('rick'), false],
    ['rick', 'can_update_todo', todo('morty'), true],
    ['rick', 'can_delete_todo', todo('morty'), true],
    ['morty', 'can_delete_todo', todo('rick'), false],
    ['beth', 'can_delete_todo', todo('beth'), false],
  ] as const
  for (const [name, act, resource, expected] of rows) {
    const answer = await ask({ subject: subjects[name], action: { name: act }, resource, context: {} })
    assert.equal(answer.decision, expected, `${name} ${act} ${JSON.stringify(resource)}`)
  }
  const boxcar = {
    subject: subjects['morty'],
    action: { name: 'can_update_todo' },
    resource: {},
    context: {},
    evaluations: [{ resource: todo('rick') }, { resource: todo('morty') }],
  }
  assert.deepEqual(decided(await ask(boxcar, many)), [false, true])
})
