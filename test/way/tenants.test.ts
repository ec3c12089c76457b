import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { configOf, type Fields, found, startCrowd, startDocuments } from './owners.ts'

const people = ['ada', 'bob'] as const
const organisations = ['acme', 'globex'] as const

/** Who asks, and whose it is: people by themselves and by a key of theirs, programs of organisations. */
const caller = fc.oneof(
  fc.record({ person: fc.constantFrom(...people), by: fc.constantFrom('token' as const, 'key' as const) }),
  fc.record({ organisation: fc.constantFrom(...organisations) }),
)
const owner = fc.oneof(fc.constantFrom(...people, ...organisations), fc.constantFrom(null, undefined))
const step = fc.record({
  caller,
  owner,
  place: fc.constantFrom('documents' as const, 'files' as const, 'tasks' as const, 'reports' as const),
  method: fc.constantFrom('GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'POST'),
})

test('A57: nobody of one tenant reads or writes what is another’s, whoever asks, however, and after whatever else was asked', async (context) => {
  const api = await startDocuments(context)
  const { as, ada, bob, keyBy, ask } = await startCrowd(
    context,
    // Nothing is kept: here what belongs to one belongs to another in the next moment.
    configOf(api.url, { resources: { document: { owner: { ...found, cache: '0s' } } } }),
  )
  const accounts = { ada, bob }
  const byPerson: Record<string, Fields> = {}
  for (const person of people)
    byPerson[person] = await keyBy(as[person], '/api/keys', { permissions: ['document:read', 'document:write'] })
  const byOrganisation: Record<string, Fields> = {}
  for (const id of organisations)
    byOrganisation[id] = await keyBy(as.root, '/api/admin/keys', {
      permissions: ['document:read', 'document:write'],
      owner: { type: 'organisation', id },
    })
  /** What a thing's owner is called where it is kept. */
  const idOf = (name: string): string =>
    name in accounts ? accounts[name as keyof typeof accounts].id : `organisation:${name}`

  let things = 0
  const check = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
    const id = `thing-${things++}`
    for (const { caller, owner, place, method } of steps) {
      const asking = 'person' in caller ? caller.person : caller.organisation
      const fields =
        'person' in caller
          ? caller.by === 'key'
            ? byPerson[caller.person]
            : as[caller.person]
          : byOrganisation[asking]
      if (owner === undefined) api.owners.delete(id)
      else api.owners.set(id, owner === null ? null : idOf(owner))
      const whose = owner ?? 'nobody'
      const path = {
        documents: `/documents/${id}`,
        files: `/files/${id}`,
        tasks: `/users/${owner === null || owner === undefined ? id : idOf(owner)}/tasks`,
        reports: `/orgs/${whose}/reports`,
      }[place]
      const isOrganisation = (organisations as readonly string[]).includes(whose)
      const theirs = owner === asking && (place !== 'reports' || isOrganisation)
      api.reached.length = 0
      const answer = await ask(path, fields, method)
      const went = api.reached.filter((one) => !one.startsWith('GET /internal/'))
      const told = `${asking} asked ${method} ${path} of ${whose}: ${answer.status} ${answer.body}`
      const isChange = method !== 'GET' && method !== 'HEAD'
      if (place === 'files' && isChange) assert.equal(answer.status, 405, told)
      else if (theirs) assert.ok(answer.status === 200 || (answer.status === 404 && went.length > 0), told)
      else {
        assert.equal(answer.status, 404, told)
        if (method !== 'HEAD') assert.match(answer.body, /"code":"not-found"/, told)
        if (isChange) assert.deepEqual(went, [], told)
      }
    }
  })
  await fc.assert(check, { numRuns: 150, endOnFailure: true })
})
