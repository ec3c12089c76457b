import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EventStream } from '../../../src/inspection/stream/event-stream.ts'
import { JsonLinesStream } from '../../../src/inspection/stream/json-lines-stream.ts'
import { Redactions } from '../../../src/inspection/stream/redactions.ts'
import { Unscreenable } from '../../../src/inspection/stream/transform.ts'
import { growsLinearly } from './growth.ts'
import { card, cuts, email, fed, promptMarks, redactorOf } from './marks.ts'

const redactor = redactorOf(promptMarks)

function stream(deltas: readonly string[] = [], redactions = new Redactions(), eventMax = 65_536): EventStream {
  return new EventStream({ redactor, redactions, deltas, eventMax })
}

/** What a reader makes of an event stream (WHATWG HTML §9.2.6), in a few lines of its own. */
function read(text: string): { event: string; id: string; data: string }[] {
  return text
    .replace(/^\u{feff}/u, '')
    .split(/(?:\r\n|\r(?!\n)|(?<!\r)\n){2}/)
    .map((block) => {
      const of = (name: string): string[] =>
        block.split(/\r\n|\r|\n/).flatMap((line) => {
          const found = /^([^:]*)(?:: ?(.*))?$/su.exec(line)
          return found?.[1] === name ? [found[2] ?? ''] : []
        })
      return { event: of('event').at(-1) ?? '', id: of('id').at(-1) ?? '', data: of('data').join('\n') }
    })
    .filter(({ data }) => data !== '')
}

const untouched = [
  'data: {"a": 1}\n\ndata: two\n\n',
  ': hi\n\nid: 7\nevent: x\nretry: 10\ndata:{ "a" :\ndata: "b"}\n\n',
  '\u{feff}data: x\r\n\r\ndata: y\r\rdata\n\n: end',
  'data: [DONE]\n\n',
  '\n\r\n\rdata: x',
]
for (const text of untouched)
  test(`CT4: an event stream without matches goes byte for byte: ${JSON.stringify(text)}`, () => {
    for (const pieces of cuts(text)) assert.equal(fed(stream(), pieces), text, JSON.stringify(pieces))
  })

const changed: readonly (readonly [name: string, text: string, out: string])[] = [
  ['JSON', `id: 1\ndata: {"to":"${email}"}\n\n`, 'id: 1\ndata: {"to":"[EMAIL]"}\n\n'],
  ['text', `data: to ${email}\r\n\r\n`, 'data: to [EMAIL]\r\n\r\n'],
  ['JSON in several lines', `data: {"to":\r\ndata: "${email}",\r\nid: 1\r\ndata: "n": 1}\r\n\r\n`, 'data: {"to":\r\ndata: "[EMAIL]",\r\ndata: "n": 1}\r\nid: 1\r\n\r\n'],
  ['a comment', `: for ${email}\n\n`, ': for [EMAIL]\n\n'],
  ['a field that is none', `who: ${email}\ndata: x\n\n`, 'who: [EMAIL]\ndata: x\n\n'],
  ['an event without an end', `data: {"to":"${email}"}`, 'data: {"to":"[EMAIL]"}'],
  ['a number', 'data: 4111111111111111\r\r', 'data: "[CARD]"\r\r'],
] // biome-ignore format: a table
for (const [name, text, expected] of changed)
  test(`CT4: ${name} of an event, cut anywhere, is redacted, and the event stays one`, () => {
    for (const pieces of cuts(text)) assert.equal(fed(stream(), pieces), expected, JSON.stringify(pieces))
  })

/** How makers of models write a piece of a text, where readers look for it, and how they end. */
const makers: Readonly<Record<string, { piece(text: string): string; text(data: string): string; end: string }>> = {
  'OpenAI chat': {
    piece: (content) => `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`,
    text: (data) => data.startsWith('{') ? ((JSON.parse(data) as { choices: { delta: { content?: string } }[] }).choices[0]?.delta.content ?? '') : '',
    end: 'data: {"id":"chatcmpl-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
  },
  'OpenAI responses': {
    piece: (delta) => `event: response.output_text.delta\ndata: ${JSON.stringify({ type: 'response.output_text.delta', item_id: 'i', output_index: 0, content_index: 0, delta })}\n\n`,
    text: (data) => (JSON.parse(data) as { delta?: string }).delta ?? '',
    end: 'event: response.completed\ndata: {"type":"response.completed"}\n\n',
  },
  Anthropic: {
    piece: (text) => `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })}\n\nevent: ping\ndata: {"type": "ping"}\n\n`,
    text: (data) => (JSON.parse(data) as { delta?: { text?: string } }).delta?.text ?? '',
    end: 'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n',
  },
  Gemini: {
    piece: (text) => `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0 }] })}\r\n\r\n`,
    text: (data) => (JSON.parse(data) as { candidates: { content: { parts: { text: string }[] } }[] }).candidates[0]?.content.parts[0]?.text ?? '',
    end: 'data: {"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP","index":0}]}\r\n\r\n',
  },
  'a program of somebody’s own': {
    piece: (content) => `data: ${JSON.stringify({ type: 'token', content })}\n\n`,
    text: (data) => (JSON.parse(data) as { content?: string }).content ?? '',
    end: '',
  },
} // biome-ignore format: a table

