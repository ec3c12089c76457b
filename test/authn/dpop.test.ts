import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { suite, type TestContext, test } from 'node:test'
import fc from 'fast-check'
import * as jose from 'jose'
import { Replays } from '../../src/authn/replays.ts'
import { openProofs, type ProofDemand, type Proofs, proofAlgorithms } from '../../src/authn/token/dpop.ts'
import { openNonces } from '../../src/authn/token/nonces.ts'
import { rootKey } from '../../src/keys/root.ts'
import { openStore } from '../../src/store/database.ts'
import { testClock } from '../support/clock.ts'
import { type Proven, prover, signed, thumbprintOf } from './dpop-prover.ts'
import { dpopReplayCases } from './dpop-replay-cases.ts'

const startMs = Date.UTC(2026, 0, 1)
const root = rootKey('a root secret for tests, long enough')
const url = 'https://gate.example.com/widgets/7'
const accessToken = 'a.token.of-ours'
const demand: ProofDemand = { method: 'POST', url, accessToken }
const request: Proven = { method: 'POST', url, accessToken, at: startMs }

async function proofsAt(
  context: TestContext,
  clock = testClock(startMs),
  nonces: Parameters<typeof openProofs>[0]['nonces'] = undefined,
): Promise<Proofs> {
  const store = await openStore('sqlite::memory:')
  context.after(() => store.close())
  return openProofs({ clock, replays: new Replays({ clock }), db: store.db, nonces })
}

suite('proofs are seen once, on SQLite', () => dpopReplayCases(async () => 'sqlite::memory:'))

test('OA4: the proofs of RFC 9449 §4.1 and §7.1 hold, and show the thumbprint of §6.1', async (context) => {
  const header =
    'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19'
  const jkt = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'
  const atToken = `${header}.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg`
  const atResource = `${header}.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA`
  const proofs = await proofsAt(context, testClock(1_562_262_616_000))
  assert.deepEqual(await proofs.verify(atToken, { method: 'POST', url: 'https://server.example.com/token' }), {
    jkt,
    jti: '-BwC3ESc6acc2lTc',
    iat: 1_562_262_616,
    nonce: undefined,
  })
  assert.deepEqual(
    await proofs.verify(atResource, {
      method: 'GET',
      url: 'https://resource.example.org/protectedresource',
      accessToken: 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU',
      keyThumbprint: jkt,
    }),
    { jkt, jti: 'e1j3V_bKic8-LAEB', iat: 1_562_262_618, nonce: undefined },
  )
})

test('OA4 A24: every algorithm that we name is understood, and the thumbprint is that of RFC 7638', async (context) => {
  const proofs = await proofsAt(context)
  for (const alg of proofAlgorithms) {
    const client = prover(alg)
    const outcome = await proofs.verify(client.prove(request), demand)
    assert.ok(!('error' in outcome), `${alg}: ${JSON.stringify(outcome)}`)
    assert.equal(outcome.jkt, await jose.calculateJwkThumbprint(client.jwk as jose.JWK))
  }
  const client = prover()
  const outcome = await proofs.verify(client.prove(request), { ...demand, keyThumbprint: thumbprintOf(client.jwk) })
  assert.ok(!('error' in outcome))
})

const es256 = prover()
const rsa = prover('RS256')
const small = generateKeyPairSync('rsa', { modulusLength: 1024 })
const large = generateKeyPairSync('rsa', { modulusLength: 4104 })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const secretKey = es256.privateKey.export({ format: 'jwk' })
const claimed = es256.prove(request).split('.') as [string, string, string]
const claims = { jti: 'a', htm: 'POST', htu: url, iat: startMs / 1000, ath: 'x' }

