import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { eventually } from '../../test/support/eventually.ts'
import { throwAwayFolder } from '../../test/support/folder.ts'
import { startHouse } from '../../test/support/house.ts'
import { lettersIn } from '../../test/support/letters.ts'
import { post, postElsewhere } from '../../test/support/process.ts'
import { asked, eventsSoon, incidentsSoon, member } from '../../test/support/record.ts'
import type config from './gatehouse.config.ts'

test('AI Assistant: guessing is noticed, told, answered and written down', async (context) => {
  const told: { readonly headline?: string; readonly text: string }[] = []
  const duty = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      told.push({ text })
      response.end()
    })
  })
  await new Promise<void>((resolve) => duty.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    duty.closeAllConnections()
    duty.close()
  })
  process.env['ASSISTANT_ALERTS'] = `http://127.0.0.1:${(duty.address() as AddressInfo).port}/`
  context.after(() => delete process.env['ASSISTANT_ALERTS'])
  const assistant = (await import(`${'./gatehouse.config.ts'}?with=alarm`)) as { readonly default: typeof config }
  const folder = throwAwayFolder(context)
  const mail = { ...assistant.default.mail, from: 'x@assistant.example', folder }
  const house = await startHouse(
    context,
    { ...assistant.default, mail, limits: false, audit: { checkpoint: '1s' }, store: 'sqlite::memory:' },
    { roles: ['admin'] },
  )
  const token = await house.signIn()
  const { id, email, password, bearer } = await member(house, 'ann@example.com', ['user'])

  await context.test('AU6 A: five wrong passwords in five minutes, from wherever, are one incident', async () => {
    for (let tried = 0; tried < 5; tried++)
      await postElsewhere(`${house.url}/api/auth/login`, { email, password: 'wrong and wrong again' })
    const found = await incidentsSoon(house.url, token, 'brute-force')
    assert.ok(found.some(({ targets }) => targets.some((one) => one.id === id)))
  })

  await context.test(
    'IN2 A: by itself the account is locked for 30 minutes, its sessions end, the address is blocked',
    async () => {
      type Shown = { readonly runs: readonly { readonly id: string; readonly status: string }[] }
      const run = await eventually(async () => {
        const { runs } = await asked<Shown>(`${house.url}/api/admin/playbooks/runs`, token)
        return runs.find(({ status }) => status === 'done')
      })
      type Steps = {
        readonly steps: readonly { readonly do: string; readonly status: string; readonly undo_at?: string }[]
      }
      const { steps } = await asked<Steps>(`${house.url}/api/admin/playbooks/runs/${run.id}`, token)
      assert.deepEqual(
        steps.map((step) => [step.do, step.status]),
        [
          ['account.lock', 'done'],
          ['sessions.end', 'done'],
          ['address.block', 'done'],
        ],
      )
      const undone = Date.parse(steps[0]?.undo_at ?? '') - Date.now()
      assert.ok(undone > 28 * 60_000 && undone <= 30 * 60_000, `${undone} ms`)
      const signedOut = await fetch(`${house.url}/api/conversations`, { headers: { authorization: bearer } })
      assert.equal(signedOut.status, 401)
      assert.equal((await postElsewhere(`${house.url}/api/auth/login`, { email, password })).status, 401)
    },
  )

  await context.test(
    'IN1 A: somebody takes it, writes what they found, and ends it; who, what and when stays',
    async () => {
      type Whole = {
        readonly version: number
        readonly status: string
        readonly timeline: readonly { readonly kind: string }[]
      }
      const [incident] = await incidentsSoon(house.url, token, 'brute-force')
      const at = `${house.url}/api/admin/incidents/${incident?.id}`
      const authorization = `Bearer ${token}`
      const { version } = await asked<Whole>(at, token)
      const taken = await post(`${at}/acknowledge`, { version }, { authorization })
      assert.equal(taken.status, 200, await taken.text())
      assert.equal(
        (await post(`${at}/acknowledge`, { version }, { authorization })).status,
        409,
        'somebody else was first',
      )
      await post(`${at}/note`, { text: 'Ann was called: it was not her' }, { authorization })
      const seen = await asked<Whole>(at, token)
      await post(`${at}/resolve`, { version: seen.version, text: 'a new password was chosen' }, { authorization })
      const { status, timeline } = await asked<Whole>(at, token)
      assert.equal(status, 'resolved')
      const kinds = timeline.map(({ kind }) => kind)
      for (const kind of ['opened', 'playbook', 'acknowledged', 'note', 'resolved'])
        assert.ok(kinds.includes(kind), `${kind} is not among ${kinds}`)
    },
  )

  await context.test('IN3 A: those on duty are told by webhook and by letter', async () => {
    await eventually(() => told.find(({ text }) => text.includes('brute-force')))
    await eventually(() => lettersIn(folder).find((letter) => letter.includes('To: security@assistant.example')))
  })

  await context.test('AU1 AU2 A: what says something of a person lies sealed, and the record verifies', async () => {
    const [event] = await eventsSoon(house.url, token, `type=authentication&action=sign-in&result=success&actor=${id}`)
    assert.match(event?.address ?? '', /^127\./)
    const stored = await house.house.store.db
      .selectFrom('audit_events')
      .select('body')
      .where('id', '=', event?.id ?? '')
      .executeTakeFirstOrThrow()
    assert.ok(!stored.body.includes(event?.address ?? '?'), stored.body)
    type Proof = { readonly path: readonly string[]; readonly size: number }
    const proof = await eventually(async () => {
      const headers = { authorization: `Bearer ${token}` }
      const answer = await fetch(`${house.url}/api/admin/audit/events/${event?.id}/proof`, { headers })
      return answer.status === 200 ? ((await answer.json()) as Proof) : undefined
    })
    assert.ok(proof.size > 0 && proof.path.length > 0)
  })

  await context.test('AU3 A: what was found goes out as lines of JSON and as CSV', async () => {
    const authorization = `Bearer ${token}`
    const out = async (format: string): Promise<string> => {
      const answer = await fetch(`${house.url}/api/admin/audit/export?type=authentication&format=${format}`, {
        headers: { authorization },
      })
      assert.equal(answer.status, 200)
      return answer.text()
    }
    const lines = (await out('jsonl')).trimEnd().split('\n')
    assert.ok(lines.length >= 7)
    for (const line of lines) assert.match(line, /"type":"authentication"/)
    const [head, ...rows] = (await out('csv')).trimEnd().split('\r\n')
    assert.match(head ?? '', /^seq,/)
    assert.equal(rows.length, lines.length)
  })
})
