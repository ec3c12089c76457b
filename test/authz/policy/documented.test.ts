import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { asking, policyOf } from './support.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/policies.md'), 'utf8')
const documents = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => JSON.parse(text) as unknown)

test('AZ4: the policies of the documentation are policies, and decide as it says', () => {
  const [owners, night, state] = documents.map(policyOf)
  assert.equal(documents.length, 3)
  const anns = { owner_id: 'ann' }
  assert.equal(owners?.decide(asking({ subject: { id: 'ann' }, resource: anns })).rule, 1)
  assert.equal(owners?.decide(asking({ subject: { id: 'bob' }, resource: anns })).effect, 'deny')

  const at = (hour: string, ip: string) => ({ time: Date.parse(`2026-07-01T${hour}:00Z`), ip })
  const edit = (name: string, environment: Record<string, unknown>) =>
    night?.decide(
      asking({
        subject: { id: 'ann' },
        resource: { type: 'document', editors: ['bob', 'ann'] },
        action: { name },
        environment,
      }),
    )
  assert.equal(edit('write', at('23:00', '192.0.2.1'))?.rule, 1)
  assert.equal(edit('delete', at('23:00', '192.0.2.1'))?.rule, 0)
  assert.equal(edit('delete', at('23:00', '10.1.1.1'))?.rule, undefined)
  assert.equal(edit('delete', at('12:00', '192.0.2.1'))?.rule, undefined)
  assert.equal(edit('delete', { ip: '192.0.2.1' })?.rule, 0)

  const user = { role: ['user'] }
  assert.equal(state?.decide(asking({ subject: user })).effect, 'permit')
  assert.equal(state?.decide(asking({ subject: user, resource: { state: 'open' } })).effect, 'permit')
  assert.equal(state?.decide(asking({ subject: user, resource: { state: 'locked' } })).effect, 'deny')
})
