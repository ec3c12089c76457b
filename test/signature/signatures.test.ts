import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { nobody } from '../../src/authn/signature/checking.ts'
import { signatureOptions } from '../../src/authn/signature/options.ts'
import { openSignatures, type SignatureScheme } from '../../src/authn/signature/scheme.ts'
import { testClock } from '../support/clock.ts'
import { replayCases } from './replay-cases.ts'
import {
  begin,
  changed,
  check,
  type MessageSigning,
  messageSignature,
  methodUriBody,
  nowSeconds,
  order,
  outcome,
  registry,
  type Sent,
  schemesOf,
  secretOf,
  signedWith,
  signer,
  startMs,
  timestampPayload,
  with_,
} from './signing.ts'

suite('signatures are good once, on SQLite', () => replayCases(async () => 'sqlite::memory:'))

const [secret, former, stranger] = [
  'the secret of billing, 32 bytes long',
  'the one that billing had before it',
  'a secret of nobody here, of 32 bytes',
]
const keys = {
  ed: generateKeyPairSync('ed25519'),
  ec256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ec384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ec521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  pss: generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
}
const billing = signer('billing', {
  secrets: [secretOf(secret), secretOf(former)],
  publicKeys: Object.entries(keys).map(([kid, { publicKey }]) => ({ kid, key: publicKey })),
})
const keyless = signer('keyless', {})

/** Forms over a registry of two services. What was said before is kept in memory: the stores have their cases. */
function formsAt(
  given: Parameters<typeof schemesOf>[0],
  clock = testClock(startMs),
): ReadonlyMap<string, SignatureScheme> {
  const said = new Set<string>()
  return openSignatures({
    options: schemesOf(given),
    ...registry(billing, keyless),
    isFresh: async (text) => said.size < said.add(text).size,
    clock,
  })
}

const usual = {
  payload: { form: 'timestamp-payload' },
  uri: { form: 'method-uri-body' },
  message: { form: 'rfc9421' },
} as const
const signing: Readonly<Record<keyof typeof usual, (sent: Sent, secret: string, at?: number) => Sent>> = {
  payload: timestampPayload,
  uri: methodUriBody,
  message: (sent, key, at = nowSeconds) => messageSignature(sent, { key, params: `;created=${at};keyid="billing"` }),
}
const forms = Object.keys(usual) as (keyof typeof usual)[]

async function said(
  form: keyof typeof usual,
  sent: Sent,
  given: Parameters<typeof schemesOf>[0] = usual,
): Promise<string> {
  return outcome(await check(formsAt(given).get(form), sent))
}

