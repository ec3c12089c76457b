// Decisions for other services: about whom, for whom, and what is remembered of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SignJWT } from 'jose'
import { parseConfig } from '../../src/config/parse.ts'
import type { Config } from '../../src/config/settings.ts'
import { bearer } from '../support/people.ts'
import { type DecisionScene, many, one, openDecisions, secret } from './scene.ts'

const config: Config = {
  roles: {
    user: { permissions: ['note:write'] },
    analyst: { permissions: ['report:read'], scope: 'analytics' },
  },
  resources: { note: { owner: { param: 'owner' } }, report: {}, invoice: {} },
  services: { billing: { permissions: ['invoice:read'] } },
}

function asking(
  subject: object,
  name: string,
  resource: object = { type: 'report', id: '1' },
  context?: object,
): object {
  return { subject, action: { name }, resource, context }
}

async function verdict(scene: DecisionScene, ...asked: Parameters<typeof asking>): Promise<string> {
  const { decision, context } = await scene.ask(asking(...asked))
  return decision === true ? 'permit' : (context?.reason ?? assert.fail('a denial without a reason'))
}

test('AZ3: the owner may, another may not, an administrator may; and nobody is told whose it is', async (context) => {
  const scene = await openDecisions(context, config)
  const [ada, eve, root] = [
    await scene.person('owner', 'user'),
    await scene.person('eve', 'user'),
    await scene.person('root', 'admin'),
  ]
  const note = (owner_id?: unknown): object => ({
    type: 'note',
    id: '7',
    properties: owner_id === undefined ? {} : { owner_id },
  })
  const user = ({ id }: { readonly id: string }): object => ({ type: 'user', id })
  assert.equal(await verdict(scene, user(ada), 'note:write', note(ada.id)), 'permit')
  assert.equal(await verdict(scene, user(eve), 'note:write', note(ada.id)), 'Not allowed')
  assert.equal(await verdict(scene, user(ada), 'note:write', note()), 'Not allowed')
  assert.equal(await verdict(scene, user(root), 'note:write', note(ada.id)), 'permit')
  assert.equal(await verdict(scene, user(ada), 'note:delete', note(ada.id)), "Permission 'note:delete' required")
  const decided = (await scene.evaluated()).map(({ actor, result, details }) => [actor.id, result, details['decided']])
  assert.deepEqual(decided.slice(0, 2), [
    [ada.id, 'success', 'roles user hold `note:write`; it is theirs'],
    [eve.id, 'denied', 'it is somebody else’s'],
  ])
})

test('A55: whoever is unknown, locked out or of another kind may nothing, and is answered like who holds nothing', async (context) => {
  const scene = await openDecisions(context, config)
  const { people } = scene
  const [ada, locked] = [await scene.person('known', 'user'), await scene.person('locked', 'admin')]
  await people.house.accounts.setStatus(people.house.store.db, locked.id, 'locked')
  const nobodies = [
    { type: 'user', id: locked.id },
    { type: 'user', id: '01900000-0000-7000-8000-000000000000' },
    { type: 'user', id: ada.email },
    { type: 'user', id: `${ada.id}\u0000` },
    { type: 'user', id: ada.id.toUpperCase() },
    { type: 'USER', id: ada.id },
    { type: 'service', id: ada.id },
    { type: 'service', id: 'nobody' },
    { type: 'service', id: '__proto__' },
    { type: 'group', id: 'admins' },
    { type: 'anonymous', id: ada.id },
    { type: 'user', id: 'anonymous' },
    { type: 'system', id: 'gatehouse' },
  ]
  const empty = await scene.person('empty')
  const expected = "Permission 'note:write' required"
  assert.equal(await verdict(scene, { type: 'user', id: empty.id }, 'note:write'), expected)
  for (const subject of nobodies) {
    const forged = { ...subject, properties: { id: ada.id, type: 'user', roles: ['admin'], permissions: ['*'] } }
    assert.equal(await verdict(scene, forged, 'note:write'), expected, JSON.stringify(subject))
  }
  const events = (await scene.evaluated()).slice(1)
  for (const [at, { actor, details }] of events.entries()) {
    const { type, id } = nobodies[at] ?? assert.fail()
    if (id === locked.id) assert.equal(actor.id, locked.id)
    else assert.equal(actor.id, 'anonymous', 'nobody who is not known is named as the one who acts')
    if (id !== locked.id && type !== 'anonymous') assert.ok(String(details['subject']).startsWith(type))
  }
})

