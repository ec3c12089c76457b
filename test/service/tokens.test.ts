// What a service's token has to be, each check by what slips through without it.
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { SignJWT } from 'jose'
import { serviceToken } from '../../client/service-token.ts'
import { ServiceBook } from '../../src/authn/service/service-book.ts'
import { makeServiceToken } from '../../src/authn/service/service-token.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import {
  claimsAt,
  configured,
  forge,
  goodHeader,
  jwkOf,
  keyPairs,
  reportsSecret,
  type ServiceScene,
  serviceScene,
  target,
} from './scene.ts'

const ledgerSecret = 'the secret of the ledger, also more than 32'
const olderSecret = 'the secret of the ledger from before, 32'

const own = configured(
  {
    reports: {},
    ledger: {
      publicKeys: [
        ...(['EdDSA', 'ES256', 'RS256'] as const).map((alg) => ({ kid: alg, jwk: jwkOf(keyPairs[alg].publicKey) })),
      ],
    },
  },
  { reports: [reportsSecret], ledger: [ledgerSecret, olderSecret] },
)

let at: ServiceScene
const closing: (() => unknown)[] = []
before(async () => {
  const context = { after: (close: () => unknown) => void closing.push(close) }
  at = await serviceScene(context as Parameters<typeof serviceScene>[0], async () => 'sqlite::memory:', own)
})
after(async () => {
  for (const close of closing) await close()
})

/** What a token comes to: `holds`, or why the log says that it does not. */
function verdict(token: string, targets: readonly string[] = [target]): string {
  const outcome = at.book.verify(token, targets)
  if (!('code' in outcome)) return 'holds'
  assert.equal(outcome.code, 'service-token-invalid')
  assert.equal(outcome.detail, 'Invalid service token', 'the caller learns nothing of the reason')
  return outcome.reason ?? ''
}

const claims = (more: object = {}): Record<string, unknown> => claimsAt(at.clock, 'ledger', more)

test('AK4: a token holds that the service signed, by either of its secrets or by a key of its own', async () => {
  for (const secret of [ledgerSecret, olderSecret]) assert.equal(verdict(forge(claims(), secret)), 'holds')
  for (const alg of ['EdDSA', 'ES256', 'RS256'] as const) {
    const token = forge(claims(), keyPairs[alg].privateKey, { alg, kid: alg, typ: 'service+jwt' })
    assert.equal(verdict(token), 'holds', alg)
  }
})

test('AK4: what other libraries make, and our own maker and the client’s, holds', async () => {
  const { iat, exp, ...names } = claims()
  const foreign = await new SignJWT(names)
    .setProtectedHeader(goodHeader)
    .setIssuedAt(iat as number)
    .setExpirationTime(exp as number)
    .sign(Buffer.from(ledgerSecret))
  assert.equal(verdict(foreign), 'holds')
  const secret = createSecretKey(Buffer.from(ledgerSecret))
  const made = makeServiceToken({ service: 'ledger', target, secret, clock: at.clock, random: systemRandom })
  assert.equal(verdict(made), 'holds')

  const now = new ServiceBook({ services: at.services, configured: own, clock: systemClock, log: silent })
  const ours = await serviceToken({ service: 'ledger', target, secret: ledgerSecret })
  assert.equal(now.isToken(ours), true)
  const held = now.verify(ours, [target])
  assert.equal('code' in held ? held.reason : held.id, 'ledger')
  assert.ok(
    'code' in now.verify(await serviceToken({ service: 'ledger', target, secret: 'ümlaut'.repeat(8) }), [target]),
  )
  for (const lifetimeSeconds of [0, 301, Number.NaN, -1])
    await assert.rejects(serviceToken({ service: 'ledger', target, secret: ledgerSecret, lifetimeSeconds }), RangeError)
})

test('AK4: a token is for one target, and refused at another', () => {
  const token = forge(claims({ aud: 'https://gate.example.com/mcp' }), ledgerSecret)
  assert.equal(verdict(token), 'for another target')
  assert.equal(verdict(token, [target, 'https://gate.example.com/mcp']), 'holds')
  assert.equal(verdict(token), 'for another target', 'remembered, and refused all the same')
  assert.equal(verdict(token, []), 'for another target')
})