/** What each attack sends, and what is said of it in the log. */
const attacks: Readonly<Record<string, readonly [proof: string, reason: RegExp]>> = {
  nothing: ['', /three parts/],
  'two parts': ['a.b', /three parts/],
  'four parts': [`${claimed.join('.')}.a`, /three parts/],
  'two proofs in one field': [`${es256.prove(request)}, ${es256.prove(request)}`, /three parts/],
  'a novel': ['a'.repeat(8_193), /longer than/],
  'padded base64url': [`${claimed[0]}=.${claimed[1]}.${claimed[2]}`, /header/],
  'a second spelling of the payload': [`${claimed[0]}.${claimed[1]} .${claimed[2]}`, /payload/],
  'a signature with a space': [`${claimed[0]}.${claimed[1]}. ${claimed[2]}`, /signature/],
  'no signature': [`${claimed[0]}.${claimed[1]}.`, /signature/],
  'the signature of another': [`${claimed[0]}.${claimed[1]}.${es256.prove(request).split('.')[2]}`, /signature/],
  'an access token': [es256.prove(request, { header: { typ: 'at+jwt' } }), /`typ`/],
  'an ID token': [es256.prove(request, { header: { typ: 'JWT' } }), /`typ`/],
  'no type': [es256.prove(request, { header: { typ: undefined } }), /`typ`/],
  'a type in other letters': [es256.prove(request, { header: { typ: 'DPOP+JWT' } }), /`typ`/],
  'crit that we know': [es256.prove(request, { header: { crit: ['b64'], b64: true } }), /`crit`/],
  'crit that is empty': [es256.prove(request, { header: { crit: [] } }), /`crit`/],
  'alg none': [es256.prove(request, { header: { alg: 'none' } }), /`alg`/],
  'alg nOnE': [es256.prove(request, { header: { alg: 'nOnE' } }), /`alg`/],
  'no alg': [es256.prove(request, { header: { alg: undefined } }), /`alg`/],
  'alg by the name of a prototype': [es256.prove(request, { header: { alg: 'constructor' } }), /`alg`/],
  'alg ES384': [es256.prove(request, { header: { alg: 'ES384' } }), /`alg`/],
  'HS256 with the public key as secret': [hmacWith(JSON.stringify(es256.jwk)), /`alg`/],
  'HS256 with a secret in jwk': [
    es256.prove(request, { header: { alg: 'HS256', jwk: { kty: 'oct', k: 'AAAA' } } }),
    /`alg`/,
  ],
  'RS256 with an elliptic key': [es256.prove(request, { header: { alg: 'RS256' } }), /kind/],
  'ES256 with an RSA key': [rsa.prove(request, { header: { alg: 'ES256' } }), /kind/],
  'PS256 signed as RS256': [rsa.prove(request, { header: { alg: 'PS256' } }), /signature/],
  'no key': [es256.prove(request, { header: { jwk: undefined } }), /`jwk` is missing/],
  'a key as text': [es256.prove(request, { header: { jwk: JSON.stringify(es256.jwk) } }), /`jwk` is missing/],
  'a list of keys': [es256.prove(request, { header: { jwk: [es256.jwk] } }), /`jwk` is missing/],
  'a private key': [es256.prove(request, { header: { jwk: secretKey } }), /private/],
  'a private member that is null': [es256.prove(request, { header: { jwk: { ...es256.jwk, d: null } } }), /private/],
  'a symmetric member': [es256.prove(request, { header: { jwk: { ...es256.jwk, k: 'AA' } } }), /private/],
  'a key by address': [
    es256.prove(request, { header: { jwk: undefined, jku: 'https://evil.example/jwks' } }),
    /missing/,
  ],
  'another curve': [es256.prove(request, { header: { jwk: p384.publicKey.export({ format: 'jwk' }) } }), /member/],
  'a key without y': [es256.prove(request, { header: { jwk: { ...es256.jwk, y: undefined } } }), /member/],
  'a coordinate with a padding': [
    es256.prove(request, { header: { jwk: { ...es256.jwk, x: `${es256.jwk.x}=` } } }),
    /member/,
  ],
  'a point off its curve': [
    es256.prove(request, { header: { jwk: { ...es256.jwk, y: Buffer.alloc(32, 7).toString('base64url') } } }),
    /no key of its kind/,
  ],
  'RSA of 1024 bits': [
    signed(headerOf('RS256', small.publicKey.export({ format: 'jwk' })), payloadOf(), 'RS256', small.privateKey),
    /member/,
  ],
  'RSA of 4104 bits': [
    signed(headerOf('RS256', large.publicKey.export({ format: 'jwk' })), payloadOf(), 'RS256', large.privateKey),
    /member/,
  ],
  'an RSA exponent of one': [rsa.prove(request, { header: { jwk: { ...rsa.jwk, e: 'AQ' } } }), /member/],
  'an RSA number with a leading zero': [
    rsa.prove(request, {
      header: {
        jwk: {
          ...rsa.jwk,
          n: Buffer.concat([Buffer.alloc(1), Buffer.from(rsa.jwk.n ?? '', 'base64url')]).toString('base64url'),
        },
      },
    }),
    /member/,
  ],
  'a header member twice': [
    signed(
      `{"typ":"dpop+jwt","alg":"ES256","alg":"ES256","jwk":${JSON.stringify(es256.jwk)}}`,
      payloadOf(),
      'ES256',
      es256.privateKey,
    ),
    /header/,
  ],
  'a key member twice': [
    signed(
      `{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","kty":"EC","crv":"P-256","x":"${es256.jwk.x}","y":"${es256.jwk.y}"}}`,
      payloadOf(),
      'ES256',
      es256.privateKey,
    ),
    /header/,
  ],
  'a claim twice': [
    signed(headerOf('ES256', es256.jwk), `{"jti":"a","jti":"b",${payloadOf().slice(1)}`, 'ES256', es256.privateKey),
    /payload/,
  ],
  'a payload that is no UTF-8': [
    signed(
      headerOf('ES256', es256.jwk),
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      'ES256',
      es256.privateKey,
    ),
    /payload/,
  ],
  'a payload that is a list': [signed(headerOf('ES256', es256.jwk), '[]', 'ES256', es256.privateKey), /payload/],
  'no jti': [es256.prove(request, { claims: { jti: undefined } }), /`jti`/],
  'an empty jti': [es256.prove(request, { claims: { jti: '' } }), /`jti`/],
  'a jti that is a number': [es256.prove(request, { claims: { jti: 7 } }), /`jti`/],
  'a jti too long': [es256.prove(request, { claims: { jti: 'a'.repeat(257) } }), /`jti`/],
  'a jti with a NUL': [es256.prove(request, { claims: { jti: 'a\0b' } }), /`jti`/],
  'another method': [es256.prove({ ...request, method: 'GET' }), /`htm`/],
  'the method in other letters': [es256.prove({ ...request, method: 'post' }), /`htm`/],
  'no method': [es256.prove(request, { claims: { htm: undefined } }), /`htm`/],
  'another path': [es256.prove({ ...request, url: 'https://gate.example.com/widgets/8' }), /`htu`/],
  'another host': [es256.prove({ ...request, url: 'https://evil.example/widgets/7' }), /`htu`/],
  'another scheme': [es256.prove({ ...request, url: 'http://gate.example.com/widgets/7' }), /`htu`/],
  'another port': [es256.prove({ ...request, url: 'https://gate.example.com:8443/widgets/7' }), /`htu`/],
  'a user in the address': [
    es256.prove({ ...request, url: 'https://gate.example.com@evil.example/widgets/7' }),
    /`htu`/,
  ],
  'our name as a user': [es256.prove({ ...request, url: 'https://evil@gate.example.com/widgets/7' }), /`htu`/],
  'a path alone': [es256.prove({ ...request, url: '/widgets/7' }), /`htu`/],
  'an address with a line break': [es256.prove({ ...request, url: 'https://gate.example.com/wid\ngets/7' }), /`htu`/],
  'an address with backslashes': [es256.prove({ ...request, url: 'https:\\\\gate.example.com\\widgets\\7' }), /`htu`/],
  'an encoded slash': [es256.prove({ ...request, url: 'https://gate.example.com/widgets%2F7' }), /`htu`/],
  'no address': [es256.prove(request, { claims: { htu: undefined } }), /`htu`/],
  'a list of addresses': [es256.prove(request, { claims: { htu: [url] } }), /`htu`/],
  'too old': [es256.prove({ ...request, at: startMs - 61_000 }), /`iat`/],
  'from the future': [es256.prove({ ...request, at: startMs + 61_000 }), /`iat`/],
  'no time': [es256.prove(request, { claims: { iat: undefined } }), /`iat`/],
  'time as text': [es256.prove(request, { claims: { iat: String(startMs / 1000) } }), /`iat`/],
  'that has run out by its own word': [es256.prove(request, { claims: { exp: startMs / 1000 - 60 } }), /`exp`/],
  'that is not good yet by its own word': [es256.prove(request, { claims: { nbf: startMs / 1000 + 61 } }), /`nbf`/],
  'an end as text': [es256.prove(request, { claims: { exp: 'never' } }), /`exp`/],
  'of another token': [es256.prove({ ...request, accessToken: 'another.token.of-ours' }), /`ath`/],
  'of no token': [es256.prove({ method: 'POST', url, at: startMs }), /`ath`/],
  'a nonce that is a number': [es256.prove(request, { claims: { nonce: 1 } }), /`nonce`/],
}