test('A55: a service is known by its name, and no longer once it is disabled', async (context) => {
  const scene = await openDecisions(context, config)
  const { people } = scene
  const billing = { type: 'service', id: 'billing' }
  assert.equal(await verdict(scene, billing, 'invoice:read', { type: 'invoice', id: '1' }), 'permit')
  assert.equal(
    await verdict(scene, billing, 'invoice:write', { type: 'invoice', id: '1' }),
    "Permission 'invoice:write' required",
  )
  const admin = bearer({ access_token: await scene.token('admin') })
  const made = await people.api(
    'POST',
    '/api/admin/services',
    { name: 'ledger', permissions: ['invoice:write'] },
    admin,
  )
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const ledger = { type: 'service', id: 'ledger' }
  assert.equal(await verdict(scene, ledger, 'invoice:write', { type: 'invoice', id: '1' }), 'permit')
  assert.equal((await people.api('POST', '/api/admin/services/ledger/disable', undefined, admin)).status, 200)
  assert.equal(
    await verdict(scene, ledger, 'invoice:write', { type: 'invoice', id: '1' }),
    "Permission 'invoice:write' required",
  )
  const [event] = await scene.evaluated()
  assert.deepEqual(
    [event?.actor, event?.type, event?.result],
    [{ id: 'billing', type: 'service' }, 'api_access', 'success'],
  )
})

test('A56: a role that is given or taken, and a configuration that is read anew, hold for the next evaluation', async (context) => {
  const scene = await openDecisions(context, config)
  const { house } = scene.people
  const { id } = await scene.person('changing')
  const ask = (): Promise<string> => verdict(scene, { type: 'user', id }, 'note:delete', { type: 'report', id: '1' })
  const without = "Permission 'note:delete' required"
  assert.equal(await ask(), without)
  await house.accounts.grant(house.store.db, id, 'admin')
  assert.equal(await ask(), 'permit')
  await house.accounts.setRoles(house.store.db, id, ['user'])
  assert.equal(await ask(), without)
  const pep = { permissions: ['policies:evaluate'] }
  const roles = { pep, user: { permissions: ['note:*'] } }
  const next = parseConfig({ ...config, store: 'sqlite::memory:', listen: { port: 0 }, roles, limits: false }, {})
  assert.ok('settings' in next)
  await house.reload({ ...house.settings, roles: next.settings.roles })
  assert.equal(await ask(), 'permit')
})

test('AZ1: a role of one area counts where the question says that it is about that area, and nowhere else', async (context) => {
  const scene = await openDecisions(context, config)
  const analyst = { type: 'user', id: (await scene.person('analyst', 'analyst')).id }
  const report = { type: 'report', id: '1' }
  assert.equal(await verdict(scene, analyst, 'report:read', report, { area: 'analytics' }), 'permit')
  for (const about of [undefined, {}, { area: 'billing' }, { area: 'global' }])
    assert.equal(await verdict(scene, analyst, 'report:read', report, about), "Permission 'report:read' required")
})

test('AZ4: policies are told the time of the question where it says one, and the house’s own where it does not', async (context) => {
  const scene = await openDecisions(context, {
    roles: { user: { permissions: ['till:open'] } },
    policies: [
      {
        name: 'hours',
        version: '1.0',
        rules: [
          {
            effect: 'allow',
            condition: { operator: 'between', attribute: 'environment.time_of_day', value: ['08:00', '18:00'] },
          },
          { effect: 'allow', condition: { operator: 'equals', attribute: 'environment.ip', value: '192.0.2.7' } },
        ],
      },
      {
        name: 'since-2026',
        version: '1.0',
        rules: [
          {
            effect: 'allow',
            condition: { operator: 'greater_than', attribute: 'environment.time', value: Date.UTC(2026, 0, 1) },
          },
        ],
      },
    ],
    resources: { till: { policy: 'hours' }, opening: { policy: 'since-2026' } },
  })
  const subject = { type: 'user', id: (await scene.person('clerk', 'user')).id }
  const till = { type: 'till', id: '1' }
  const at = (context: object): Promise<string> => verdict(scene, subject, 'till:open', till, context)
  assert.equal(await at({ time: '2026-08-22T10:00Z' }), 'permit')
  assert.equal(await at({ time: '2026-08-22T10:00:00.5+06:00' }), 'Not allowed')
  assert.equal(await at({ time: Date.UTC(2026, 7, 22, 17, 59) }), 'permit')
  assert.equal(await at({ time: '2026-08-22T23:00Z', ip: '192.0.2.7' }), 'permit')
  const opened = { type: 'opening', id: '1' }
  assert.equal(await verdict(scene, subject, 'till:open', opened), 'permit', 'it is later than that')
  assert.equal(await verdict(scene, subject, 'till:open', opened, { time: '2025-12-31T23:59:59Z' }), 'Not allowed')
})