const invalid = /^signature-invalid: Invalid signature \(/

test('AK3: each form lets in what was signed with one of the secrets, the newest or the one before', async () => {
  for (const form of forms) {
    assert.equal(await said(form, signing[form](order, secret)), 'billing', form)
    assert.equal(await said(form, signing[form](order, former)), 'billing', form)
    assert.match(await said(form, signing[form](order, stranger)), invalid, form)
    const without = { ...order, method: 'GET', body: undefined }
    assert.equal(await said(form, signing[form](without, secret)), 'billing', `${form}, without a body`)
  }
})

test('AK3: a body may come in any two pieces, and each of its bytes counts', async () => {
  const body = order.body as Buffer
  for (const form of forms) {
    const sent = signing[form](order, secret)
    for (let at = 0; at <= body.length; at++) {
      const pieces = [body.subarray(0, at), body.subarray(at)]
      assert.equal(outcome(await check(formsAt(usual).get(form), sent, pieces)), 'billing', `${form} at ${at}`)
      const wrong = Buffer.from(body)
      if (at < body.length) wrong[at] = (wrong[at] as number) ^ 1
      assert.match(
        outcome(await check(formsAt(usual).get(form), sent, [wrong, Buffer.alloc(at < body.length ? 0 : 1)])),
        invalid,
      )
    }
    assert.match(outcome(await check(formsAt(usual).get(form), sent, [])), invalid, 'a body that did not come')
  }
})

test('AK3: whatever was signed cannot be changed', async () => {
  const changes: Readonly<Record<string, Partial<Sent>>> = {
    method: { method: 'PUT' },
    path: { path: '/orders/8' },
    'the spelling of the path': { path: '/orders/%37' },
    query: { query: '?dry=0&x=%7e' },
    'no query': { query: '' },
    'the spelling of the query': { query: '?dry=1&x=~' },
    host: { authority: 'other.example.com' },
  }
  const covered: Readonly<Record<keyof typeof usual, readonly string[]>> = {
    payload: [],
    uri: Object.keys(changes).filter((name) => name !== 'host'),
    message: Object.keys(changes),
  }
  for (const form of forms)
    for (const [name, change] of Object.entries(changes)) {
      const outcome = await said(form, { ...signing[form](order, secret), ...change })
      if (covered[form].includes(name)) assert.match(outcome, invalid, `${form}: ${name}`)
      else assert.equal(outcome, 'billing', `${form}: ${name}`)
    }
  const uri = methodUriBody(order, secret)
  assert.match(
    await said(
      'uri',
      changed(uri, 'X-Timestamp', () => `${nowSeconds - 1}`),
    ),
    invalid,
  )
  assert.match(
    await said(
      'payload',
      changed(timestampPayload(order, secret), 'X-Signature', (value) => value.replace(/^\d+/, `${nowSeconds + 1}`)),
    ),
    invalid,
  )
  const message = signing.message(order, secret)
  assert.match(
    await said(
      'message',
      changed(message, 'Signature-Input', (value) => value.replace(`${nowSeconds}`, `${nowSeconds + 1}`)),
    ),
    invalid,
  )
  assert.match(
    await said(
      'message',
      changed(message, 'Signature-Input', (value) => value.replace('"@path" "@query"', '"@query" "@path"')),
    ),
    invalid,
  )
  const body = Buffer.from('{"amount": 3000}')
  assert.match(await said('message', { ...message, body }), /the body is not the one/)
})

test('AK3: no part can run into the next', async () => {
  const one = { ...order, path: '/a', query: '', body: Buffer.from('b\nc') }
  const other = { ...one, path: '/a\nb', body: Buffer.from('c') }
  const { headers } = methodUriBody(one, secret)
  assert.equal(await said('uri', { ...one, headers }), 'billing')
  // A path holds no line break: a server that let one in would read the same text.
  assert.ok(!/^[\x21-\x7e]*$/.test(other.path))
  const later = { ...one, body: Buffer.from(`b\nc\n${nowSeconds}`) }
  assert.match(await said('uri', { ...later, headers }), invalid)
})

test('AK3: any one bit of a signature counts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...forms), fc.nat(255), async (form, bit) => {
      const sent = signing[form](order, secret)
      const field = form === 'message' ? 'Signature' : 'X-Signature'
      const flipped = changed(sent, field, (value) => {
        const [text = '', encoding] =
          form === 'payload'
            ? [value.slice(-64), 'hex' as const]
            : [/[A-Za-z0-9+/]{43}=/.exec(value)?.[0], 'base64' as const]
        const bytes = Buffer.from(text, encoding)
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
        return value.replace(text, bytes.toString(encoding))
      })
      assert.match(await said(form, flipped), invalid)
    }),
    { numRuns: 60 },
  )
})

test('AK3: five minutes are the window, in both directions, to the millisecond; it can be made another', async () => {
  for (const form of forms) {
    for (const [seconds, advanceMs, good] of [
      [-300, 0, true],
      [-300, 1, false],
      [300, 0, true],
      [301, 0, false],
      [301, 1000, true],
    ] as const) {
      const clock = testClock(startMs)
      clock.advance(advanceMs)
      const result = begin(formsAt(usual, clock).get(form), signing[form](order, secret, nowSeconds + seconds))
      assert.equal(
        'code' in result ? result.code : true,
        good || 'signature-invalid',
        `${form} ${seconds} ${advanceMs}`,
      )
      if ('code' in result) assert.equal(result.detail, 'The signature is of another time than now')
    }
    const narrow: Parameters<typeof schemesOf>[0] = { [form]: { ...usual[form], window: '10s' } }
    assert.match(await said(form, signing[form](order, secret, nowSeconds - 11), narrow), /of another time/)
    assert.equal(await said(form, signing[form](order, secret, nowSeconds - 10), narrow), 'billing')
  }
})