for (const [attack, [proof, reason]] of Object.entries(attacks)) {
  test(`A24 A3 A4 A6: a proof of possession is refused: ${attack}`, async (context) => {
    const outcome = await (await proofsAt(context)).verify(proof, demand)
    assert.ok('error' in outcome, JSON.stringify(outcome))
    assert.equal(outcome.error, 'invalid_dpop_proof')
    assert.match(outcome.reason, reason)
  })
}

test('A24: a good proof of another key than the token names is a token problem, and spends nothing', async (context) => {
  const proofs = await proofsAt(context)
  const proof = es256.prove(request)
  const outcome = await proofs.verify(proof, { ...demand, keyThumbprint: thumbprintOf(prover().jwk) })
  assert.equal('error' in outcome && outcome.error, 'invalid_token')
  assert.ok(!('error' in (await proofs.verify(proof, { ...demand, keyThumbprint: thumbprintOf(es256.jwk) }))))
})

test('A24: what an honest client may write otherwise is understood', async (context) => {
  const proofs = await proofsAt(context)
  const honest: Readonly<Record<string, string>> = {
    'host in capitals': es256.prove({ ...request, url: 'https://GATE.example.com/widgets/7' }),
    'scheme in capitals': es256.prove({ ...request, url: 'HTTPS://gate.example.com/widgets/7' }),
    'the port that goes without saying': es256.prove({ ...request, url: 'https://gate.example.com:443/widgets/7' }),
    'a needless percent': es256.prove({ ...request, url: 'https://gate.example.com/%77idgets/7' }),
    'query and fragment': es256.prove({ ...request, url: 'https://gate.example.com/widgets/7?a=b#c' }),
    'members beside the key': es256.prove(request, {
      header: { jwk: { ...es256.jwk, kid: '1', use: 'sig', ext: true } },
    }),
    'a key id in the header': es256.prove(request, { header: { kid: '1' } }),
    'a time with fractions': es256.prove(request, { claims: { iat: startMs / 1000 + 0.25 } }),
    'the edge of the past': es256.prove({ ...request, at: startMs - 60_000 }),
    'the edge of the future': es256.prove({ ...request, at: startMs + 60_000 }),
    'a claim of its own': es256.prove(request, { claims: { note: 'x', exp: startMs / 1000, nbf: startMs / 1000 } }),
  }
  for (const [what, proof] of Object.entries(honest)) {
    const outcome = await proofs.verify(proof, demand)
    assert.ok(!('error' in outcome), `${what}: ${JSON.stringify(outcome)}`)
  }
  const encoded = es256.prove({ ...request, url: 'https://gate.example.com/a%c3%a9' })
  const outcome = await proofs.verify(encoded, { ...demand, url: 'https://gate.example.com/a%C3%A9' })
  assert.ok(!('error' in outcome), 'hexadecimal digits in small letters')
})

