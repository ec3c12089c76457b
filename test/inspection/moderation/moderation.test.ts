import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ModerationTrouble } from '../../../src/inspection/moderation/moderation.ts'
import { openModeration } from '../../../src/inspection/moderation/moderation.ts'
import { openModerators } from '../../../src/inspection/moderation/open.ts'
import { moderationOptions } from '../../../src/inspection/moderation/options.ts'
import type { Clock } from '../../../src/kernel/clock.ts'
import { type Double, json, moderated, openDouble } from './double.ts'

class HandClock implements Clock {
  ms = 1_000
  now(): number {
    return this.ms
  }
  monotonic(): number {
    return this.ms
  }
}

const key = 'sk-only-for-tests'

async function house(t: TestContext, answers: Double['answers'], more: Record<string, unknown> = {}) {
  const double = await openDouble(answers)
  const { url = double.url, batch = 32, ...rest } = more
  const options = moderationOptions.parse({
    mode: 'block',
    deadline: '5s',
    remembered: 0,
    providers: [{ kind: 'openai', url, model: 'guard-1', batch, key: { env: 'KEY' } }],
    ...rest,
  })
  const clock = new HandClock()
  const told: ModerationTrouble[] = []
  const moderation = openModeration({
    options,
    moderators: openModerators(options, { KEY: key }),
    clock,
    hashKey: Buffer.from('8 bytes!'),
    onTrouble: (trouble) => told.push(trouble),
  })
  t.after(async () => {
    await moderation.close()
    await double[Symbol.asyncDispose]()
  })
  return { double, clock, told, moderation }
}

test('CT5: an endpoint that speaks as OpenAI does is asked in batches, and its categories become ours', async (t) => {
  const { double, moderation, told } = await house(t, moderated, { batch: 2 })
  const { flagged, down } = await moderation.judge(['peace', 'a violent text', '   ', 'calm', 'very violent'])
  assert.deepEqual(flagged, [
    { index: 1, category: 'violence', score: 0.91, by: 'openai' },
    { index: 4, category: 'violence', score: 0.91, by: 'openai' },
  ])
  assert.deepEqual([down, told], [[], []])
  assert.deepEqual(
    double.asked.map(({ body }) => body.input),
    [
      ['peace', 'a violent text'],
      ['calm', 'very violent'],
    ],
  )
  assert.equal(double.asked[0]?.body.model, 'guard-1')
  assert.equal(double.asked[0]?.headers.authorization, `Bearer ${key}`)
})

test('CT5: a category that nobody here knows is not passed over', async (t) => {
  const { moderation } = await house(t, (_, response) =>
    json(response, { results: [{ flagged: true, categories: { novelty: true }, category_scores: { novelty: 0.7 } }] }),
  )
  const { flagged } = await moderation.judge(['x y z'])
  assert.deepEqual(flagged, [{ index: 0, category: 'harmful-instructions', score: 0.7, by: 'openai' }])
})

/** Ways in which an endpoint fails. */
const failures: Readonly<Record<string, readonly [answers: Double['answers'], reason: RegExp]>> = {
  'answers 500': [(_, response) => json(response, { error: 'oops' }, 500), /^it answered 500$/],
  'answers 429': [(_, response) => json(response, {}, 429, { 'retry-after': '30' }), /^it answered 429$/],
  redirects: [(_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), /^it answered 302$/],
  'answers no JSON': [(_, response) => response.end('<html>'), /^its answer is no JSON$/],
  'answers other JSON': [(_, response) => json(response, { results: 'none' }), /^its answer is no moderation$/],
  'leaves a text out': [(_, response) => json(response, { results: [] }), /^expected 1 results, got 0$/],
  'answers without end': [
    (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 0x20)));
      }
      response.on('drain', more)
      more()
    },
    /^its answer is longer than 1048576 bytes$/,
  ],
  'never answers': [() => {}, /^it did not answer in time$/],
  'hangs up': [(_, response) => response.destroy(), /^it could not be reached \(\w+\)$/],
}

/** Long enough for a busy machine, but where it is waited for. */
function deadlineOf(name: string): string {
  return name === 'never answers' ? '300ms' : '5s'
}

for (const [name, [answers, reason]] of Object.entries(failures)) {
  test(`CT5: an endpoint that ${name} is told and does not block, unless that is wanted`, async (t) => {
    const open = await house(t, answers, { deadline: deadlineOf(name) })
    const judged = await open.moderation.judge(['some text'])
    assert.equal(judged.unjudged, false)
    assert.match(judged.down[0]?.reason ?? '', reason)
    assert.deepEqual(open.told, judged.down)
    assert.ok(!JSON.stringify(open.told).includes('some text') && !JSON.stringify(open.told).includes(key))
    const shut = await house(t, answers, { whenDown: 'refuse', deadline: deadlineOf(name) })
    assert.equal((await shut.moderation.judge(['some text'])).unjudged, true)
  })
}

test('CT5: nobody listening is told', async (t) => {
  const { moderation } = await house(t, moderated, { url: 'http://127.0.0.1:9/v1/moderations' })
  assert.match((await moderation.judge(['x y'])).down[0]?.reason ?? '', /^it could not be reached \(ECONNREFUSED\)$/)
})