test('AK4: a token lives for five minutes at most, and not a moment past its end', () => {
  const { clock } = at
  const token = forge(claims(), ledgerSecret)
  assert.equal(verdict(token), 'holds')
  clock.advance(299_999)
  assert.equal(verdict(token), 'holds')
  clock.advance(1)
  assert.equal(verdict(token), 'has run out')
  const fresh = claims()
  assert.equal(
    verdict(forge({ ...fresh, exp: Number(fresh['iat']) + 301 }, ledgerSecret)),
    'good for more than 300 seconds',
  )
})

test('A5: each claim has to be there and be what it should; clocks may stand a minute apart', () => {
  const { iat, exp } = claims() as { iat: number; exp: number }
  for (const [more, reason] of [
    [{ iat: iat + 60, exp: iat + 60 }, 'holds'],
    [{ iat: iat + 61, exp: iat + 61 }, 'issued in the future'],
    [{ nbf: iat + 60 }, 'holds'],
    [{ nbf: iat + 61 }, 'not valid yet'],
    [{ nbf: '0' }, 'not valid yet'],
    [{ nbf: null }, 'not valid yet'],
    [{ iat: undefined }, '`iat` or `exp` is missing'],
    [{ exp: undefined }, '`iat` or `exp` is missing'],
    [{ exp: String(exp) }, '`iat` or `exp` is missing'],
    [{ exp: 1e300 }, '`iat` or `exp` is missing'],
    [{ iat: -1 }, '`iat` or `exp` is missing'],
    [{ iat: iat - 600, exp }, 'good for more than 300 seconds'],
    [{ exp: iat }, 'has run out'],
    [{ exp: iat - 1 }, 'has run out'],
    [{ jti: undefined }, '`jti` is missing'],
    [{ jti: '' }, '`jti` is missing'],
    [{ jti: 7 }, '`jti` is missing'],
    [{ aud: undefined }, '`aud` is not one target'],
    [{ aud: '' }, '`aud` is not one target'],
    [{ aud: [target] }, '`aud` is not one target'],
    [{ aud: [target, 'another'] }, '`aud` is not one target'],
    [{ sub: undefined }, '`iss` and `sub` are not one name'],
    [{ sub: 'reports' }, '`iss` and `sub` are not one name'],
    [{ iss: undefined, sub: undefined }, '`iss` and `sub` are not one name'],
    [{ iss: ['ledger'], sub: ['ledger'] }, '`iss` and `sub` are not one name'],
    [{ iss: 'nobody', sub: 'nobody' }, 'no service is called so'],
    [{ iss: '__proto__', sub: '__proto__' }, 'no service is called so'],
    [{ iss: 'Ledger', sub: 'Ledger' }, 'no service is called so'],
    [{ permissions: ['*'], roles: ['admin'], scope: '*' }, 'holds'],
  ] as const)
    assert.equal(verdict(forge(claims(more), ledgerSecret)), reason, JSON.stringify(more))
  const held = at.book.verify(forge(claims({ permissions: ['*'], roles: ['admin'] }), ledgerSecret), [target])
  assert.deepEqual('code' in held ? held : [held.permissions, held.roles], [[], []], 'a token lends nothing to itself')
})

test('A1: the issuer decides the algorithm: `none`, another one, and a public key for a secret are refused', () => {
  const header = (more: object): object => ({ ...goodHeader, ...more })
  const none = 'the signature is none of its keys’'
  const { publicKey } = keyPairs.RS256
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  for (const [token, why] of [
    [forge(claims(), '', header({ alg: 'none' })), 'none'],
    [
      `${forge(claims(), 'x', header({ alg: 'none' }))
        .split('.')
        .slice(0, 2)
        .join('.')}.`,
      'none, unsigned',
    ],
    [forge(claims(), ledgerSecret, header({ alg: 'None' })), 'None'],
    [forge(claims(), ledgerSecret, header({ alg: 'hs256' })), 'hs256'],
    [forge(claims(), ledgerSecret, header({ alg: 'HS512' })), 'HS512'],
    [forge(claims(), ledgerSecret, { typ: 'service+jwt' }), 'no alg'],
    [forge(claims(), pem, header({ kid: 'RS256' })), 'HS256 by a public key'],
    [forge(claims(), pem), 'HS256 by a public key, without kid'],
    [forge(claims(), ledgerSecret, header({ kid: 'EdDSA' })), 'HS256 with the kid of a key'],
    [forge(claims(), ledgerSecret, header({ kid: '' })), 'an empty kid'],
    [forge(claims(), ledgerSecret, header({ kid: 'nobody' })), 'an unknown kid'],
    [forge(claims(), keyPairs.RS256.privateKey, header({ alg: 'RS256' })), 'no kid'],
    [forge(claims(), keyPairs.RS256.privateKey, header({ alg: 'RS256', kid: 'ES256' })), 'the kid of another'],
    [forge(claims(), keyPairs.EdDSA.privateKey, header({ alg: 'ES256', kid: 'EdDSA' })), 'another alg'],
    [forge(claims(), reportsSecret), 'the secret of another service'],
    [forge(claims(), Buffer.alloc(32)), 'no secret at all'],
    [forge(claims(), ledgerSecret.slice(0, -1)), 'a secret cut short'],
  ] as const)
    assert.equal(verdict(token), none, why)
  const key = { alg: 'EdDSA', kid: 'EdDSA', typ: 'service+jwt' }
  assert.equal(
    verdict(forge(claimsAt(at.clock, 'reports'), keyPairs.EdDSA.privateKey, key)),
    none,
    'a key of another service',
  )
})

