import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { appendBatch } from '../../src/audit/chain.ts'
import type { AuditEvent } from '../../src/audit/event.ts'
import { eventText } from '../../src/audit/event-text.ts'
import type { Review } from '../../src/posture/review/document.ts'
import { reviewFormats } from '../../src/posture/review/formats.ts'
import { periodOf } from '../../src/posture/review/period.ts'
import { makeReview } from '../../src/posture/review/review.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { dayMs, factsWith } from './model.ts'
import { problemIn } from './well-formed.ts'

const hourMs = 3_600_000
/** A Monday. */
const begin = Date.UTC(2026, 5, 8)
const now = begin + 8 * dayMs
const hostile = '<script>alert(1)</script>|**x** [y](https://evil.example) \u202Eoops\n# heading & "quoted" \'too\''

let made = 0
function event(at: number, more: Partial<AuditEvent>): AuditEvent {
  return {
    action: 'request',
    actor: { id: 'anonymous', type: 'anonymous' },
    address: '192.0.2.1',
    at,
    details: {},
    id: `event-${made++}`,
    request_id: '',
    resource: { id: 'GET /tasks', type: 'route' },
    result: 'success',
    type: 'api_access',
    user_agent: hostile,
    v: 1,
    ...more,
  } as AuditEvent
}

function many(count: number, of: (index: number) => AuditEvent): AuditEvent[] {
  return Array.from({ length: count }, (_, index) => of(index))
}

async function user(store: Store, id: string, email: string): Promise<void> {
  await store.db
    .insertInto('users')
    .values({ id, email, name: hostile, password_hash: null, status: 'active', created_at: begin, updated_at: begin })
    .execute()
  await store.db.insertInto('user_roles').values({ user_id: id, role: 'admin' }).execute()
}

async function scene(context: TestContext, url: string, events: readonly AuditEvent[]): Promise<Store> {
  const store = await openStore(url)
  context.after(() => store.close())
  for (let from = 0; from < events.length; from += 500)
    await appendBatch(store, events.slice(from, from + 500).map(eventText))
  return store
}

function reviewOf(store: Store, emails = true): Promise<Review> {
  const { settings } = factsWith()
  const period = periodOf('weekly', begin, now)
  return makeReview(period, { store, settings, machine: undefined, emails, now })
}

function figure(review: Review, section: string, name: string): readonly unknown[] {
  const found = review.sections.find(({ id }) => id === section)?.figures.find((one) => one.name === name)
  return [found?.now, found?.before]
}

function table(review: Review, section: string, title: string): readonly (readonly unknown[])[] {
  const found = review.sections.find(({ id }) => id === section)?.tables.find((one) => one.title.startsWith(title))
  assert.ok(found !== undefined, title)
  return found.rows
}