test('AK3: what is missing, came twice or is malformed is refused before a byte of the body', async () => {
  const payload = timestampPayload(order, secret)
  const mac = payload.headers.at(-1)?.[1].slice(-64)
  const cases: readonly (readonly [keyof typeof usual, Sent, RegExp])[] = [
    ['payload', order, /^signature-required: Signature required \(no `X-Signature`\)$/],
    ['uri', order, /^signature-required: .*no `X-Signature`/],
    ['uri', with_(order, ['X-Signature', 'x']), /^signature-required: .*no `X-Timestamp`/],
    ['message', order, /^signature-required: .*no `Signature-Input`/],
    ['message', with_(order, ['Signature-Input', 'a=()']), /^signature-required: .*no `Signature`/],
    ['payload', with_(payload, ['x-signature', 'again']), /`X-Signature` came more than once/],
    ['payload', with_(payload, ['x-service', 'billing']), /`X-Service` came more than once/],
    ['uri', with_(methodUriBody(order, secret), ['x-timestamp', `${nowSeconds}`]), /`X-Timestamp` came more than once/],
    [
      'payload',
      { ...payload, headers: payload.headers.filter(([name]) => name !== 'X-Service') },
      /`X-Service` has to say who signs/,
    ],
    ...[
      '',
      '.',
      `${nowSeconds}`,
      `${nowSeconds}.`,
      `${nowSeconds}.00`,
      `.${mac}`,
      `+${nowSeconds}.${mac}`,
      `0${nowSeconds}.${mac}`,
      `${nowSeconds}.0.${mac}`,
      `1.767e9.${mac}`,
      ` ${nowSeconds}.${mac}`,
      `${nowSeconds}. ${mac}`,
      `${nowSeconds}.${mac},`,
      `-1.${mac}`,
      `${nowSeconds}:${mac}`,
      `99999999999999.${mac}`,
      `${nowSeconds}.${mac?.toUpperCase()}`,
      `\u0661.${mac}`,
    ].map(
      (value) =>
        [
          'payload',
          changed(payload, 'X-Signature', () => value),
          /`X-Signature` has to be a time in whole seconds/,
        ] as const,
    ),
    ...['', '1.0', '1e9', `${nowSeconds}000000`, `${nowSeconds} `, '0x10', '-5', 'now'].map(
      (value) =>
        [
          'uri',
          changed(methodUriBody(order, secret), 'X-Timestamp', () => value),
          /`X-Timestamp` has to be a time/,
        ] as const,
    ),
    ...[
      '',
      'AA==',
      'x'.repeat(44),
      `${'A'.repeat(43)}`,
      `${'A'.repeat(42)}B=`,
      `${'A'.repeat(43)}= `,
      `${'-'.repeat(42)}A=`,
    ].map(
      (value) =>
        [
          'uri',
          changed(methodUriBody(order, secret), 'X-Signature', () => value),
          /`X-Signature` has to be 32 bytes in base64/,
        ] as const,
    ),
  ]
  for (const [form, sent, expected] of cases) {
    const result = begin(formsAt(usual).get(form), sent)
    assert.ok('code' in result, JSON.stringify(sent.headers))
    assert.match(outcome(result), expected, JSON.stringify(sent.headers.at(-1)))
  }
})

test('AK3: a service that is not here is told nothing that a wrong secret is not', async () => {
  for (const form of forms) {
    const sent = signing[form](order, stranger)
    const unknown =
      form === 'message'
        ? messageSignature(order, { key: stranger, params: `;created=${nowSeconds};keyid="nobody"` })
        : changed(sent, 'X-Service', () => 'nobody')
    const [wrong, nameless] = [
      await check(formsAt(usual).get(form), sent),
      await check(formsAt(usual).get(form), unknown),
    ]
    assert.ok('code' in wrong && 'code' in nameless)
    assert.deepEqual({ ...nameless, reason: '' }, { ...wrong, reason: '' })
    assert.match(
      nameless.reason ?? '',
      form === 'message' ? /no key here is called `nobody`/ : /no service is called `nobody`/,
    )
    const [early, other] = [begin(formsAt(usual).get(form), sent), begin(formsAt(usual).get(form), unknown)]
    assert.equal('code' in early, 'code' in other, 'neither shows it sooner')
  }
  assert.equal(nobody.from?.('127.0.0.1'), false)
  const whole = { ...order, body: Buffer.alloc(8_000_000) }
  const known = timestampPayload(whole, stranger)
  const costs = async (sent: Sent) => {
    const before = process.cpuUsage()
    assert.match(await said('payload', sent), invalid)
    return process.cpuUsage(before).user
  }
  const unknown = changed(known, 'X-Service', () => 'nobody')
  const [ofOne, ofOther] = [await costs(unknown), await costs(changed(known, 'X-Service', () => 'keyless'))]
  const least = (await costs(known)) / 8 // two secrets are tried there
  assert.ok(ofOne > least && ofOther > least, `${ofOne} and ${ofOther} µs, at least ${least}`)
  const secretless = changed(timestampPayload(order, secret), 'X-Service', () => 'keyless')
  assert.match(await said('payload', secretless), /`keyless` has no secret/)
})

