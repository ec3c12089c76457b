import assert from 'node:assert/strict'
import { KeyObject, type webcrypto } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { type RequestFacts, signMethodUriBody, signRequest, signTimestampPayload } from '../../client/index.ts'
import { openSignatures, type SignatureScheme } from '../../src/authn/signature/scheme.ts'
import { testClock } from '../support/clock.ts'
import { check, outcome, registry, type Sent, schemesOf, secretOf, signer, startMs } from './signing.ts'

const secret = 'the secret of billing, 32 bytes long'
const clock = testClock(startMs)
const url = 'https://api.example.com/orders/7?dry=1&x=%7e'
const body = '{"amount": 3}\n— ü'
const facts: RequestFacts = { method: 'POST', url, headers: { 'content-type': 'application/json' }, body }

const pairs = {
  ed: (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as webcrypto.CryptoKeyPair,
  ec256: await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']),
  ec384: await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, false, ['sign', 'verify']),
  pss: await rsaPair('RSA-PSS', 'SHA-512'),
  v15: await rsaPair('RSASSA-PKCS1-v1_5', 'SHA-256'),
}

function rsaPair(name: string, hash: string) {
  const publicExponent = new Uint8Array([1, 0, 1])
  return crypto.subtle.generateKey({ name, hash, modulusLength: 2048, publicExponent }, false, ['sign', 'verify'])
}

const billing = signer('billing', {
  secrets: [secretOf(secret)],
  publicKeys: Object.entries(pairs).map(([kid, { publicKey }]) => ({ kid, key: KeyObject.from(publicKey) })),
})

function forms(): ReadonlyMap<string, SignatureScheme> {
  const said = new Set<string>()
  const options = schemesOf({
    payload: { form: 'timestamp-payload' },
    uri: { form: 'method-uri-body' },
    message: { form: 'rfc9421' },
    v15: { form: 'rfc9421', rsa: 'rsa-v1_5-sha256' },
    strict: {
      form: 'rfc9421',
      nonce: true,
      tag: 'payments',
      label: 'pay',
      components: ['@method', '@target-uri', 'content-type'],
    },
  })
  return openSignatures({
    options,
    ...registry(billing),
    isFresh: async (text) => said.size < said.add(text).size,
    clock,
  })
}

/** What would go over the wire. */
function sentBy({ method, url: address, headers, body: content }: RequestFacts, fields: Record<string, string>): Sent {
  const { protocol, host, pathname, search } = new URL(address)
  return {
    method,
    scheme: protocol === 'https:' ? 'https' : 'http',
    authority: host,
    path: pathname,
    query: search,
    headers: [...Object.entries(headers ?? {}), ...Object.entries(fields)],
    body: content === undefined ? undefined : Buffer.from(content as string),
  }
}

async function arrives(form: string, fields: Record<string, string>, sent: RequestFacts = facts): Promise<string> {
  return outcome(await check(forms().get(form), sentBy(sent, fields)))
}

test('AK3: what the client signs, the house lets in', async () => {
  const shared = { key: secret, service: 'billing', clock }
  assert.equal(await arrives('payload', await signTimestampPayload(facts, shared)), 'billing')
  assert.equal(await arrives('uri', await signMethodUriBody(facts, shared)), 'billing')
  assert.equal(await arrives('message', await signRequest(facts, { key: secret, keyid: 'billing', clock })), 'billing')
  for (const [kid, { privateKey }] of Object.entries(pairs)) {
    const fields = await signRequest(facts, { key: privateKey, keyid: kid, clock })
    assert.equal(await arrives(kid === 'v15' ? 'v15' : 'message', fields), 'billing', kid)
  }
})

test('AK3: a secret is its text, its bytes, or a key of the platform', async () => {
  const bytes = new TextEncoder().encode(secret)
  const held = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const fields = await Promise.all(
    [secret, bytes, held].map((key) => signMethodUriBody(facts, { key, service: 'billing', clock })),
  )
  assert.deepEqual(fields[1], fields[0])
  assert.deepEqual(fields[2], fields[0])
  const messages = await Promise.all(
    [secret, bytes, held].map((key) => signRequest(facts, { key, keyid: 'billing', nonce: 'n', clock })),
  )
  assert.deepEqual(messages[1], messages[0])
  assert.deepEqual(messages[2], messages[0])
})