export function reviewCases(freshStore: (context: TestContext) => Promise<string>): void {
  test('IN4: a review counts what happened in its week, against the week before, and nothing beyond', async (context) => {
    const signIn = { type: 'authentication', action: 'sign-in', resource: { id: 'u1', type: 'user' } } as const
    const failed = { ...signIn, result: 'failure', details: { because: 'credentials-invalid' } } as const
    const store = await scene(context, await freshStore(context), [
      ...many(5, (index) => event(begin + index * hourMs, failed)),
      event(begin + 1, { ...failed, resource: { id: 'u2', type: 'user' }, details: { because: 'locked-out' } }),
      ...many(2, () => event(begin - 1, failed)),
      event(begin - 8 * dayMs, failed),
      event(begin + 7 * dayMs, failed),
      ...many(3, (index) => event(begin + index, { ...signIn, result: 'success' })),
      ...many(7, () => event(begin + dayMs, { details: { client: 'studio', credential: 'api-key AB12' } })),
      ...many(2, () => event(begin + dayMs, { result: 'error', resource: { id: 'GET /slow', type: 'route' } })),
      ...many(4, () =>
        event(begin + dayMs, {
          result: 'denied',
          details: { because: 'rate-limited' },
          actor: { id: 'u9', type: 'user' },
        }),
      ),
      event(begin + dayMs, {
        type: 'authorization_failure',
        action: 'refused',
        result: 'denied',
        details: { because: 'permission-missing' },
      }),
      event(begin + 2, {
        type: 'admin_action',
        action: 'user.roles',
        actor: { id: 'u1', type: 'user' },
        resource: { id: 'u2', type: 'user' },
      }),
      event(begin + 3, { type: 'admin_action', action: 'user.impersonate', actor: { id: 'u1', type: 'user' } }),
      event(begin + 4, { type: 'security_incident', action: 'brute-force', result: 'denied' }),
    ])
    await user(store, 'u1', 'ada@example.com')
    const review = await reviewOf(store)
    assert.deepEqual(figure(review, 'sign-ins', 'signed in'), [3, 0])
    assert.deepEqual(figure(review, 'sign-ins', 'failed'), [6, 2])
    assert.deepEqual(table(review, 'sign-ins', 'Why'), [
      ['credentials-invalid', 5],
      ['locked-out', 1],
    ])
    assert.deepEqual(table(review, 'sign-ins', 'Accounts'), [
      ['u1', 'ada@example.com', 5],
      ['u2', '', 1],
    ])
    assert.deepEqual(figure(review, 'refusals', 'refused'), [5, 0])
    assert.deepEqual(table(review, 'refusals', 'By reason'), [
      ['rate-limited', 4],
      ['permission-missing', 1],
    ])
    assert.deepEqual(table(review, 'refusals', 'By caller'), [
      ['u9', 4],
      ['192.0.2.1', 1],
    ])
    assert.deepEqual(figure(review, 'usage', 'requests'), [14, 0])
    assert.deepEqual(figure(review, 'usage', 'share of errors'), ['14.3 %', '0.0 %'])
    assert.deepEqual(table(review, 'usage', 'Busiest'), [
      ['GET /tasks', 12, 0],
      ['GET /slow', 2, 2],
    ])
    assert.deepEqual(table(review, 'usage', 'Keys'), [['api-key AB12', 7]])
    assert.deepEqual(table(review, 'usage', 'Clients'), [['studio', 7]])
    assert.deepEqual(figure(review, 'access-changes', 'changes'), [2, 0])
    assert.deepEqual(figure(review, 'access-changes', 'impersonations'), [1, 0])
    assert.equal(table(review, 'access-changes', 'The latest')[0]?.[1], 'u1 (ada@example.com)')
    assert.deepEqual(figure(review, 'sign-ins', 'guessing noticed, and locked where a rule says so'), [1, 0])
    assert.deepEqual(table(review, 'accounts', 'Administrators'), [
      ['u1', 'ada@example.com', 'without a second factor'],
      ['u1', 'ada@example.com', 'never signed in'],
    ])
    const byDay = review.sections.find(({ id }) => id === 'usage')?.charts[0]
    assert.deepEqual(byDay?.series[0]?.values, [0, 14, 0, 0, 0, 0, 0])
    const closed = JSON.stringify(await reviewOf(store, false))
    assert.doesNotMatch(closed, /@example\.com/, 'whoever may not manage accounts sees ids alone')
  })

  test('IN4: a day that is far from the usual is named, with the rule', async (context) => {
    const store = await scene(context, await freshStore(context), [
      ...many(14 * 10, (index) => event(begin - 7 * dayMs + (index % 14) * dayMs + hourMs, {})),
      ...many(90, () => event(begin + 2 * dayMs + 3 * hourMs, {})),
    ])
    const review = await reviewOf(store)
    assert.deepEqual(table(review, 'unusual', 'Far'), [
      ['2026-06-10', 'requests', 100, 10],
      ['2026-06-10 03:00', 'requests', 90, 0],
    ])
    assert.match(review.sections.find(({ id }) => id === 'unusual')?.notes[0] ?? '', /three times the median/)
  })

  test('IN4: what strangers call themselves stays text, in every form; NUL and quotes in an event stop nothing', async (context) => {
    const store = await scene(context, await freshStore(context), [
      event(begin, {
        result: 'denied',
        details: { because: hostile },
        address: hostile,
        resource: { id: hostile, type: 'route' },
      }),
      event(begin, { result: 'denied', details: { because: 'nul', path: 'a\u0000b","because":"forged' } }),
      event(begin, {
        actor: { id: `x","details":{"because":"forged"}`, type: 'user' },
        details: { because: 'right' },
        result: 'denied',
      }),
      event(begin + 1, { type: 'admin_action', action: 'api-key.create', actor: { id: hostile, type: 'user' } }),
    ])
    await user(store, 'u1', `${'<img src=x onerror=alert(1)>'}@example.com`)
    const review = await reviewOf(store)
    const reasons = table(review, 'refusals', 'By reason').map(([reason]) => reason)
    assert.ok(reasons.includes('nul') && reasons.includes('right'), JSON.stringify(reasons))
    assert.ok(!reasons.includes('forged'), 'no text of an event passes for a member of it')
    const html = reviewFormats.html.text(review)
    assert.equal(problemIn(html), undefined)
    assert.doesNotMatch(html, /<script|<img|\u202E|onerror=[^&]*>/)
    assert.match(html, /&#60;script&#62;alert\(1\)&#60;\/script&#62;/)
    assert.match(html, /<svg role="img" aria-label="Requests by day: /)
    assert.doesNotMatch(html, /<(?:link|iframe|object|a)\b|url\(|<[^>]*\b(?:src|href)=/, 'nothing comes from elsewhere')
    const markdown = reviewFormats.md.text(review)
    assert.doesNotMatch(markdown, /[^\\]<script|[^\\]\[y\]|\u202E|\n# heading|https:\/\/evil/)
    for (const line of markdown.split('\n').filter((one) => one.startsWith('| '))) assert.ok(line.endsWith(' |'), line)
    assert.equal(JSON.parse(reviewFormats.json.text(review)).period.label, '2026-W24')
  })

  test('IN4: of an empty house a review says that there is nothing', async (context) => {
    const review = await reviewOf(await scene(context, await freshStore(context), []))
    assert.deepEqual(figure(review, 'usage', 'requests'), [0, 0])
    const markdown = reviewFormats.md.text(review)
    for (const words of ['Nothing was asked.', 'None failed.', 'Nothing was changed.', 'Too few days of events'])
      assert.ok(markdown.includes(words), words)
    assert.equal(problemIn(reviewFormats.html.text(review)), undefined)
  })
}