test('AK3: a form can be for one service, whatever a header says', async () => {
  const one = {
    payload: { form: 'timestamp-payload', service: 'billing' },
    message: { form: 'rfc9421', service: 'keyless' },
  } as const
  const sent = changed(timestampPayload(order, secret), 'X-Service', () => 'somebody')
  assert.equal(await said('payload', sent, one), 'billing')
  assert.match(await said('message', signing.message(order, secret), one), invalid)
  const named = { payload: { form: 'timestamp-payload', header: 'X-Hub', serviceHeader: 'X-From' } } as const
  const renamed: Sent = {
    ...order,
    headers: timestampPayload(order, secret).headers.map(([name, value]) => [
      name.replace('X-Service', 'x-from').replace('X-Signature', 'x-hub'),
      value,
    ]),
  }
  assert.equal(await said('payload', renamed, named), 'billing')
})

test('AK3: every kind of key signs in its own algorithm, which the message can agree with and not choose', async () => {
  const p1363 = { dsaEncoding: 'ieee-p1363' }
  const pss = { padding: 6, saltLength: 64 }
  const kinds: Readonly<Record<string, readonly [alg: string, by: (key: KeyObject) => MessageSigning['by']]>> = {
    ed: ['ed25519', (key) => signedWith(key, null)],
    ec256: ['ecdsa-p256-sha256', (key) => signedWith(key, 'sha256', p1363)],
    ec384: ['ecdsa-p384-sha384', (key) => signedWith(key, 'sha384', p1363)],
    rsa: ['rsa-pss-sha512', (key) => signedWith(key, 'sha512', pss)],
    pss: ['rsa-pss-sha512', (key) => signedWith(key, 'sha512', pss)],
  }
  const send = (
    kid: string,
    key: KeyObject,
    by: MessageSigning['by'],
    alg = '',
    given: Parameters<typeof schemesOf>[0] = usual,
  ) =>
    said(
      'message',
      messageSignature(order, {
        key,
        by: by as (base: string) => Buffer,
        params: `;created=${nowSeconds};keyid="${kid}"${alg}`,
      }),
      given,
    )
  for (const [kid, [alg, by]] of Object.entries(kinds)) {
    const { privateKey } = keys[kid as keyof typeof keys]
    assert.equal(await send(kid, privateKey, by(privateKey)), 'billing', kid)
    assert.equal(await send(kid, privateKey, by(privateKey), `;alg="${alg}"`), 'billing', kid)
    assert.match(await send(kid, privateKey, by(privateKey), ';alg="hmac-sha256"'), new RegExp(`is for ${alg}\\)`))
    assert.match(await send(kid, privateKey, () => Buffer.alloc(64)), /it is no signature by the key/)
  }
  const { rsa, ed, ec256, ec521 } = keys
  const v15 = signedWith(rsa.privateKey, 'sha256')
  assert.match(await send('rsa', rsa.privateKey, v15, ';alg="rsa-v1_5-sha256"'), /is for rsa-pss-sha512/)
  assert.match(await send('rsa', rsa.privateKey, v15), invalid)
  const older = { message: { form: 'rfc9421', rsa: 'rsa-v1_5-sha256' } } as const
  assert.equal(await send('rsa', rsa.privateKey, v15, '', older), 'billing')
  assert.match(
    await send('ec521', ec521.privateKey, signedWith(ec521.privateKey, 'sha512', p1363)),
    /of a kind that signs no messages/,
  )
  const der = signedWith(ec256.privateKey, 'sha256')
  assert.match(await send('ec256', ec256.privateKey, der), invalid, 'r and s, not DER (RFC 9421 §3.3.4)')
  // The public key is known to everybody: as the secret of an HMAC it proves nothing.
  const confused = messageSignature(order, {
    key: ed.publicKey.export({ format: 'der', type: 'spki' }).toString('latin1'),
    params: `;created=${nowSeconds};keyid="ed";alg="hmac-sha256"`,
  })
  assert.match(await said('message', confused), invalid)
  assert.match(
    await said(
      'message',
      messageSignature(order, { key: secret, params: `;created=${nowSeconds};keyid="billing";alg="ed25519"` }),
    ),
    /is for hmac-sha256/,
  )
})

