// CT2 through the front door: markup is cut down in the fields that are named, in whatever body they come.
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { assertRefused, type Guarded, json, multipart, route, sent, startGuarded } from './guarded.ts'

const form = 'application/x-www-form-urlencoded'

suite('CT2: markup in fields', () => {
  let house: Guarded
  const closing: (() => unknown)[] = []

  before(async () => {
    const context = { after: (close: () => unknown) => void closing.push(close) } as never
    const content = { type: 'object', properties: { content: { type: 'string', minLength: 1 } } }
    house = await startGuarded(context, {
      inspection: { injection: 'off', html: { '/content': 'basic', '/items/*/text': 'links', title: 'none' } },
      routes: [
        route('/plain'),
        route('/schema', { body: content, bodyTypes: ['json', 'form', 'multipart'] }),
        route('/none', { body: content, inspection: { html: { '/content': 'none' } } }),
        route('/joined', { inspection: { html: { '/content': 'none' }, injection: 'block' } }),
        route('/guarded', { inspection: { injection: 'block' } }),
        route('/off', { inspection: { html: 'off' } }),
        route('/private', { inspection: { html: { '/content': 'none' }, pii: { requests: 'redact' } } }),
      ],
    })
  })
  after(async () => {
    for (const close of closing.reverse()) await close()
  })

  const dirty = '<b onclick="x()">bold</b><script>steal()</script>'
  for (const path of ['/plain', '/schema']) {
    test(`CT2: in JSON, whose other members stay as they were written (${path})`, async () => {
      const init = json(
        `{"content":${JSON.stringify(dirty)},"id":12345678901234567890,"ratio":1.50,"__proto__":"O'Brien <"}`,
      )
      const { seen, text } = await house.ask(path, init)
      const body = seen?.body.toString()
      assert.equal(
        body,
        `{"content":"<b>bold</b>","id":12345678901234567890,"ratio":1.50,"__proto__":"O'Brien <"}`,
        text,
      )
      assert.equal(seen?.headers['content-length'], String(Buffer.byteLength(body)))
    })

    test(`CT2: in a form, which stays a form (${path})`, async () => {
      const { seen, text } = await house.ask(
        path,
        sent(`content=${encodeURIComponent(dirty)}&name=O%27Brien+%3C+3`, form),
      )
      assert.equal(seen?.headers['content-type'], form, text)
      assert.deepEqual(
        [...new URLSearchParams(seen?.body.toString())],
        [
          ['content', '<b>bold</b>'],
          ['name', "O'Brien < 3"],
        ],
      )
    })

    test(`CT2: in fields that programs put together by brackets and dots (${path})`, async () => {
      const names = ['content[]', 'content[a][b]', 'content.a', 'items[0][text]', 'items.0.text', 'items[][text]']
      const { seen, text } = await house.ask(
        path,
        sent(
          [...names, 'items[0][other]']
            .map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(dirty)}`)
            .join('&'),
          form,
        ),
      )
      const clean = names.map((name) => [name, '<b>bold</b>'])
      assert.deepEqual([...new URLSearchParams(seen?.body.toString())], [...clean, ['items[0][other]', dirty]], text)
    })

    test(`CT2: in the parts of a form, whose files stay as they are (${path})`, async () => {
      const file = Buffer.from('<script>in a file</script>')
      const { seen, text } = await house.ask(
        path,
        multipart([
          { name: 'content', head: `Content-Length: ${dirty.length}\r\n`, body: dirty },
          ...(path === '/plain' ? [{ name: 'file', filename: 'page.txt', body: file }] : []),
        ]),
      )
      const type = seen?.headers['content-type'] ?? ''
      assert.equal(type, 'multipart/form-data; boundary=frontier', text)
      const read = await new Response(seen?.body as Uint8Array<ArrayBuffer>, {
        headers: { 'content-type': type },
      }).formData()
      assert.equal(read.get('content'), '<b>bold</b>')
      assert.ok(seen?.body.includes('Content-Length: 11\r\n'), 'the length of a part stays true')
      if (path === '/plain') assert.equal(await (read.get('file') as File).text(), file.toString())
    })
  }

  test('CT2: what holds no markup goes on byte for byte', async () => {
    for (const init of [
      json('{ "content" : "plain text" }'),
      sent('content=a+b%20c&content=d', form),
      multipart([{ name: 'content', body: 'a' }]),
    ])
      assert.deepEqual((await house.ask('/plain', init)).seen?.body, init.body)
  })

  test('CT2: by pointer with a star, by the name of a field of forms, and in JSON that calls itself text', async () => {
    const items = {
      items: [{ text: '<a href="javascript:x()" title="t">a</a>' }, { text: '<i>b</i>' }],
      title: '<b>stays</b>',
    }
    const list = await house.ask('/plain', json(items))
    const read = JSON.parse(list.seen?.body.toString() ?? '') as typeof items
    assert.ok(!JSON.stringify(read).includes('javascript'))
    assert.deepEqual([read.items[1]?.text, read.title], ['<i>b</i>', '<b>stays</b>'])
    const named = await house.ask('/plain', sent('title=%3Cb%3Ea%3C%2Fb%3E', form))
    assert.equal(named.seen?.body.toString(), 'title=a')
    for (const type of ['text/plain', 'application/octet-stream', undefined]) {
      const { seen } = await house.ask('/plain', sent(JSON.stringify({ content: dirty }), type))
      assert.equal(seen?.body.toString(), '{"content":"<b>bold</b>"}', type)
    }
  })

  test('CT2: text of a type whose fields nobody knows is refused, and what is no text passes; a route may say `off`', async () => {
    for (const type of ['text/plain', 'application/xml', 'text/html'])
      assertRefused(await house.ask('/plain', sent('content: <script>x</script>', type)), 422, 'not-inspectable')
    const binary = sent(Buffer.from([1, 0, 2, 0xff]), 'application/octet-stream')
    assert.deepEqual((await house.ask('/plain', binary)).seen?.body, binary.body)
    assert.equal(
      (await house.ask('/off', json({ content: dirty }))).seen?.body.toString(),
      JSON.stringify({ content: dirty }),
    )
  })

  test('CT1 CT2: what is left fits the schema still, or is refused', async () => {
    const empty = await house.ask('/none', json({ content: '<script>x</script>' }))
    assertRefused(empty, 422, 'body-invalid')
    assert.deepEqual(empty.problem.errors, { content: ['must have at least 1 character, got 0'] })
    assert.equal(
      (await house.ask('/none', json({ content: "a <b>b</b> O'Brien < 3" }))).seen?.body.toString(),
      '{"content":"a b O\'Brien < 3"}',
    )
  })

  test('CT2 CT3: what cutting out puts together is looked into again', async () => {
    const attack = "1' UN<b></b>ION SEL<i></i>ECT pass<u></u>word FR<b></b>OM us<b></b>ers -- "
    assertRefused(await house.ask('/joined', json({ content: attack })), 403, 'injection-detected')
  })

  test('CT2 CT4: an address in pieces of markup is struck out where the markup is', async () => {
    const { seen, text } = await house.ask('/private', json({ content: 'to ada<b></b>@mail.exam<i></i>ple' }))
    assert.equal(seen?.body.toString(), '{"content":"to [EMAIL]"}', text)
  })

  test('CT2 CT3: markup is no attack where it is cut down, and one everywhere else: names of members, other fields', async () => {
    const allowed = await house.ask('/guarded', json({ content: dirty }))
    assert.equal(allowed.seen?.body.toString(), '{"content":"<b>bold</b>"}', allowed.text)
    assert.equal((await house.ask('/guarded', sent(`content=${encodeURIComponent(dirty)}`, form))).status, 200)
    assertRefused(await house.ask('/guarded', json({ other: dirty })), 403, 'injection-detected')
    assertRefused(await house.ask('/guarded', json({ content: { [dirty]: 'a' } })), 403, 'injection-detected')
    assertRefused(
      await house.ask('/guarded', sent(`%2Fcontent=${encodeURIComponent(dirty)}`, form)),
      403,
      'injection-detected',
    )
  })
})
