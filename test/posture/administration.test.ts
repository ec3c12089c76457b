// Reviews and the checklist through the front door: who may read them, and what that leaves behind.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isRefusal } from '../../src/endpoints/desk/guard.ts'
import { PostureReading } from '../../src/endpoints/desk/posture.ts'
import type { Diary, Visitor } from '../../src/endpoints/desk/visitor.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { errorsOf, type RoleScene, roleScene, roles, type Somebody } from '../roles/scene.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { type Answer, bearer } from '../support/people.ts'
import { problemIn } from './well-formed.ts'

let at: RoleScene
let reader: Somebody
let manager: Somebody
let keeper: Somebody
const closing: (() => unknown)[] = []

before(async () => {
  at = await roleScene({ after: (close: () => unknown) => void closing.push(close) } as never, {
    roles: {
      ...roles,
      reader: { permissions: ['audit:view'] },
      officer: { permissions: ['audit:view', 'users:manage'] },
      keeper: { permissions: ['system:config'] },
    },
  })
  reader = await at.somebody('reader')
  manager = await at.somebody('officer')
  keeper = await at.somebody('keeper')
})
after(async () => {
  for (const close of closing.reverse()) await close()
})

const today = new Date().toISOString().slice(0, 10)

function ask(path: string, who: Somebody): Promise<Answer> {
  return at.people.api('GET', `/api/admin/${path}`, undefined, bearer(who))
}

async function fileOf(query: string, who: Somebody): Promise<readonly [head: Headers, text: string]> {
  const response = await fetch(`${at.people.url}/api/admin/reviews${query}`, { headers: bearer(who) })
  assert.equal(response.status, 200)
  return [response.headers, await response.text()]
}

test('IN4: a review comes as JSON, as Markdown and as an HTML file that is no page of ours', async () => {
  const { status, body } = await ask(`reviews?period=weekly&end=${today}`, reader)
  assert.equal(status, 200, JSON.stringify(body))
  assert.deepEqual([(body['period'] as { over: boolean }).over, (body['sections'] as unknown[]).length], [false, 9])
  const [htmlHead, html] = await fileOf(`?period=monthly&end=${today}&format=html`, reader)
  assert.equal(problemIn(html), undefined)
  assert.equal(htmlHead.get('content-disposition'), `attachment; filename="review-${today.slice(0, 7)}.html"`)
  assert.equal(htmlHead.get('cache-control'), 'no-store')
  const [, markdown] = await fileOf('?format=md', reader)
  assert.match(markdown, /^# Weekly security review/)
})

test('IN4: addresses of people are for those who manage accounts; others see ids', async () => {
  const query = `?period=weekly&end=${today}&format=md`
  const [[, own], [, others]] = [await fileOf(query, reader), await fileOf(query, manager)]
  assert.doesNotMatch(own, /people\\?\.example/)
  assert.match(others, /people\.example/)
  assert.match(own, new RegExp(at.root.id))
})

test('PO1: the checklist is read by whoever may see the configuration, by area if they like', async () => {
  const whole = await ask('posture', keeper)
  assert.equal(whole.status, 200)
  const checks = whole.body['checks'] as readonly {
    readonly id: string
    readonly area: string
    readonly outcome: string
  }[]
  assert.ok(checks.length > 100)
  assert.equal(checks.find(({ id }) => id === 'administrators-second-factor')?.outcome, 'fails')
  const some = (await ask('posture?area=headers', keeper)).body['checks'] as typeof checks
  assert.ok(some.length > 5 && some.every(({ area }) => area === 'headers'))
})

test('IN4, PO1: who may not is refused, and what is wrong with a question is said by its name', async () => {
  assert.equal((await ask('reviews', keeper)).status, 403)
  assert.equal((await ask('posture', reader)).status, 403)
  const wrong = await ask('reviews?period=daily&end=2026-02-30&format=pdf&page=1', reader)
  assert.equal(wrong.status, 422)
  assert.deepEqual(Object.keys(errorsOf(wrong)).toSorted(), ['end', 'format', 'page', 'period'])
  assert.deepEqual(errorsOf(await ask('reviews?end=2026-02-01&end=2026-03-01', reader)), { end: ['is there twice'] })
  assert.deepEqual(Object.keys(errorsOf(await ask('posture?area=nowhere&x=1', keeper))).toSorted(), ['area', 'x'])
})

test('IN4: one review is made at a time, so that searches come in between', async (context) => {
  const { store, audit, reading, settings } = at.people.house
  const diary = { access: async () => {} } as unknown as Diary
  const machine = { environment: {}, dataDir: throwAwayFolder(context) }
  const desk = new PostureReading({ store, audit, reading, settings, diary, machine, clock: systemClock })
  const visitor = { principal: { id: reader.id, permissions: new Set(['audit:view']) } } as unknown as Visitor
  const make = () => desk.review(visitor, 'weekly', undefined)
  const [first, second] = await Promise.all([make(), make()])
  assert.deepEqual([isRefusal(first), isRefusal(second) && second.code], [false, 'overloaded'])
  assert.equal(isRefusal(await make()), false)
})

test('IN4, PO1: that somebody read them is remembered, with who', async () => {
  await ask('reviews', reader)
  await ask('posture', keeper)
  await at.people.house.audit.flush()
  const read = (await at.people.events()).filter(({ type }) => type === 'data_access')
  assert.ok(read.some(({ action, actor }) => action === 'review.make' && actor.id === reader.id))
  assert.ok(read.some(({ action, actor }) => action === 'posture.read' && actor.id === keeper.id))
})