test('AK3: a signature covers at least what the form asks for, in one way or another', async () => {
  const over = (components: string[], given: object = {}, sent: Sent = order) =>
    said('message', messageSignature(sent, { key: secret, components }), { message: { form: 'rfc9421', ...given } })
  const all = ['"@method"', '"@authority"', '"@path"', '"@query"', '"content-digest"']
  for (const missing of all)
    assert.match(
      await over(all.filter((one) => one !== missing)),
      new RegExp(
        `The signature has to cover \`${missing.replace('content-digest', '"content-digest').slice(missing.includes('digest') ? 1 : 0)}`,
      ),
    )
  assert.equal(await over(['"@method"', '"@target-uri"', '"content-digest"']), 'billing')
  assert.equal(await over(['"@method"', '"@authority"', '"@request-target"', '"content-digest"']), 'billing')
  assert.match(await over(['"@target-uri"', '"content-digest"']), /has to cover `"@method"`/)
  assert.match(
    await over([...all, '"content-type"'], { components: ['@method', 'x-tenant'] }),
    /has to cover `"x-tenant"`/,
  )
  assert.equal(
    await over(['"content-type";sf', ...all], { components: ['content-type'], structured: { 'content-type': 'item' } }),
    'billing',
  )
  assert.match(
    await over(['"content-type";key="a"', ...all], {
      components: ['content-type'],
      structured: { 'content-type': 'dictionary' },
    }),
    /has to cover `"content-type"`/,
  )
  const raw = { components: ['"content-type";bs'], structured: { 'content-type': 'item' } }
  assert.match(await over(['"content-type";sf', ...all], raw), /has to cover `"content-type";bs`/)
  assert.equal(await over(['"content-type";bs', ...all], raw), 'billing')
  const bodiless = { ...order, body: undefined }
  assert.equal(await over(all.slice(0, 4), {}, bodiless), 'billing')
  assert.equal(await over(all, {}, bodiless), 'billing', 'an empty body has a digest too')
  assert.equal(await over(all.slice(0, 4), { body: 'free' }), 'billing')
  const wrong = { ...messageSignature(order, { key: secret }), body: Buffer.from('x') }
  assert.match(await said('message', wrong, { message: { form: 'rfc9421', body: 'free' } }), /the body is not the one/)
  const anything: Parameters<typeof schemesOf>[0] = { message: { form: 'rfc9421', components: [] } }
  assert.match(
    await said('message', messageSignature(order, { key: secret, components: [] }), anything),
    /has to cover `"content-digest"`/,
  )
})

test('AK3: the digest of a body counts where it is covered by an algorithm that is known, and whole', async () => {
  const unknown = with_(order, ['Content-Digest', 'md5=:AAAA:'])
  const components = ['"@method"', '"@authority"', '"@path"', '"@query"', '"content-digest";key="md5"']
  const by = (base: string) => Buffer.from(base) // whatever: it is refused before
  const sent = messageSignature(unknown, { key: secret, components, by })
  assert.match(await said('message', sent), /has to cover `"content-digest"`/)
  const malformed = changed(signing.message(order, secret), 'Content-Digest', () => 'sha-256=x')
  assert.match(await said('message', malformed), /`Content-Digest` is malformed: `sha-256` has to be bytes/)
  const gone = { ...signing.message(order, secret) }
  assert.match(
    await said('message', { ...gone, headers: gone.headers.filter(([name]) => name !== 'Content-Digest') }),
    /has to hold `sha-256` or `sha-512`/,
  )
  assert.match(
    await said('message', with_(gone, ['Content-Digest', 'sha-512=:AAAA:'])),
    invalid,
    'one that was added was not signed',
  )
})