test('CT5: after five failures in a row it is not asked for a while; then one tries, and it is back', async (t) => {
  const { double, clock, told, moderation } = await house(t, (_, response) => json(response, {}, 503))
  for (let turn = 0; turn < 7; turn++) await moderation.judge(['x y'])
  assert.equal(double.asked.length, 5)
  assert.equal(told.length, 7, 'every failure is told, also one that was spared')
  clock.ms += 1_001
  await moderation.judge(['x y'])
  assert.equal(double.asked.length, 6, 'one tries')
  clock.ms += 1_001
  await moderation.judge(['x y'])
  assert.equal(double.asked.length, 6, 'the pause has doubled')
  double.answers = moderated
  clock.ms += 1_000
  assert.equal((await moderation.judge(['violent'])).flagged.length, 1)
  assert.equal((await moderation.judge(['violent'])).flagged.length, 1)
})

test('CT5: those that fail at the same time make the pause no longer', async (t) => {
  const { double, clock, moderation } = await house(t, (_, response) => json(response, {}, 503))
  await Promise.all(Array.from({ length: 8 }, () => moderation.judge(['x y'])))
  assert.equal(double.asked.length, 8)
  double.answers = moderated
  clock.ms += 1_001
  assert.equal((await moderation.judge(['violent'])).flagged.length, 1, 'it is asked again after a second')
})

test('CT5: what the endpoint itself flags counts below half too, and without a score', async (t) => {
  const low = { flagged: true, categories: { violence: true }, category_scores: { violence: 0.31 } }
  const none = { categories: { hate: true }, category_scores: {} }
  const { moderation } = await house(t, (_, response) => json(response, { results: [low, none] }))
  assert.deepEqual((await moderation.judge(['one', 'two'])).flagged, [
    { index: 0, category: 'violence', score: 0.31, by: 'openai' },
    { index: 1, category: 'hate', score: 1, by: 'openai' },
  ])
  const own = await house(t, (_, response) => json(response, { results: [low] }), { threshold: 0.4 })
  assert.deepEqual((await own.moderation.judge(['one'])).flagged, [], 'unless the house names a threshold')
})

test('CT5: `Retry-After` is heeded at the first 429', async (t) => {
  const { double, clock, moderation } = await house(t, (_, response) =>
    json(response, {}, 429, { 'retry-after': '30' }),
  )
  await moderation.judge(['x y'])
  double.answers = moderated
  clock.ms += 29_000
  assert.equal((await moderation.judge(['violent'])).down.length, 1)
  clock.ms += 1_001
  assert.equal((await moderation.judge(['violent'])).flagged.length, 1)
  assert.equal(double.asked.length, 2)
})

test('CT5: only so many ask at once, and only so many wait', async (t) => {
  let most = 0
  let now = 0
  const { moderation } = await house(
    t,
    (asked, response) => {
      most = Math.max(most, ++now)
      setTimeout(() => {
        now--
        moderated(asked, response)
      }, 20)
    },
    { atOnce: 2, deadline: '5s' },
  )
  const outcomes = await Promise.all(Array.from({ length: 12 }, (_, at) => moderation.judge([`text ${at}`])))
  assert.equal(most, 2)
  const reasons = outcomes.flatMap(({ down }) => down.map(({ reason }) => reason))
  assert.deepEqual(reasons, ['too many wait for it', 'too many wait for it'])
})

test('CT5: a judgement is remembered, and a failure is not', async (t) => {
  const { double, moderation } = await house(t, (_, response) => json(response, {}, 500), { remembered: 10 })
  await moderation.judge(['a violent text'])
  double.answers = moderated
  for (let turn = 0; turn < 3; turn++)
    assert.equal((await moderation.judge(['a violent text', `calm`])).flagged[0]?.index, 0)
  assert.equal(double.asked.length, 2)
})

test('CT5: what stands behind twenty thousand characters is judged too, and more than can be is not passed off as judged', async (t) => {
  const { moderation } = await house(t, moderated, { whenDown: 'refuse' })
  const { flagged } = await moderation.judge([`${'calm '.repeat(5_000)} violent`])
  assert.deepEqual(
    flagged.map(({ index, category }) => [index, category]),
    [[0, 'violence']],
  )
  const judged = await moderation.judge(Array.from({ length: 129 }, (_, at) => `text ${at}`))
  assert.equal(judged.unjudged, true)
})

test('CT5: several are asked, and one that is down takes nothing from the others', async (t) => {
  const { moderation } = await house(t, (_, response) => json(response, {}, 500), {
    providers: [{ kind: 'words' }, { kind: 'openai', url: 'http://127.0.0.1:9/', name: 'away' }],
  })
  const { flagged, down } = await moderation.judge(['I will kill you tomorrow'])
  assert.deepEqual(flagged, [{ index: 0, category: 'violence', score: 0.9, by: 'words' }])
  assert.deepEqual(
    down.map(({ provider }) => provider),
    ['away'],
  )
})

test('CT5: a caller who goes away does not count against the endpoint', async (t) => {
  let left = new AbortController()
  const { double, moderation } = await house(t, () => left.abort(), { deadline: '5s' })
  for (let turn = 0; turn < 8; turn++) {
    left = new AbortController()
    await moderation.judge(['x y'], left.signal)
  }
  assert.equal(double.asked.length, 8)
})

test('CT5: a threshold holds for a category, and one that is off is of no interest', async (t) => {
  const { moderation } = await house(t, moderated, { categories: { violence: 0.95 } })
  assert.deepEqual((await moderation.judge(['violent'])).flagged, [])
  const off = await house(t, moderated, { categories: { violence: 'off' } })
  assert.deepEqual((await off.moderation.judge(['violent'])).flagged, [])
})

test('CT5: a key that cannot be had is a mistake at start', () => {
  const options = moderationOptions.parse({ providers: [{ kind: 'openai', key: { env: 'NOBODY_SET_IT' } }] })
  assert.throws(() => openModerators(options, {}), /NOBODY_SET_IT/)
})