test('A3: keys and addresses of keys in the header are neither followed nor passed over', () => {
  const jwk = jwkOf(keyPairs.EdDSA.publicKey)
  for (const more of [
    { jwk },
    { jku: 'https://evil.example/' },
    { x5u: 'x' },
    { x5c: [] },
    { crit: ['exp'] },
    { zip: 'DEF' },
    { b64: false },
  ])
    assert.match(verdict(forge(claims(), ledgerSecret, { ...goodHeader, ...more })), /is none of ours/)
})

test('A4: only a token of this type is one; people’s tokens, ID tokens and assertions of clients are not', () => {
  for (const typ of ['at+jwt', 'JWT', 'dpop+jwt', 'Service+JWT', 'application/service+jwt', '', undefined, 7]) {
    const token = forge(claims(), ledgerSecret, { alg: 'HS256', typ })
    assert.equal(at.book.isToken(token), false, String(typ))
    assert.equal(verdict(token), 'another `typ`', String(typ))
  }
  assert.equal(at.book.isToken(forge(claims(), ledgerSecret)), true)
  for (const text of [
    '',
    '.',
    'gh_live_abc',
    'a.b.c',
    '..',
    `${'A'.repeat(9_000)}.b.c`,
    'bnVsbA.a.b',
    'W10.a.b',
    '"x".y.z',
  ])
    assert.equal(at.book.isToken(text), false, text.slice(0, 20))
})

test('A6: one spelling: too long, a part too many, a member twice, base64url another way', () => {
  const good = forge(claims(), ledgerSecret)
  const [head = '', payload = '', signature = ''] = good.split('.')
  const long = forge(claims({ jti: 'x'.repeat(8_000) }), ledgerSecret)
  const twice = `{"iss":"reports","iss":"ledger","sub":"ledger","aud":"${target}","iat":1,"exp":2,"jti":"a"}`
  for (const [token, reason] of [
    [long, /longer than 8192/],
    [`${good}.`, /three parts/],
    [`${good}.a.b`, /three parts/],
    [`${head}.${payload}`, /three parts/],
    ['', /three parts/],
    [forge(twice, ledgerSecret), /payload/],
    [forge(claims(), ledgerSecret, '{"alg":"HS256","typ":"JWT","typ":"service+jwt"}'), /header/],
    [forge('[]', ledgerSecret), /payload/],
    [forge('null', ledgerSecret), /payload/],
    [`${head}.${payload}.${signature}=`, /signature/],
    [`${head}=.${payload}.${signature}`, /header/],
    [`${head}.${payload} .${signature}`, /payload/],
    [`${head}.${payload}.`, /signature is none/],
    [`${head}.${payload}.AAAA`, /signature is none/],
  ] as const)
    assert.match(verdict(token), reason, token.slice(0, 60))
  assert.equal(verdict(good), 'holds')
})

test('AK4: a token that was changed anywhere does not hold', () => {
  const good = forge(claims(), ledgerSecret)
  fc.assert(
    fc.property(
      fc.nat(good.length - 1),
      fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 2 }),
      (place, put) => {
        const changed = good.slice(0, place) + put + good.slice(place + 1)
        fc.pre(changed !== good)
        const outcome = at.book.verify(changed, [target])
        return 'code' in outcome && outcome.code === 'service-token-invalid'
      },
    ),
    { numRuns: 500 },
  )
})

test('AK4: whatever a stranger sends, the answer is a refusal, and no service is named by it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
      at.book.isToken(text)
      const outcome = at.book.verify(text, [target])
      return 'code' in outcome && outcome.detail === 'Invalid service token'
    }),
  )
})