test('AK3: a signature holds until it expires, is for an application where one is asked for, and carries a nonce where one is', async () => {
  const input = (params: string) =>
    messageSignature(order, { key: secret, params: `;created=${nowSeconds};keyid="billing"${params}` })
  assert.equal(await said('message', input(`;expires=${nowSeconds + 1}`)), 'billing')
  assert.match(await said('message', input(`;expires=${nowSeconds}`)), /The signature has expired/)
  assert.match(await said('message', input(`;expires=${nowSeconds - 1}`)), /expires before it was created/)
  const tagged = { message: { form: 'rfc9421', tag: 'payments' } } as const
  assert.equal(await said('message', input(';tag="payments"'), tagged), 'billing')
  assert.match(await said('message', input(';tag="other"'), tagged), /^signature-required/)
  assert.match(await said('message', input(''), tagged), /^signature-required/)
  const labelled = { message: { form: 'rfc9421', label: 'sig', tag: 'payments' } } as const
  assert.match(await said('message', input(';tag="other"'), labelled), /has to be for `payments`/)
  const nonced = { message: { form: 'rfc9421', nonce: true } } as const
  assert.match(await said('message', input(''), nonced), /has to carry a nonce/)
  assert.equal(await said('message', input(';nonce="x"'), nonced), 'billing')
})

test('AK3: of several signatures the one that fits counts, or none', async () => {
  const params = (keyid: string, more = '') => `;created=${nowSeconds};keyid="${keyid}"${more}`
  const mine = messageSignature(order, { key: secret, label: 'mine', params: params('billing') })
  const fields = (label: string, keyid: string, more = '', key = stranger) =>
    messageSignature(order, { key, label, params: params(keyid, more) }).headers.slice(-2)
  assert.equal(await said('message', with_(mine, ...fields('theirs', 'unknown'))), 'billing')
  assert.match(
    await said('message', with_(mine, ...fields('theirs', 'billing'))),
    /More than one signature could be meant/,
  )
  const labelled = { message: { form: 'rfc9421', label: 'mine' } } as const
  assert.equal(await said('message', with_(mine, ...fields('theirs', 'billing')), labelled), 'billing')
  assert.match(await said('message', signing.message(order, secret), labelled), /^signature-required/)
  const tagged = { message: { form: 'rfc9421', tag: 'a' } } as const
  assert.equal(
    await said('message', with_(mine, ...fields('tagged', 'billing', ';tag="a"', secret)), tagged),
    'billing',
  )
  assert.match(
    await said('message', with_(order, ...fields('a', 'x'), ...fields('b', 'y'))),
    /no signature names a key that is known/,
  )
  assert.match(await said('message', with_(mine, ...fields('mine', 'billing'))), /`mine` came twice/)
  const many = Array.from({ length: 9 }, (_, index) => fields(`s${index}`, 'x')).flat()
  assert.match(await said('message', with_(order, ...many)), /more than 8 signatures/)
})

test('AK3: what `Signature-Input` and `Signature` may not hold is refused by name', async () => {
  const good = signing.message(order, secret)
  const input = (value: string) =>
    said(
      'message',
      changed(good, 'Signature-Input', () => value),
    )
  const now = `created=${nowSeconds}`
  for (const [value, expected] of [
    ['sig', /`sig` has to be a list of components/],
    ['sig=1', /`sig` has to be a list of components/],
    ['sig=(a)', /names a component that is no string/],
    [`sig=();keyid="k"`, /has to say when it was `created`/],
    [`sig=();created=-1;keyid="k"`, /has to say when it was `created`/],
    [`sig=();created="1";keyid="k"`, /has a `created` that is no integer/],
    [`sig=();created=1.5;keyid="k"`, /has a `created` that is no integer/],
    [`sig=();created=@1;keyid="k"`, /has a `created` that is no integer/],
    [`sig=();${now}`, /has to say its `keyid`/],
    [`sig=();${now};keyid=""`, /has to say its `keyid`/],
    [`sig=();${now};keyid=k`, /has a `keyid` that is no string/],
    [`sig=();${now};keyid="k";nonce=""`, /a nonce of 1 to 256 characters/],
    [`sig=();${now};keyid="k";nonce="${'n'.repeat(257)}"`, /a nonce of 1 to 256 characters/],
    [`sig=();${now};keyid="k";trailer`, /a parameter `trailer`, which is not supported/],
    [`sig=();${now};keyid="k";constructor=1`, /a parameter `constructor`, which is not supported/],
    [`sig=(${'"a" '.repeat(65)});${now};keyid="k"`, /covers more than 64 components/],
    ['sig=(', /`Signature-Input` is malformed/],
    ['', /^signature-required/],
  ] as const)
    assert.match(await input(value), expected, value)
  const signature = (value: string) =>
    said(
      'message',
      changed(good, 'Signature', () => value),
    )
  assert.match(await signature('other=:AAAA:'), /`Signature` has no `sig`/)
  assert.match(await signature('sig="AAAA"'), /`sig` has to be bytes/)
  assert.match(await signature('sig=:AAAA'), /`Signature` is malformed/)
  assert.match(await signature('sig=::'), invalid)
  const long = await said(
    'message',
    changed(good, 'Signature-Input', (value) => value.replace('"@method"', `"@method" "${'x'.repeat(9_000)}"`)),
  )
  assert.ok(long.length < 800, 'what a caller wrote is not repeated at length')
})