const said = `Hi Jane (${email}), é😀 use "${card}" \\ now`
const clean = 'Hi Jane ([EMAIL]), é😀 use "[CARD]" \\ now'

for (const [maker, { piece, text, end }] of Object.entries(makers)) {
  test(`CT4: a value split over events of ${maker} is caught, however it is split`, () => {
    for (const pieces of cuts(said)) {
      const out = fed(stream(), [pieces.map(piece).join('') + end])
      const events = read(out)
      assert.equal(events.map(({ data }) => text(data)).join(''), clean, JSON.stringify(pieces))
      if (maker !== 'Gemini') assert.ok(out.endsWith(end)) // its last event has room for what waited
    }
  })
}

test('CT4: a stream of a model, cut at any byte, comes out the same', () => {
  const { piece, end } = makers['Anthropic'] as { piece(text: string): string; end: string }
  const text = ['jane.', 'roe@mail', '.example', ' ok'].map(piece).join('') + end
  const whole = fed(stream(), [text])
  for (const pieces of cuts(text)) assert.equal(fed(stream(), pieces), whole)
})

test('CT4: ids, models and roles of a stream stay as they are, and only texts are carried over', () => {
  const { piece, end } = makers['OpenAI chat'] as { piece(text: string): string; end: string }
  for (const { data } of read(fed(stream(), [['4111 1111', ' 1111 1111', ' bye'].map(piece).join('') + end])))
    if (data !== '[DONE]') assert.equal((JSON.parse(data) as { id: string }).id, 'chatcmpl-1')
})

test('CT4: texts of several choices are apart, and told by their index', () => {
  const piece = (index: number, content: string): string =>
    `data: ${JSON.stringify({ choices: [{ index, delta: { content } }] })}\n\n`
  const out = fed(stream(), [
    piece(0, 'jane.roe@') + piece(1, 'mail.example') + piece(0, 'mail.example') + piece(1, ' no'),
  ])
  const texts = ['', '']
  for (const { data } of read(out))
    for (const { index, delta } of (JSON.parse(data) as { choices: { index: number; delta: { content: string } }[] })
      .choices)
      texts[index] += delta.content
  assert.deepEqual(texts, ['[EMAIL]', 'mail.example no'])
})

test('CT4: messages that are whole keep their words, even where one ends as a value may begin', () => {
  const text =
    'data: {"type":"note","message":"ask jane.roe"}\n\ndata: {"type":"note","message":"@mail.example it is"}\n\n'
  assert.equal(fed(stream(), [text]), text)
})

test('CT4: pieces at places that the operator names are carried over, and pieces that are no JSON', () => {
  const out = fed(stream(['/said/*']), ['data: {"said":["jane.roe@"]}\n\ndata: {"said":["mail.example!"]}\n\n'])
  assert.equal(out, 'data: {"said":[""]}\n\ndata: {"said":["[EMAIL]!"]}\n\n')
  assert.equal(
    fed(stream(['']), ['data: jane.roe@\n\ndata: mail.example\n\ndata: !\n\n', 'data: so\n\ndata: [DONE]\n\n']),
    'data: \n\ndata: \n\ndata: [EMAIL]!\n\ndata: \n\ndata: so\n\ndata: [DONE]\n\n',
  )
})

test('CT4: what waits leaves in an event of the same shape when it has waited long enough', () => {
  const { piece } = makers['OpenAI responses'] as { piece(text: string): string }
  const events = stream()
  assert.equal(events.feed(piece('Hello jane')), piece('Hello '))
  assert.notEqual(events.held, undefined)
  assert.equal(events.stall(), piece('jane'))
  assert.equal(events.held, undefined)
  assert.equal(events.feed(piece('.roe@mail.example ')), piece('[EMAIL] '))
})

