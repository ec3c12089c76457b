import assert from 'node:assert/strict'
import { test } from 'node:test'
import { algorithmOf, messageSignatureAlgorithms } from '../../src/authn/signature/algorithms.ts'
import { contentDigest, DigestCheck } from '../../src/authn/signature/content-digest.ts'
import { signMessage } from '../../src/authn/signature/sign-message.ts'
import {
  componentOf,
  type SignedMessage,
  type Structure,
  signatureBase,
  structuredFields,
} from '../../src/wire/signature-base.ts'
import { isMalformed, noParameters, parseDictionary } from '../../src/wire/structured-fields.ts'
import { messageWith, rfcKey, testRequest, vectors } from './rfc9421-vectors.ts'

/** The base of a message for a list of components, as `Signature-Input` writes it. */
function baseOf(input: string, message: SignedMessage, structures: ReadonlyMap<string, Structure> = structuredFields) {
  const parsed = parseDictionary(`sig=${input}`)
  assert.ok(!isMalformed(parsed), JSON.stringify(parsed))
  const list = parsed.get('sig')
  assert.ok(list !== undefined && 'items' in list)
  const components = list.items.map(({ item, parameters }) => {
    assert.ok(item.type === 'string')
    return { name: item.value, parameters }
  })
  return signatureBase(components, list.parameters, message, structures)
}

/** The lines of the components, or the problem. */
function linesOf(input: string, message: SignedMessage, structures?: ReadonlyMap<string, Structure>) {
  const made = baseOf(input, message, structures)
  return 'problem' in made ? made.problem : made.base.split('\n').slice(0, -1)
}

for (const { section, keyid, alg, deterministic, message, input, base, signature } of vectors) {
  test(`AK3: the signature of RFC 9421 §${section} holds over its base, byte by byte, and over no other`, () => {
    const made = baseOf(input, message)
    assert.ok('base' in made, JSON.stringify(made))
    assert.equal(made.base, [...base, `"@signature-params": ${input}`].join('\n'))
    const { privateKey, publicKey } = rfcKey(keyid)
    const bytes = Buffer.from(made.base)
    const { sign, verify } = messageSignatureAlgorithms[alg]
    assert.equal(algorithmOf(publicKey, alg === 'rsa-v1_5-sha256' ? alg : 'rsa-pss-sha512'), alg)
    assert.ok(verify(publicKey, bytes, Buffer.from(signature, 'base64')))
    const ours = sign(privateKey, bytes)
    assert.ok(verify(publicKey, bytes, ours))
    if (deterministic) assert.equal(ours.toString('base64'), signature)
    bytes[0] = (bytes[0] as number) ^ 1
    assert.ok(!verify(publicKey, bytes, ours))
    assert.ok(!verify(publicKey, bytes, ours.subarray(1)), 'a short signature is just wrong')
    assert.ok(!verify(publicKey, bytes, Buffer.alloc(0)))
  })
}

test('AK3: what we sign is what RFC 9421 §B.2.5 and §B.2.6 sign', () => {
  for (const { section, keyid, alg, label, input, signature } of vectors) {
    if (section !== 'B.2.5' && section !== 'B.2.6') continue
    const made = signMessage({
      method: testRequest.method,
      targetUri: 'https://example.com/foo?param=Value&Pet=dog',
      headers: new Map(testRequest.headers.map(([name, value]) => [name.toLowerCase(), value])),
      components: [...input.matchAll(/"([^"]+)"(?=[ )])/g)].map(([, name]) => name as string),
      keyid,
      alg,
      key: rfcKey(keyid).privateKey,
      created: 1_618_884_473,
      label,
    })
    assert.deepEqual(made, { signatureInput: `${label}=${input}`, signature: `${label}=:${signature}:` })
  }
})

test('AK3: a request that lacks what it should cover cannot be signed', () => {
  const key = rfcKey('test-key-ed25519').privateKey
  const outgoing = { method: 'GET', targetUri: 'https://a.example/', headers: new Map(), keyid: 'k', created: 1, key }
  const sign = (components: string[], targetUri = outgoing.targetUri) =>
    signMessage({ ...outgoing, targetUri, components, alg: 'ed25519' })
  assert.throws(() => sign(['content-type']), /`"content-type"`: the message has no such field/)
  assert.throws(() => sign(['"content-type']), /is no component/)
  assert.throws(() => sign(['@path'], '/no/address'), /http or https/)
})

