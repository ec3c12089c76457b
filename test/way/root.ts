// What an administrator makes for somebody to be done with.
import assert from 'node:assert/strict'
import type { Scene } from './callers.ts'
import type { Root } from './endpoint-table.ts'

export function rootOf(scene: Scene): Root {
  const root = scene.caller('root')
  const make = async (path: string, json: object): Promise<Record<string, unknown>> => {
    const answer = await scene.ask(root, 'POST', path, { json })
    assert.equal(answer.status, 201, answer.text)
    return answer.body
  }
  return {
    key: async () => String((await make('/api/keys', { name: 'one to be done with' }))['id']),
    async client() {
      const body = await make('/api/admin/clients', {
        client_name: 'one to be done with',
        redirect_uris: ['https://client.example/cb'],
      })
      return [String(body['client_id']), String(body['secret_id'])]
    },
    async service() {
      const body = await make('/api/admin/services', { name: `made-${made++}` })
      return [String(body['name']), String(body['secret_id'])]
    },
    role: async () => String((await make('/api/admin/roles', { name: `made-${made++}` }))['name']),
    async policy() {
      const rule = { condition: { operator: 'exists', attribute: 'subject.id' }, effect: 'allow' }
      for (const [path, rules] of [
        ['', [rule]],
        ['/trial', [rule, rule]],
      ] as const) {
        const document = { version: '1.0', rules }
        const answer = await scene.ask(root, 'PUT', `/api/admin/policies/managed${path}`, { json: { document } })
        assert.equal(answer.status, 200, answer.text)
      }
      return 'managed'
    },
    async session(account) {
      const { sessions, store } = scene.people.house
      const proof = { methods: ['password' as const], at: scene.clock.now() }
      return (await sessions.open(store.db, account, { address: '', userAgent: '' }, proof)).session.id
    },
  }
}

let made = 0