test('AZ2: only who holds `policies:evaluate` may ask, a service by its token too; nobody else learns anything', async (context) => {
  const services = { ...config.services, pep: { permissions: ['policies:evaluate'], secrets: [{ env: 'PEP' }] } }
  const scene = await openDecisions(context, { ...config, services })
  const { people } = scene
  const body = asking({ type: 'user', id: 'x' }, 'note:write')
  const now = Math.floor(Date.now() / 1000)
  const ofService = await new SignJWT({})
    .setProtectedHeader({ alg: 'HS256', typ: 'service+jwt' })
    .setIssuer('pep')
    .setSubject('pep')
    .setAudience('gatehouse')
    .setIssuedAt(now)
    .setExpirationTime(now + 60)
    .setJti('1')
    .sign(Buffer.from(secret))
  for (const path of [one, many]) {
    const stranger = await people.api('POST', path, body)
    assert.deepEqual([stranger.status, stranger.body['code']], [401, 'credentials-required'])
    const user = await people.api('POST', path, body, bearer({ access_token: await scene.token('user') }))
    assert.deepEqual([user.status, user.body['error']], [403, "Permission 'policies:evaluate' required"])
    const service = await people.api('POST', path, body, bearer({ access_token: ofService }))
    assert.deepEqual([service.status, service.body['decision']], [200, false], JSON.stringify(service.body))
  }
  const events = await scene.evaluated()
  assert.deepEqual(
    events.map(({ details }) => details['asked_by']),
    ['pep', 'pep'],
    'who may not ask has asked nothing',
  )
})

test('A56: no body makes an evaluation fail, wait or decide otherwise than by its words', async (context) => {
  const scene = await openDecisions(context, config)
  const ada = { type: 'user', id: (await scene.person('target', 'user')).id }
  const report = { type: 'report', id: '1' }
  const whole = (more: object): string => JSON.stringify({ ...asking(ada, 'note:write', report), ...more })
  const deep = `${'{"a":'.repeat(70)}1${'}'.repeat(70)}`
  const bodies: readonly (readonly [status: number, text: string | Uint8Array, path?: string])[] = [
    [413, JSON.stringify({ ...asking(ada, 'note:write'), context: { filler: 'x'.repeat(65_536) } })],
    [400, whole({}).replace('{"subject"', '{"subject":{},"subject"')],
    [400, whole({ context: 7 }).replace(':7', `:${deep}`)],
    [400, Buffer.from([0x7b, 0xff, 0x7d])],
    [400, whole({ action: { name: ':'.repeat(201) } })],
    [400, whole({ action: { name: '' } })],
    [400, whole({ subject: { type: 'user', id: 'x'.repeat(1_001) } })],
    [400, whole({ evaluations: Array.from({ length: 101 }, () => ({})) }), many],
    [400, whole({ evaluations: {} }), many],
    [400, whole({ options: 'all', evaluations: [{}] }), many],
    [200, whole({ action: { name: ':'.repeat(200) } })],
    [200, whole({ action: { name: '\ud800 lone' } })],
    [200, whole({ resource: { type: '\udfff', id: '\ud800'.repeat(300) } })],
    [200, whole({ subject: { type: 'user', id: 'Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl' } })],
    [200, whole({ context: JSON.parse('{"__proto__":{"area":"analytics"},"constructor":1}') })],
    [
      200,
      whole({
        subject: { ...ada, properties: JSON.parse('{"__proto__":{"roles":["admin"]},"roles":["admin"]}') },
        action: { name: 'report:read' },
      }),
    ],
    [200, whole({ resource: { ...report, properties: { id: 'other', type: 'note', owner_id: ada.id } } })],
  ]
  for (const [status, text, path = one] of bodies) {
    const answer = await scene.post(text, {}, path)
    const said = (await answer.json()) as { decision?: boolean; code?: string }
    assert.equal(answer.status, status, `${String(text).slice(0, 80)}: ${JSON.stringify(said)}`)
  }
  const forged = {
    ...ada,
    properties: JSON.parse('{"__proto__":{"roles":["admin"]},"roles":["admin"],"permissions":["*"]}'),
  }
  assert.equal(await verdict(scene, forged, 'report:read', report), "Permission 'report:read' required")
  const disguised = { type: 'note', id: '1', properties: { type: 'report', owner_id: 'somebody else' } }
  assert.equal(await verdict(scene, ada, 'note:write', disguised), 'Not allowed')
  assert.equal(
    await verdict(scene, ada, 'note:write', { type: 'notes', id: '1' }),
    'Not allowed',
    'no such type is declared',
  )
  const record = JSON.stringify(await scene.evaluated())
  assert.ok(record.isWellFormed() && !record.includes('eyJhbGci'), 'a token that stood for an id is not remembered')
})