const example = messageWith({
  method: 'POST',
  scheme: 'https',
  authority: 'WWW.Example.com:443',
  path: '/path',
  query: '?param=value&foo=bar&baz=bat%2Dman',
  headers: [
    ['Host', 'www.example.com'],
    ['Date', 'Tue, 20 Apr 2021 02:07:56 GMT'],
    ['X-OWS-Header', '   Leading and trailing whitespace.   '],
    ['X-Obs-Fold-Header', 'Obsolete\r\n    line folding.'],
    ['Cache-Control', 'max-age=60'],
    ['Cache-Control', '   must-revalidate'],
    ['Example-Dict', ' a=1,    b=2;x=1;y=2,   c=(a   b   c), d'],
    ['X-Empty-Header', ''],
    ['Example-Header', 'value, with, lots'],
    ['Example-Header', 'of, commas'],
  ],
})

test('AK3: fields and their parameters have the values of RFC 9421 §2.1', () => {
  const known = new Map<string, Structure>([['example-dict', 'dictionary']])
  const plain = '("host" "date" "x-ows-header" "x-obs-fold-header" "cache-control" "example-dict" "x-empty-header")'
  assert.deepEqual(linesOf(plain, example), [
    '"host": www.example.com',
    '"date": Tue, 20 Apr 2021 02:07:56 GMT',
    '"x-ows-header": Leading and trailing whitespace.',
    '"x-obs-fold-header": Obsolete line folding.',
    '"cache-control": max-age=60, must-revalidate',
    '"example-dict": a=1,    b=2;x=1;y=2,   c=(a   b   c), d',
    '"x-empty-header": ',
  ])
  const strict =
    '("example-dict";sf "example-dict";key="a" "example-dict";key="d" "example-dict";key="b" "example-dict";key="c" "example-header";bs)'
  assert.deepEqual(linesOf(strict, example, known), [
    '"example-dict";sf: a=1, b=2;x=1;y=2, c=(a b c), d',
    '"example-dict";key="a": 1',
    '"example-dict";key="d": ?1',
    '"example-dict";key="b": 2;x=1;y=2',
    '"example-dict";key="c": (a b c)',
    '"example-header";bs: :dmFsdWUsIHdpdGgsIGxvdHM=:, :b2YsIGNvbW1hcw==:',
  ])
})

test('AK3: derived components have the values of RFC 9421 §2.2', () => {
  const all = '("@method" "@target-uri" "@authority" "@scheme" "@request-target" "@path" "@query")'
  assert.deepEqual(linesOf(all, example), [
    '"@method": POST',
    '"@target-uri": https://www.example.com/path?param=value&foo=bar&baz=bat%2Dman',
    '"@authority": www.example.com',
    '"@scheme": https',
    '"@request-target": /path?param=value&foo=bar&baz=bat%2Dman',
    '"@path": /path',
    '"@query": ?param=value&foo=bar&baz=bat%2Dman',
  ])
  const bare = { ...example, scheme: 'http', authority: 'www.example.com:443', path: '', query: '' }
  assert.deepEqual(linesOf('("@authority" "@path" "@query")', bare), [
    '"@authority": www.example.com:443',
    '"@path": /',
    '"@query": ?',
  ])
  const query =
    '?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something&qux='
  const problematic =
    '("@query-param";name="var" "@query-param";name="bar" "@query-param";name="fa%C3%A7ade%22%3A%20" "@query-param";name="qux")'
  assert.deepEqual(linesOf(problematic, { ...example, query }), [
    '"@query-param";name="var": this%20is%20a%20big%0Amultiline%20value',
    '"@query-param";name="bar": with%20plus%20whitespace',
    '"@query-param";name="fa%C3%A7ade%22%3A%20": something',
    '"@query-param";name="qux": ',
  ])
})

