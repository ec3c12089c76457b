// What `docs/request-signing.md` shows is what the house takes.
import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { signMethodUriBody, signRequest, signTimestampPayload } from '../../client/index.ts'
import { openSignatures, type SignatureScheme } from '../../src/authn/signature/scheme.ts'
import { testClock } from '../support/clock.ts'
import { check, outcome, registry, type Sent, schemesOf, secretOf, signer } from './signing.ts'

const page = readFileSync(new URL('../../docs/request-signing.md', import.meta.url), 'utf8')
const clock = testClock(1_767_225_600_000)
const [secret] = blocks('text').map(({ text }) => text)
const [jwk] = blocks('json').map(({ text }) => JSON.parse(text) as Record<string, string>)
assert.ok(secret !== undefined && jwk !== undefined)
const billing = signer('billing', {
  secrets: [secretOf(secret)],
  publicKeys: [{ kid: 'billing-2026', key: createPublicKey({ key: jwk, format: 'jwk' }) }],
})

function blocks(language: string): { readonly info: string; readonly text: string }[] {
  const fences = page.matchAll(/^```(\S+) ?(\S*)\n([\s\S]*?)\n```$/gm)
  return [...fences].filter(([, name]) => name === language).map(([, , info = '', text = '']) => ({ info, text }))
}

function forms(): ReadonlyMap<string, SignatureScheme> {
  const options = schemesOf({
    'timestamp-payload': { form: 'timestamp-payload' },
    'method-uri-body': { form: 'method-uri-body' },
    rfc9421: { form: 'rfc9421' },
  })
  return openSignatures({ options, ...registry(billing), isFresh: async () => true, clock })
}

function sentOf(text: string): Sent {
  const [head = '', body] = text.split('\n\n')
  const [requestLine = '', ...lines] = head.split('\n')
  const [method = '', target = ''] = requestLine.split(' ')
  const [path = '', query] = target.split('?')
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(': ')
    return [line.slice(0, colon), line.slice(colon + 2)]
  })
  const authority = headers.find(([name]) => name === 'Host')?.[1] ?? ''
  return {
    method,
    scheme: 'https',
    authority,
    path,
    query: query === undefined ? '' : `?${query}`,
    headers,
    body: body === undefined ? undefined : Buffer.from(body),
  }
}

const examples = blocks('http').map(({ info, text }) => ({ form: info, sent: sentOf(text) }))

test('AK3: each example of the page is let in, and no other body with it', async () => {
  assert.deepEqual(
    examples.map(({ form }) => form),
    ['timestamp-payload', 'method-uri-body', 'rfc9421', 'rfc9421'],
  )
  for (const { form, sent } of examples) {
    assert.equal(outcome(await check(forms().get(form), sent)), 'billing', form)
    const other = { ...sent, body: Buffer.from('{"amount":4}') }
    assert.match(outcome(await check(forms().get(form), other)), /^signature-invalid/)
  }
})

test('AK3: the client makes the same headers as the page shows', async () => {
  const shared = { key: secret, service: 'billing', clock }
  const nonce = 'qMqZ5BZuGsZ7oUcyWhGNcQ=='
  for (const [index, sign] of [
    (request: Request) => signTimestampPayload(request, shared),
    (request: Request) => signMethodUriBody(request, shared),
    (request: Request) => signRequest(request, { key: secret, keyid: 'billing', clock, nonce }),
  ].entries()) {
    const { sent } = examples[index] as (typeof examples)[number]
    const url = `https://${sent.authority}${sent.path}${sent.query}`
    const request = new Request(url, {
      method: sent.method,
      body: sent.body?.toString() ?? null,
      headers: { 'content-type': 'application/json' },
    })
    const signed = await sign(request)
    for (const [name, value] of sent.headers) if (name !== 'Host') assert.equal(signed.headers.get(name), value, name)
  }
})