test('A24: no change of a single character leaves a proof good', async (context) => {
  const proofs = await proofsAt(context)
  const proof = es256.prove(request)
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: proof.length - 1 }), fc.constantFrom(...'Aa0-_.= '), async (at, character) => {
      const changed = proof.slice(0, at) + character + proof.slice(at + 1)
      fc.pre(changed !== proof)
      assert.ok('error' in (await proofs.verify(changed, demand)))
    }),
    { numRuns: 400 },
  )
})

suite('nonces', () => {
  const steps = 300_000

  test('A24: a proof without a nonce of ours is told which one to use', async (context) => {
    const clock = testClock(startMs)
    const nonces = openNonces({ root, clock })
    const proofs = await proofsAt(context, clock, nonces)
    for (const nonce of [undefined, '', 'guessed', `${nonces.current()}x`]) {
      const outcome = await proofs.verify(
        es256.prove({ ...request, ...(nonce === undefined ? {} : { nonce }) }),
        demand,
      )
      assert.ok('error' in outcome)
      assert.deepEqual([outcome.error, outcome.nonce], ['use_dpop_nonce', nonces.current()])
    }
    const good = await proofs.verify(es256.prove({ ...request, nonce: nonces.current() }), demand)
    assert.deepEqual('error' in good ? good : good.nonce, undefined, 'nothing new to tell')
  })

  test('A24: a nonce holds for two steps, and the next one is told in time', async (context) => {
    const clock = testClock(startMs)
    const nonces = openNonces({ root, clock })
    const proofs = await proofsAt(context, clock, nonces)
    const nonce = nonces.current()
    clock.advance(steps)
    const later = await proofs.verify(es256.prove({ ...request, nonce, at: clock.now() }), demand)
    assert.ok(!('error' in later))
    assert.equal(later.nonce, nonces.current())
    assert.notEqual(later.nonce, nonce)
    clock.advance(steps)
    const tooLate = await proofs.verify(es256.prove({ ...request, nonce, at: clock.now() }), demand)
    assert.equal('error' in tooLate && tooLate.error, 'use_dpop_nonce')
  })

  test('A24: the nodes of one house know each other’s nonces, and another house does not', () => {
    const [here, ahead] = [testClock(startMs + steps - 1), testClock(startMs + steps)]
    const node = openNonces({ root, clock: here })
    assert.ok(node.holds(openNonces({ root, clock: ahead }).current()), 'of a node whose clock is ahead')
    assert.ok(!node.holds(openNonces({ root: rootKey('another secret, as long as the first'), clock: here }).current()))
    ahead.advance(steps)
    assert.ok(!node.holds(openNonces({ root, clock: ahead }).current()), 'of a node that is ahead by too much')
    for (let step = 0; step < 40; step++) {
      here.advance(steps)
      assert.ok(node.holds(node.current()))
    }
  })
})

function headerOf(alg: string, jwk: JsonWebKey): string {
  return JSON.stringify({ typ: 'dpop+jwt', alg, jwk })
}

function payloadOf(): string {
  return JSON.stringify(claims)
}

function hmacWith(secret: string): string {
  const text = [headerOf('HS256', es256.jwk), payloadOf()]
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.')
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}
