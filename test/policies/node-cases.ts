// Two nodes of one house, and who decides at which.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '../../src/config/settings.ts'
import { eventually } from '../support/eventually.ts'
import { mirror, startHouse, startUpstream } from '../support/house.ts'
import { allowing, type FreshStore } from './scene.ts'

const environment = { GATEHOUSE_SECRET: 'the nodes of one house share this secret' }

export function nodeCases(fresh: FreshStore): void {
  test('A56: what an administrator writes at one node holds on its next request there, and within a second at the other', async (context) => {
    const upstream = await startUpstream(context, mirror)
    const config: Config = {
      store: await fresh(context),
      limits: false,
      upstreams: { api: upstream.url },
      policies: [{ name: 'documents', managed: true }],
      routes: [{ path: '/documents', access: 'authenticated', policy: 'documents', to: 'api' }],
    }
    const first = await startHouse(context, config, { environment, roles: ['admin'] })
    const second = await startHouse(context, config, { environment, roles: ['admin'] })
    const headers = { authorization: `Bearer ${await first.signIn()}` }
    const me = (await (await fetch(`${first.url}/api/auth/me`, { headers })).json()) as { id: string }
    const passes = async (url: string): Promise<number> => (await fetch(`${url}/documents`, { headers })).status
    const put = async (url: string, body: object): Promise<number> =>
      (
        await fetch(`${url}/api/admin/policies/documents`, {
          method: 'PUT',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        })
      ).status
    assert.deepEqual([await passes(first.url), await passes(second.url)], [403, 403])

    assert.equal(await put(first.url, { document: allowing(me.id) }), 200)
    assert.equal(await passes(first.url), 200, 'at once')
    const asked = performance.now()
    await eventually(async () => ((await passes(second.url)) === 200 ? true : undefined))
    assert.ok(performance.now() - asked < 1_500, `${performance.now() - asked} ms`)

    const shown = async (url: string): Promise<string> => {
      const found = await fetch(`${url}/api/admin/policies/documents`, { headers })
      return ((await found.json()) as { fingerprint: string }).fingerprint
    }
    const expect = await shown(first.url)
    assert.equal(await shown(second.url), expect)
    const raced = await Promise.all([
      put(first.url, { document: allowing('somebody', 'else'), expect }),
      put(second.url, { document: allowing('somebody'), expect }),
      put(first.url, { document: allowing('else'), expect }),
    ])
    assert.deepEqual(raced.toSorted(), [200, 409, 409], 'of changes that expect the same document one is made')
    assert.equal(await shown(first.url), await shown(second.url), 'asked about a policy, a node asks the store')
    await eventually(async () => ((await passes(second.url)) === 403 ? true : undefined))
    assert.equal(await passes(first.url), 403)
  })
}