test('AK3: a request without a body is signed as well', async () => {
  const get: RequestFacts = { method: 'GET', url: 'https://api.example.com' }
  const shared = { key: secret, service: 'billing', clock }
  assert.equal(await arrives('payload', await signTimestampPayload(get, shared), get), 'billing')
  assert.equal(await arrives('uri', await signMethodUriBody(get, shared), get), 'billing')
  const fields = await signRequest(get, { key: secret, keyid: 'billing', clock })
  assert.deepEqual(Object.keys(fields), ['Signature-Input', 'Signature'])
  assert.equal(await arrives('message', fields, get), 'billing')
})

test('AK3: what is covered, for whom and for how long can be said', async () => {
  const fields = await signRequest(facts, {
    key: secret,
    keyid: 'billing',
    clock,
    components: ['@method', '@target-uri', 'content-type'],
    nonce: 'once',
    tag: 'payments',
    label: 'pay',
    lifetimeSeconds: 30,
  })
  assert.equal(
    fields['Signature-Input'],
    'pay=("@method" "@target-uri" "content-type" "content-digest");created=1767225600;expires=1767225630;keyid="billing";nonce="once";tag="payments"',
  )
  assert.equal(await arrives('strict', fields), 'billing')
  const plain = await signRequest(facts, { key: secret, keyid: 'billing', clock, nonce: false })
  assert.match(plain['Signature-Input'] ?? '', /;keyid="billing"$/)
  const twice = await Promise.all([1, 2].map(() => signRequest(facts, { key: secret, keyid: 'billing', clock })))
  assert.notDeepEqual(twice[0], twice[1], 'a nonce of its own for each')
})

test('AK3: what cannot be signed is said', async () => {
  const signing = { key: secret, keyid: 'billing', clock }
  await assert.rejects(
    signRequest(facts, { ...signing, components: ['x-absent'] }),
    /`"x-absent"`: the message has no such field/,
  )
  await assert.rejects(signRequest(facts, { ...signing, components: ['"x'] }), /is no component/)
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-521' }, false, [
    'sign',
    'verify',
  ])
  await assert.rejects(signRequest(facts, { ...signing, key: privateKey }), /a key for ECDSA P-521 signs no messages/)
  const { privateKey: short } = await rsaPair('RSA-PSS', 'SHA-256')
  await assert.rejects(signRequest(facts, { ...signing, key: short }), /a key for RSA-PSS SHA-256 signs no messages/)
})

test('AK3: a signed Request goes over the wire as it was signed', async (context) => {
  let arrived: Sent | undefined
  const server = createServer(async (request: IncomingMessage, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const [path = '', query] = (request.url as string).split('?')
    arrived = {
      method: request.method as string,
      scheme: 'http',
      authority: request.headers.host as string,
      path,
      query: query === undefined ? '' : `?${query}`,
      headers: Array.from({ length: request.rawHeaders.length / 2 }, (_, at) => [
        request.rawHeaders[at * 2] as string,
        request.rawHeaders[at * 2 + 1] as string,
      ]),
      body: pieces.length === 0 ? undefined : Buffer.concat(pieces),
    }
    response.end()
  }).listen(0)
  context.after(() => server.close())
  const address = `http://LOCALHOST:${(server.address() as AddressInfo).port}/a%7e/ü?q=ä&x=%2f`
  for (const init of [{ method: 'POST', body, headers: { 'content-type': 'application/json' } }, { method: 'GET' }]) {
    for (const [form, sign] of Object.entries({
      payload: (request: Request) => signTimestampPayload(request, { key: secret, service: 'billing', clock }),
      uri: (request: Request) => signMethodUriBody(request, { key: secret, service: 'billing', clock }),
      message: (request: Request) => signRequest(request, { key: secret, keyid: 'billing', clock }),
    })) {
      const request = new Request(address, init)
      const signed = await sign(request)
      assert.ok(signed instanceof Request && !request.bodyUsed)
      await (await fetch(signed)).arrayBuffer()
      assert.equal(outcome(await check(forms().get(form), arrived as Sent)), 'billing', `${form} ${init.method}`)
      assert.equal(arrived?.body?.toString(), init.body)
      if (init.body !== undefined) assert.match(arrived?.headers.join() ?? '', /content-length,\d+/i)
    }
  }
})
