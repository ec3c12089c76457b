// The freeze, at every door that changes something.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { actions } from '../../src/audit/event.ts'
import { frozenBy } from '../../src/incident/freeze.ts'
import { contract, type EndpointName } from '../../src/wire/contract.ts'
import type { Endpoint } from '../../src/wire/shapes.ts'
import { sampleEvent } from '../audit/sample.ts'
import { goodPassword } from '../support/people.ts'
import { openScene, type Scene } from '../way/callers.ts'
import { type Asked, table } from '../way/endpoint-table.ts'
import { rootOf } from '../way/root.ts'

/** What takes access away, asks, or looks into the incident; said here once more, by hand. */
const goesOn =
  'acknowledgeIncident approveStep assignIncident blockAddress containIncident disableClient disableService emergency endUserSessions explainDecision explainPolicy freezeChanges lockUser noteIncident openIncident rejectStep removeClientSecret removeServiceSecret reopenIncident resolveIncident retryRun revoke revokeAnyKey runPlaybook thawChanges undoStep'

const actionsThatGoOn =
  'address.block api-key.revoke audit.checkpoint changes.freeze changes.thaw client.secret-remove incident.acknowledge incident.assign incident.contain incident.note incident.open incident.reopen incident.resolve playbook.approve playbook.reject playbook.run playbook.step playbook.undo service.secret-remove signing-key.remove signing-key.rotate sink.reset token.revoke user.lock user.sessions-end user.withdraw'

describe('changes are frozen', () => {
  const cleanups: (() => Promise<void> | void)[] = []
  let scene: Scene

  before(async () => {
    scene = await openScene({ after: (fn: () => void) => cleanups.push(fn) } as never)
  })
  after(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup()
  })

  const changing = (Object.entries(contract) as readonly (readonly [EndpointName, Endpoint])[]).filter(
    ([, { method, path }]) => method !== 'GET' && path.startsWith('/api/admin/'),
  )
  const allowed = new Set(goesOn.split(' '))

  for (const [name, { method, path, body }] of changing) {
    const refused = !allowed.has(name)
    test(`A68: while changes are frozen ${method} ${path} ${refused ? 'is refused, and leaves nothing' : 'goes on'}`, async () => {
      const root = scene.caller('root')
      await root.renew?.()
      const asked: Asked = {
        ...table[name],
        params: table[name].absent,
        ...(await table[name].done[2]?.(scene, rootOf(scene))),
      }
      const params = [...(asked.params ?? [])]
      const target = path.replaceAll(/:\w+/g, () => encodeURIComponent(params.shift() ?? 'none'))
      if (path.endsWith('/enable')) await scene.ask(root, 'POST', target.replace(/enable$/, 'disable'))
      await scene.ask(root, 'POST', '/api/admin/freeze', { json: { reason: 'for a test' } })
      const stood = await changesIn(scene)
      const answer = await scene.ask(root, method, target, body === undefined ? {} : { json: asked.body ?? {} })
      if (refused) assert.equal(answer.body['code'], 'changes-frozen', `${answer.status} ${answer.text}`)
      if (refused) assert.deepEqual(await changesIn(scene), stood)
      else assert.notEqual(answer.body['code'], 'changes-frozen', answer.text)
      await root.renew?.()
      await scene.ask(root, 'DELETE', '/api/admin/freeze')
    })
  }

  test('A68: of every administrative action it is said by hand whether it goes on', async () => {
    const { store } = scene.people.house
    const root = scene.caller('root')
    await root.renew?.()
    await scene.ask(root, 'POST', '/api/admin/freeze', { json: { reason: 'for a test' } })
    const going: string[] = []
    for (const action of actions.admin_action) {
      const event = {
        ...sampleEvent(1),
        type: 'admin_action' as const,
        action,
        actor: { id: 'root', type: 'user' as const },
        details: {},
      }
      if ((await frozenBy(store.db, event)) === undefined) going.push(action)
      const own = { ...event, actor: { id: 'gatehouse', type: 'system' as const } }
      assert.equal(await frozenBy(store.db, own), undefined, `${action} of the house itself`)
    }
    assert.equal(going.toSorted().join(' '), actionsThatGoOn)
    await scene.ask(root, 'DELETE', '/api/admin/freeze')
  })

  test('A68: an invitation from before the freeze makes nobody while it lasts, and works when it is over', async () => {
    const root = scene.caller('root')
    const { people } = scene
    const email = 'invited@people.example'
    await root.renew?.()
    const invited = await scene.ask(root, 'POST', '/api/admin/users', { json: { email, roles: ['user'] } })
    assert.ok(invited.status < 300, invited.text)
    const token = await people.token(email)
    await scene.ask(root, 'POST', '/api/admin/freeze', { json: { reason: 'somebody invites their friends' } })
    const accept = () => people.api('POST', '/api/auth/invitation', { token, password: goodPassword })
    const refused = await accept()
    assert.deepEqual([refused.status, refused.body['code']], [409, 'changes-frozen'])
    assert.doesNotMatch(JSON.stringify(refused.body), /friends/)
    await scene.ask(root, 'DELETE', '/api/admin/freeze')
    assert.ok((await accept()).status < 300)
  })
})

/** Everything that administrators can change. */
async function changesIn(scene: Scene): Promise<unknown> {
  const rows = await scene.rows()
  return ['users', 'user_roles', 'roles', 'services', 'oauth_clients', 'policies', 'api_keys', 'address_blocks'].map(
    (name) => [name, rows.get(name)?.length],
  )
}