test('AK3: what cannot be told unmistakably is refused by name, never passed over', () => {
  const problems: Readonly<Record<string, RegExp>> = {
    '("@method" "@method")': /^`"@method"` is covered twice$/,
    '("client-cert";sf;bs "client-cert";bs;sf)': /`bs` goes with neither `sf` nor `key`/,
    '("content-digest";key="a";sf "content-digest";sf;key="a")': /no such field/,
    '("no-such")': /^`"no-such"`: the message has no such field$/,
    '("Host")': /the name of a field in lower case/,
    '("a b")': /the name of a field in lower case/,
    '("@signature-params")': /`"@signature-params"`: it is not supported/,
    '("@nonsense")': /`"@nonsense"`: it is not supported/,
    '("@status")': /only a response has a status/,
    '("date";tr)': /`tr` is not supported/,
    '("date";req)': /`req` is for responses/,
    '("@method";req)': /`req` is for responses/,
    '("date";x)': /it takes no parameter `x`/,
    '("@method";sf)': /it takes no parameter `sf`/,
    '("@path";name="a")': /it takes no parameter `name`/,
    '("date";sf=?0)': /expected a flag in `sf`/,
    '("date";bs="x")': /expected a flag in `bs`/,
    '("example-dict";key=a)': /expected a string in `key`/,
    '("example-dict";sf)': /not known to be a structured field/,
    '("example-dict";key="a")': /not known to be a structured field/,
    '("@query-param")': /it needs a `name`/,
    '("@query-param";name="nope")': /the query has no such parameter/,
    '("@query-param";name="twice")': /more than once/,
    '("@query-param";name="raw")': /not UTF-8/,
    '("latin")': /other characters than visible ASCII/,
    '("latin";bs)': /other characters than visible ASCII/,
  }
  const message = messageWith({
    method: 'GET',
    scheme: 'https',
    authority: 'example.com',
    path: '/',
    query: '?twice=1&twice=2&raw=%FF',
    headers: [
      ['Host', 'example.com'],
      ['Date', 'today'],
      ['Client-Cert', ':AAAA:'],
      ['Example-Dict', 'a=1'],
      ['Latin', 'caf\u00e9'],
    ],
  })
  for (const [input, problem] of Object.entries(problems)) assert.match(String(linesOf(input, message)), problem, input)
  const known = new Map<string, Structure>([['date', 'dictionary']])
  assert.match(String(linesOf('("date";key="b")', message, known)), /the field has no such key/)
  const item = new Map<string, Structure>([['date', 'item']])
  assert.match(String(linesOf('("date";key="b")', message, item)), /it is no dictionary/)
  assert.deepEqual(linesOf('("date";sf "date")', message, item), ['"date";sf: today', '"date": today'])
})

test('AK3: identifiers that differ in the order of their parameters alone are one (RFC 9421 §2)', () => {
  const message = messageWith({ status: 200, headers: [], request: example })
  const known = new Map<string, Structure>([['example-dict', 'dictionary']])
  for (const twice of [
    '("example-dict";req;key="a" "example-dict";key="a";req)',
    '("example-dict";key="a";req "example-dict";req;key="a")',
  ])
    assert.match(String(linesOf(twice, message, known)), /covered twice/)
  assert.deepEqual(linesOf('("example-dict";req;key="a")', message, known), ['"example-dict";req;key="a": 1'])
})

test('AK3: components are written by name, or in full', () => {
  assert.deepEqual(componentOf('@method'), { name: '@method', parameters: noParameters })
  const parameters = new Map([['name', { type: 'string', value: 'id' }]])
  assert.deepEqual(componentOf('"@query-param";name="id"'), { name: '@query-param', parameters })
  assert.ok(isMalformed(componentOf('"@query-param";name')) === false)
  assert.ok(isMalformed(componentOf('"')))
})

const digests = {
  'sha-256': 'RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=',
  'sha-512': 'YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==',
}

test('AK3: the digests of RFC 9530 fit their content, in whatever pieces it comes', () => {
  const content = Buffer.from('{"hello": "world"}\n')
  assert.equal(contentDigest(content), `sha-256=:${digests['sha-256']}:`)
  for (const field of [
    `sha-256=:${digests['sha-256']}:`,
    `sha-512=:${digests['sha-512']}:`,
    `md5=:AAAA:, unixsum=30637, sha-256=:${digests['sha-256']}:, sha-512=:${digests['sha-512']}:`,
  ])
    for (let at = 0; at <= content.length; at++) {
      const check = DigestCheck.of([field])
      assert.ok(check instanceof DigestCheck)
      check.update(content.subarray(0, at))
      check.update(content.subarray(at))
      assert.ok(check.fits())
    }
})

test('AK3: a digest that is none, or one of several that is another, does not fit', () => {
  const content = Buffer.from('{"hello": "world"}\n')
  const other = Buffer.alloc(32).toString('base64')
  for (const field of [
    `sha-256=:${other}:`,
    'sha-256=::',
    `sha-512=:${digests['sha-256']}:`,
    `sha-256=:${other}:, sha-512=:${digests['sha-512']}:`,
    `sha-256=:${digests['sha-256']}:, sha-512=:${other}:`,
  ]) {
    const check = DigestCheck.of([field])
    assert.ok(check instanceof DigestCheck, field)
    check.update(content)
    assert.ok(!check.fits(), field)
  }
  for (const field of [
    '',
    'md5=:AAAA:',
    `sha-256="${digests['sha-256']}"`,
    'sha-256',
    'sha-256=(:AAAA:)',
    'sha-256=:A:',
  ])
    assert.ok(!(DigestCheck.of([field]) instanceof DigestCheck), field)
  const twice = DigestCheck.of([`sha-256=:${other}:`, `sha-256=:${digests['sha-256']}:`])
  assert.ok(!(twice instanceof DigestCheck), 'a digest that came twice says nothing')
})