test('A56: a hundred questions at once are a hundred decisions, each remembered, and one look at whom they are about', async (context) => {
  const scene = await openDecisions(context, config)
  const { accounts } = scene.people.house
  const ada = { type: 'user', id: (await scene.person('busy', 'user')).id }
  const evaluations = Array.from({ length: 100 }, (_, at) => ({ resource: { type: 'report', id: String(at) } }))
  const looks = context.mock.method(accounts, 'byId')
  const answer = await scene.ask({ subject: ada, action: { name: 'note:write' }, evaluations }, many)
  assert.equal(answer.evaluations?.filter(({ decision }) => decision === true).length, 100)
  assert.equal(looks.mock.callCount(), 1)
  const events = await scene.evaluated()
  assert.deepEqual(
    events.map(({ details }) => details['resource_id']),
    evaluations.map(({ resource }) => resource.id),
  )
  for (const { actor, resource, details } of events) {
    assert.deepEqual([actor.id, resource.id, details['action']], [ada.id, `POST ${many}`, 'note:write'])
    assert.equal(details['decided'], 'roles user hold `note:write`')
  }
})

test('A56: an explanation says what led to a decision, is for who manages policies, and leaves no trace as a decision', async (context) => {
  const scene = await openDecisions(context, {
    ...config,
    policies: [
      {
        name: 'office',
        version: '1.0',
        rules: [
          {
            description: 'Sales',
            condition: { operator: 'equals', attribute: 'subject.department', value: 'sales' },
            effect: 'allow',
          },
        ],
      },
    ],
    resources: { ...config.resources, deal: { policy: 'office', owner: { param: 'owner' } } },
    roles: { ...config.roles, seller: { permissions: ['deal:*'] }, clerk: { inherits: ['seller'], permissions: [] } },
  })
  const { people } = scene
  const seller = await scene.person('seller', 'user', 'clerk', 'analyst')
  const token = await scene.token('auditor')
  const explain = async (body: object, access_token = token): Promise<readonly [number, Record<string, unknown>]> => {
    const answer = await people.api('POST', '/api/admin/decisions/explain', body, bearer({ access_token }))
    return [answer.status, answer.body]
  }
  const asked = {
    subject: { type: 'user', id: seller.id, properties: { department: 'sales', api_token: 'hush' } },
    action: { name: 'deal:close' },
    resource: { type: 'deal', id: '1', properties: { owner_id: seller.id } },
  }
  const [status, said] = await explain(asked)
  assert.equal(status, 200, JSON.stringify(said))
  assert.deepEqual(
    [said['decision'], said['because']],
    [true, 'roles clerk, user hold `deal:close`; it is theirs; policy `office`: rules[0] (Sales) allows it'],
  )
  assert.deepEqual(said['subject'], {
    known: true,
    roles: ['clerk', 'user'],
    roles_without_effect: ['analyst'],
    permissions: ['deal:*', 'note:write'],
  })
  assert.deepEqual(said['permission'], {
    decision: true,
    because: 'roles clerk, user hold `deal:close`',
    by_roles: ['clerk'],
  })
  assert.deepEqual(said['ownership'], { decision: true, because: 'it is theirs' })
  const [policy] = said['policies'] as { name: string; decision: boolean; rules: { outcome: string }[] }[]
  assert.deepEqual([policy?.name, policy?.decision, policy?.rules[0]?.outcome], ['office', true, 'holds'])
  assert.ok(!JSON.stringify(said).includes('hush'))

  const [, foreign] = await explain({ ...asked, resource: { type: 'deal', id: '1', properties: { owner_id: 'eve' } } })
  assert.deepEqual([foreign['decision'], foreign['because']], [false, 'it is somebody else’s'])
  assert.equal(
    (foreign['policies'] as { decision: boolean }[])[0]?.decision,
    true,
    'the steps after it are shown as well',
  )
  const [, unknown] = await explain({ ...asked, subject: { type: 'user', id: 'nobody' } })
  assert.deepEqual([unknown['decision'], unknown['because']], [false, 'no account has this id'])
  const [, report] = await explain({
    subject: asked.subject,
    action: { name: 'report:read' },
    context: { area: 'analytics' },
  })
  assert.deepEqual([report['decision'], (report['permission'] as { by_roles: string[] }).by_roles], [true, ['analyst']])

  assert.equal((await explain({ ...asked, extra: 1 }))[0], 422)
  assert.equal((await explain(asked, await scene.token('pep')))[0], 403)
  assert.deepEqual(await scene.evaluated(), [])
})