test('AK3: the signature over the head is checked before a byte of the body is read', async () => {
  const result = begin(formsAt(usual).get('message'), signing.message(order, stranger))
  assert.equal('code' in result ? result.code : 'none', 'signature-invalid')
  const free = begin(
    formsAt({ message: { form: 'rfc9421', body: 'free' } }).get('message'),
    messageSignature(order, { key: secret, components: ['"@method"', '"@target-uri"'] }),
  )
  assert.ok(!('code' in free) && !free.coversBody, 'a body that is not covered need not be read')
})

test('AK3: whatever comes in the headers is an answer and no fault', async () => {
  const text = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.constantFrom(`sig=("@method");created=${nowSeconds};keyid="billing"`, 'sig=:AAAA:', `${nowSeconds}`),
  )
  const name = fc.constantFrom(
    'X-Signature',
    'X-Timestamp',
    'X-Service',
    'Signature',
    'Signature-Input',
    'Content-Digest',
  )
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...forms),
      fc.array(fc.tuple(name, text), { maxLength: 6 }),
      async (form, headers) => {
        assert.match(await said(form, { ...order, headers }), /^signature-(?:required|invalid): /)
      },
    ),
    { numRuns: 500 },
  )
})

test('AK3: an option that is wrong is named', () => {
  const problems: readonly (readonly [object, string, RegExp])[] = [
    [{ form: 'other' }, 'form', /expected a `form`: `timestamp-payload`, `method-uri-body` or `rfc9421`/],
    [
      { form: 'timestamp-payload', service: 'a', serviceHeader: 'X-A' },
      'serviceHeader',
      /expected none: `service` says who signs/,
    ],
    [{ form: 'method-uri-body', service: 'a', serviceHeader: 'X-A' }, 'serviceHeader', /expected none/],
    [{ form: 'timestamp-payload', header: 'X Signature' }, 'header', /expected the name of a header/],
    [{ form: 'timestamp-payload', window: '2h' }, 'window', /expected `1s` to `1h`/],
    [{ form: 'timestamp-payload', window: '5 minutes' }, 'window', /expected a duration/],
    [{ form: 'timestamp-payload', secret: 'x' }, '', /secret/],
    [{ form: 'rfc9421', components: ['@nothing'] }, 'components.0', /got `@nothing`/],
    [{ form: 'rfc9421', components: ['@status'] }, 'components.0', /got `@status`/],
    [{ form: 'rfc9421', components: ['Host'] }, 'components.0', /got `Host`/],
    [{ form: 'rfc9421', components: ['"@query-param";name'] }, 'components.0', /./],
    [{ form: 'rfc9421', rsa: 'rsa' }, 'rsa', /expected `rsa-pss-sha512` or `rsa-v1_5-sha256`/],
    [{ form: 'rfc9421', body: true }, 'body', /expected `covered` or `free`/],
    [{ form: 'rfc9421', label: 'Sig' }, 'label', /expected a label such as `sig1`/],
    [{ form: 'rfc9421', structured: { signature: 'item' } }, 'structured', /expected fields of your own only/],
  ]
  for (const [options, path, message] of problems) {
    const { error } = signatureOptions.safeParse({ partner: options })
    const issue = error?.issues.find((one) => one.path.slice(1).join('.') === path && message.test(one.message))
    assert.ok(issue !== undefined, `${JSON.stringify(options)}: ${JSON.stringify(error?.issues)}`)
  }
  assert.ok(!signatureOptions.safeParse({ 'a name': { form: 'rfc9421' } }).success)
})
