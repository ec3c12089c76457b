// CT4 through the front door: personal data and secrets in requests.
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { openLogger } from '../../src/kernel/logger.ts'
import { assertRefused, type Guarded, json, multipart, route, sent, startGuarded } from './guarded.ts'

const card = '4111 1111 1111 1111'
const key = `AKIA${'J7Q2M4X6W3N6P5R2'}`

suite('CT4: personal data and secrets in requests', () => {
  let house: Guarded
  const closing: (() => unknown)[] = []
  const lines: string[] = []

  before(async () => {
    const context = { after: (close: () => unknown) => void closing.push(close) } as never
    const log = openLogger('debug', { write: (line: string) => void lines.push(line) })
    const config: Parameters<typeof startGuarded>[1] = {
      inspection: { injection: 'off' },
      routes: [
        route('/redact/:id', { inspection: { pii: { requests: 'redact' } } }),
        route('/block/:id', { inspection: { pii: { requests: 'block' } } }),
        route('/redact', { inspection: { pii: { requests: 'redact' }, secrets: { requests: 'redact' } } }),
        route('/block', { inspection: { pii: { requests: 'block' }, secrets: { requests: 'block' } } }),
        route('/log', { inspection: { pii: { requests: 'log' }, secrets: { requests: 'log' } } }),
        ...(['label', 'mask', 'hash', 'token'] as const).map((form) =>
          route(`/${form}`, { inspection: { pii: { requests: 'redact', form } } }),
        ),
        route('/schema', {
          body: { type: 'object', properties: { note: { type: 'string' }, number: { type: 'integer' } } },
          bodyTypes: ['json', 'form', 'multipart'],
          inspection: { pii: { requests: 'redact' } },
        }),
      ],
    }
    house = await startGuarded(context, config, { log })
  })
  after(async () => {
    for (const close of closing.reverse()) await close()
  })

  const rows: readonly (readonly [what: string, init: RequestInit, goesOn: string])[] = [
    [
      'JSON, which stays as it was written',
      json(`{ "to" : "ada@mail.example", "n": 1.0, "big": 12345678901234567890,\n"ssn": "536-22-8726" }`),
      `{ "to" : "[EMAIL]", "n": 1.0, "big": 12345678901234567890,\n"ssn": "XXX-XX-XXXX" }`,
    ],
    ['a number of JSON', json('{"card":4111111111111111}'), '{"card":"XXXX-XXXX-XXXX-XXXX"}'],
    [
      'a form',
      sent('a=1&to=ada%40mail.example&b=%26', 'application/x-www-form-urlencoded'),
      'a=1&to=%5BEMAIL%5D&b=%26',
    ],
    ['text', sent(`card ${card}, please`, 'text/plain'), 'card XXXX-XXXX-XXXX-XXXX, please'],
    [
      'text as Markdown sets it, in digits of full width, with what has no width',
      sent(
        `**${card}**, _ada@mail.example_, (415-555-0132), \uff15\uff13\uff16-22-8726, 4111\u200b111111111111`,
        'text/plain',
      ),
      '**XXXX-XXXX-XXXX-XXXX**, _[EMAIL]_, (XXX-XXX-XXXX), XXX-XX-XXXX, XXXX-XXXX-XXXX-XXXX',
    ],
    [
      'JSON that stands in a text and stays JSON',
      sent(`arguments: {"text":"hi\\nada@mail.example\\n${card}"}`, 'text/plain'),
      'arguments: {"text":"hi\\n[EMAIL]\\nXXXX-XXXX-XXXX-XXXX"}',
    ],
    ['a body without a type', sent('mail ada@mail.example'), 'mail [EMAIL]'],
  ]
  for (const [what, init, goesOn] of rows)
    test(`CT4: redacted in ${what}, with the length that it has then`, async () => {
      const { status, seen, text, id } = await house.ask('/redact', init)
      assert.equal(status, 200, text)
      assert.equal(seen?.body.toString(), goesOn)
      assert.equal(seen?.headers['content-length'], String(Buffer.byteLength(goesOn)))
      assert.equal(seen?.headers['content-type'], (init.headers as Record<string, string>)['content-type'])
      assert.match(String((await house.eventOf(id)).details['findings']), /^(?:email|card|ssn) /)
    })

  test('CT4: the name of a parameter tells of its value however it is written', async () => {
    for (const path of ['/block?userSsn=536228726', '/block?user_ssn=536228726', '/block?note=536-22-8726'])
      assertRefused(await house.ask(path), 422, 'personal-data-refused')
    assert.equal((await house.ask('/block?order=536228726')).status, 200)
  })

  test('CT4: redacted in the parts of a form, whose files and lengths stay true', async () => {
    const file = Buffer.from('ada@mail.example, in a file')
    const init = multipart([
      { name: 'to', head: 'Content-Length: 16\r\n', body: 'ada@mail.example' },
      {
        name: 'wide',
        head: 'Content-Type: text/plain; charset=utf-16le\r\n',
        body: Buffer.from('bob@mail.example', 'utf16le'),
      },
      { name: 'data', head: 'Content-Type: application/json\r\n', body: '{"to": "eve@mail.example"}' },
      { name: 'file', filename: 'list.txt', body: file },
    ])
    const { status, seen, text } = await house.ask('/redact', init)
    assert.equal(status, 200, text)
    const body = seen?.body.toString('latin1') ?? ''
    const form = await new Response(seen?.body as Uint8Array<ArrayBuffer>, {
      headers: { 'content-type': seen?.headers['content-type'] ?? '' },
    }).formData()
    assert.equal(form.get('to'), '[EMAIL]')
    assert.equal(form.get('wide'), '[EMAIL]')
    assert.equal(form.get('data'), '{"to": "[EMAIL]"}')
    assert.ok(Buffer.from(await (form.get('file') as File).arrayBuffer()).equals(file))
    assert.ok(body.includes('Content-Length: 7\r\n') && !body.includes('utf-16'), body)
  })

  test('CT4: a charset goes on as UTF-8, and says so', async () => {
    const { status, seen, text } = await house.ask(
      '/redact',
      sent(Buffer.from('an ada@mail.example; grüße', 'utf16le'), 'text/plain; charset=utf-16le'),
    )
    assert.equal(status, 200, text)
    assert.equal(seen?.body.toString(), 'an [EMAIL]; grüße')
    assert.equal(seen?.headers['content-type'], 'text/plain; charset=utf-8')
  })

  const hidden: readonly (readonly [what: string, init: RequestInit])[] = [
    ['JSON in a string, where its escapes are escaped', json({ inner: '{"to":"ada\\u0040mail.example"}' })],
    [
      'UTF-16 that nobody calls so',
      sent(Buffer.from('\ufeffto ada@mail.example now', 'utf16le'), 'application/octet-stream'),
    ],
    ['XML in UTF-16', sent(Buffer.from('\ufeff<a>ada@mail.example</a>', 'utf16le'), 'application/xml')],
  ]
  for (const [what, init] of hidden)
    test(`CT4: what stands where it cannot be struck out does not go on: ${what}`, async () => {
      const { status, seen, text } = await house.ask('/redact', init)
      if (status === 200)
        assert.ok(!seen?.body.toString('utf16le').includes('ada@') && !seen?.body.includes('ada@'), text)
      else assert.deepEqual([status, seen], [422, undefined], text)
    })

  test('CT4: what goes on unchanged goes on byte for byte', async () => {
    const init = json('{ "a" : "nothing here",\n\t"b":[1.50, -0]}')
    assert.deepEqual((await house.ask('/redact', init)).seen?.body, init.body)
  })

  test('CT4: block refuses, with the field and the kind; a secret by its own code; a number of JSON too', async () => {
    const data = await house.ask('/block', json({ to: { mail: 'ada@mail.example' } }))
    assertRefused(data, 422, 'personal-data-refused')
    assert.deepEqual(data.problem.findings, [{ in: 'body', at: '/to/mail', what: 'email' }])
    const secret = await house.ask('/block', json({ note: `the key is ${key}` }))
    assertRefused(secret, 422, 'secret-refused')
    assert.ok(!secret.text.includes(key))
    const number = await house.ask('/block', json('{"card":4111111111111111}'))
    assertRefused(number, 422, 'personal-data-refused')
    assert.deepEqual(number.problem.findings, [{ in: 'body', at: '/card', what: 'card' }])
  })

  test('CT4: log changes nothing, and remembers', async () => {
    const init = json({ mail: 'ada@mail.example', note: key })
    const { seen, id } = await house.ask('/log', init)
    assert.deepEqual(seen?.body, init.body)
    const findings = String((await house.eventOf(id)).details['findings'])
    assert.match(findings, /email .* at body \/mail/)
    assert.match(findings, /at body \/note/)
    assert.ok(!findings.includes('ada@') && !findings.includes(key))
  })

  test('CT4: a place whose name is personal itself is not called by it, neither to the caller nor in the record', async () => {
    const body = { 'ada@mail.example': { 'bob@mail.example': 'eve@mail.example' } }
    for (const path of ['/redact', '/block', '/log']) {
      const { id, text } = await house.ask(path, json(body))
      const { details } = await house.eventOf(id)
      assert.match(String(details['findings']), /email/)
      for (const name of ['ada@', 'bob@', 'eve@'])
        assert.ok(
          !JSON.stringify(details).includes(name) && !text.includes(name),
          `${path} ${text} ${JSON.stringify(details)}`,
        )
    }
  })

  test('CT4: a path in which personal data or a secret was found stands in neither the record nor the log', async () => {
    const outcome = await house.ask('/redact/ada@mail.example')
    assert.equal(outcome.status, 200)
    const { details } = await house.eventOf(outcome.id)
    assert.match(String(details['findings']), /^email .* at path id/)
    assert.ok(!JSON.stringify(details).includes('ada@mail'), JSON.stringify(details))
    const refused = await house.ask('/block/ada@mail.example')
    assertRefused(refused, 422, 'personal-data-refused')
    assert.ok(!JSON.stringify((await house.eventOf(refused.id)).details).includes('ada@mail'))
    assert.ok(lines.some((line) => line.includes(refused.id)) && !lines.join().includes('ada@mail'), lines.join())
  })

  test('CT4: what stands in a query cannot be struck out: it goes on, and is remembered', async () => {
    const { seen, id } = await house.ask('/redact?to=ada%40mail.example')
    assert.equal(seen?.url, '/redact?to=ada%40mail.example')
    assert.match(String((await house.eventOf(id)).details['findings']), /email .* at query to/)
  })

  test('CT4: forms are told apart; a token is opened again by the house alone', async () => {
    const of = async (form: string): Promise<string> => {
      const { seen } = await house.ask(`/${form}`, json({ mail: 'ada@mail.example' }))
      return (JSON.parse(seen?.body.toString() ?? '') as { mail: string }).mail
    }
    assert.equal(await of('label'), '[EMAIL]')
    assert.equal(await of('mask'), 'a***@mail.example')
    const hash = await of('hash')
    assert.match(hash, /^\[email:[A-Za-z]{16}\]$/)
    assert.equal(await of('hash'), hash, 'one value has one hash')
    const token = await of('token')
    assert.match(token, /^\[email:tok_/)
    const { inspection } = house.house
    assert.equal(inspection.reveal(`to ${token}, and ${hash}`), `to ada@mail.example, and ${hash}`)
    const forged = token.replace(/.\]$/, (end) => (end === 'a]' ? 'b]' : 'a]'))
    assert.equal(inspection.reveal(forged), forged)
    assert.equal(inspection.redact('write to ada@mail.example'), 'write to [EMAIL]')
    assert.equal(inspection.sanitise('basic', '<b onclick="x()">a</b><script>x</script>'), '<b>a</b>')
    assert.throws(() => inspection.sanitise({ tags: ['script'] }, 'a'))
    const found = inspection.findings('to ada@mail.example', 'note')
    assert.deepEqual(
      found.map(({ what, place, start, end }) => [what, place.at, start, end]),
      [['email', 'note', 3, 19]],
    )
  })

  test('CT1 CT4: what goes on fits the schema still, in every kind of body; what does not is refused', async () => {
    const text = await house.ask('/schema', json({ note: 'to ada@mail.example' }))
    assert.equal(text.seen?.body.toString(), '{"note":"to [EMAIL]"}')
    const form = await house.ask('/schema', { method: 'POST', body: new URLSearchParams({ note: 'ada@mail.example' }) })
    assert.equal(form.seen?.body.toString(), 'note=%5BEMAIL%5D', form.text)
    const parts = await house.ask('/schema', multipart([{ name: 'note', body: 'ada@mail.example' }]))
    assert.ok(parts.seen?.body.includes('[EMAIL]'), parts.text)
    const number = await house.ask('/schema', json('{"number":4111111111111111}'))
    assertRefused(number, 422, 'body-invalid')
    assert.ok(number.problem.errors?.['number'] !== undefined)
  })
})