test('CT4: ordinary prose of a model loses no time but for its last word', () => {
  const { piece, text } = makers['OpenAI chat'] as { piece(text: string): string; text(data: string): string }
  const events = stream()
  let [fedSoFar, read_] = ['', '']
  for (const token of 'the quick brown fox jumps over the lazy dog, and runs on'.split(/(?= )/)) {
    fedSoFar += token
    read_ += read(events.feed(piece(token)))
      .map(({ data }) => text(data))
      .join('')
    assert.ok(fedSoFar.length - read_.length <= 6)
  }
})

test('CT4: an event larger than the bound breaks the stream off, and nothing of it goes', () => {
  assert.throws(() => fed(stream([], new Redactions(), 1000), [`data: ${'x'.repeat(1001)}`]), Unscreenable)
  assert.throws(() => fed(stream([], new Redactions(), 1000), ['data: x\n'.repeat(200)]), Unscreenable)
})

test('CT4: an event of any number of empty lines breaks the stream off: lines take memory, however short', () => {
  const events = stream()
  events.feed('data: x\n')
  assert.throws(() => events.feed(':\n'.repeat(30_000)), Unscreenable)
})

test('CT4: findings of a stream say the place in the event', () => {
  const redactions = new Redactions()
  const { piece } = makers['OpenAI chat'] as { piece(text: string): string }
  fed(stream([], redactions), [['jane.roe@', 'mail.example'].map(piece).join('')])
  assert.deepEqual(redactions.first, [{ kind: 'email', rule: 'mark/email', at: '/choices/0/delta/content' }])
})

test('CT4: whatever the events, the reader gets events again, and never a value', () => {
  const field = fc.constantFrom('data', 'id', 'event', 'x', '')
  const line = fc.tuple(field, fc.constantFrom('', ':', ': '), fc.constantFrom('', email, `{"delta":"${email}`, '{"delta":"a"}', '[', '"')).map((parts) => parts.join('')) // biome-ignore format: a row
  const text = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r', '\r\n', '\n\n')).map((parts) => parts.join(''))).map((parts) => parts.join('')) // biome-ignore format: a row
  fc.assert(
    fc.property(text, fc.nat(), (all, at) => {
      const steered = all.replaceAll(/^(?:id|event).*$/gmu, 'id: 1')
      const cut = at % (steered.length + 1)
      const out = fed(stream(), [steered.slice(0, cut), steered.slice(cut)])
      assert.ok(!out.includes('jane.roe'))
      assert.equal(out, fed(stream(), [steered]))
    }),
  )
})

test('CT4: JSON lines of a model are read as its events are', () => {
  const line = (content: string, done = false): string =>
    `${JSON.stringify({ model: 'm', message: { role: 'assistant', content }, done })}\n`
  for (const pieces of cuts('Hi jane.roe@mail.example ok')) {
    const lines = new JsonLinesStream({ redactor, redactions: new Redactions(), deltas: [] })
    const out = fed(lines, [pieces.map((piece) => line(piece)).join('') + line('', true)])
    const texts = out
      .trimEnd()
      .split('\n')
      .map((one) => (JSON.parse(one) as { message: { content: string } }).message.content)
    assert.equal(texts.join(''), 'Hi [EMAIL] ok', JSON.stringify(pieces))
  }
})

test('CT4: JSON lines, cut anywhere, long ones too, are redacted as the whole', () => {
  const text = `{"a":"${email}"}\r\n\n"x"\n4111111111111111\n{"a": oops ${email}\n{"b":"${email}"}`
  const lines = () => new JsonLinesStream({ redactor, redactions: new Redactions(), deltas: [] })
  const expected = '{"a":"[EMAIL]"}\r\n\n"x"\n"[CARD]"\n{"a": oops [EMAIL]\n{"b":"[EMAIL]"}'
  for (const pieces of cuts(text)) assert.equal(fed(lines(), pieces), expected)
  const long = `["${'a '.repeat(40_000)}${email}"]\n`
  assert.equal(
    fed(lines(), [long.slice(0, 70_000), long.slice(70_000), text]),
    long.replace(email, '[EMAIL]') + expected,
  )
})

for (const [name, unit] of Object.entries({
  'tiny events': 'data: x\n\n', 'tiny deltas': 'data: {"delta":"a "}\n\n', 'empty lines': '\n', returns: '\r', colons: ':', 'one event': 'data: [1]\n', ids: 'id: 1\n' })) // biome-ignore format: a table
  test(`CT4: time in proportion to the input: ${name}`, () =>
    growsLinearly(unit, (text) => {
      const events = stream([], new Redactions(), 33_554_432)
      for (let at = 0; at < text.length; at += 16_384) events.feed(text.slice(at, at + 16_384))
      events.end()
    }))
