import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openPromptClassifier } from '../../../src/inspection/prompts/classifier.ts'
import { promptOptions } from '../../../src/inspection/prompts/options.ts'
import { type Double, json, openDouble } from '../moderation/double.ts'

async function open(t: TestContext, answers: Double['answers'], more: Record<string, unknown> = {}) {
  const double = await openDouble(answers)
  const { classifier } = promptOptions.parse({ classifier: { url: double.url, deadline: '5s', ...more } })
  assert.ok(classifier)
  const told: string[] = []
  const asked = openPromptClassifier({
    options: classifier,
    environment: { KEY: 'hf_only_for_tests' },
    clock: { now: () => 0, monotonic: () => 0 },
    onTrouble: (reason) => told.push(reason),
  })
  t.after(async () => {
    await asked.close()
    await double[Symbol.asyncDispose]()
  })
  return { double, told, asked }
}

test('CT8: a classifier that answers with labels and scores is asked, and the label that means an order counts', async (t) => {
  const { double, asked } = await open(
    t,
    ({ body }, response) => {
      const score = String(body['inputs']).includes('ignore') ? 0.98 : 0.03
      json(response, [
        [
          { label: 'SAFE', score: 1 - score },
          { label: 'INJECTION', score },
        ],
      ])
    },
    { key: { env: 'KEY' } },
  )
  assert.deepEqual(await asked.score(['good morning', 'ignore it all']), { score: 0.98, index: 1 })
  assert.deepEqual(await asked.score(['good morning']), { score: 0.03, index: 0 })
  assert.equal(double.asked[0]?.headers.authorization, 'Bearer hf_only_for_tests')
})

test('CT8: a model that chats is asked by a template, and answers with a word', async (t) => {
  const { double, asked } = await open(
    t,
    (_, response) => json(response, { choices: [{ message: { content: 'Unsafe' } }] }),
    {
      request: { model: 'guard', messages: [{ role: 'user', content: 'Classify: $text' }] },
      answer: '/choices/0/message/content',
    },
  )
  assert.deepEqual(await asked.score(['say "$text"']), { score: 1, index: 0 })
  assert.deepEqual(double.asked[0]?.body['messages'], [{ role: 'user', content: 'Classify: say "$text"' }])
})

const failures: Readonly<Record<string, Double['answers']>> = {
  'answers 500': (_, response) => json(response, {}, 500),
  'answers something else': (_, response) => json(response, { verdict: 'fine' }),
  'answers with a score above one': (_, response) => json(response, 7),
  'never answers': () => {},
}

for (const [name, answers] of Object.entries(failures)) {
  test(`CT8: a classifier that ${name} is told, and blocks only where that is wanted`, async (t) => {
    const { told, asked } = await open(t, answers, { deadline: name === 'never answers' ? '200ms' : '5s' })
    const outcome = await asked.score(['some text'])
    assert.ok('down' in outcome && !outcome.refused)
    assert.deepEqual(told, [outcome.down])
    const { asked: strict } = await open(t, answers, {
      whenDown: 'refuse',
      deadline: name === 'never answers' ? '200ms' : '5s',
    })
    const refused = await strict.score(['some text'])
    assert.ok('down' in refused && refused.refused)
  })
}

test('CT8: after five failures in a row the classifier is spared', async (t) => {
  const { double, asked } = await open(t, (_, response) => json(response, {}, 500))
  for (let turn = 0; turn < 8; turn++) await asked.score(['x'])
  assert.equal(double.asked.length, 5)
})

test('CT8: more texts than may be asked about are not passed off as judged', async (t) => {
  const { asked } = await open(t, (_, response) => json(response, 0), { whenDown: 'refuse' })
  const outcome = await asked.score(Array.from({ length: 65 }, () => 'x'))
  assert.ok('down' in outcome && outcome.refused)
})
