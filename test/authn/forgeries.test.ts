// What no token may be, whatever the algorithm. Where it says «signed», the signature is our own and good. The attacks that
// have a name are in tokens.test.ts.
import assert from 'node:assert/strict'
import { constants, createHmac, sign } from 'node:crypto'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { base64url } from '../../src/kernel/bytes.ts'
import { Fault } from '../../src/kernel/error.ts'
import { type Desk, jws, openDesk, part, publicForms, subject } from './forge.ts'

/** Tokens by what is wrong with them. */
type Forgeries = Readonly<Record<string, string>>

interface Kind {
  /** The check that is meant: a forgery that fails another one proves nothing. */
  readonly because: RegExp
  readonly forge: (desk: Desk) => Forgeries
}

const kinds: Readonly<Record<string, Kind>> = {
  'an algorithm that is not the key’s, signed (A1)': {
    because: /^the algorithm is not that of the key$/,
    forge: ({ key, mint }) =>
      each(
        algorithmNames.filter((alg) => alg !== key.algorithm),
        (alg) => mint({ header: { alg } }),
      ),
  },

  'an HMAC over what everybody knows of the key (A1)': {
    because: /^the algorithm is not that of the key$|^the signature does not fit$/,
    forge: ({ key, header, claims }) =>
      Object.fromEntries(
        Object.entries(key.algorithm === 'HS256' ? { nothing: '', kid: key.kid } : publicForms(key.publicKey)).flatMap(
          ([form, secret]) =>
            [...Object.keys(digests), key.algorithm].map((alg) => [
              `${alg} with ${form}`,
              jws(part(header({ alg })), part(claims()), (text) =>
                createHmac(digests[alg] ?? 'sha256', secret)
                  .update(text)
                  .digest(),
              ),
            ]),
        ),
      ),
  },

  'a member of the header that is none of ours, signed (A3)': {
    because: /^header `[\w#]+` is none of ours$/,
    forge: ({ key, mint, mintText, claims }) => ({
      ...each(headerMembers, (name) => mint({ header: { [String(name)]: name === 'crit' ? ['exp'] : 'x' } })),
      'all that is needed, in the prototype': mintText(
        `{"__proto__":{"alg":"${key.algorithm}","typ":"at+jwt","kid":"${key.kid}"}}`,
        JSON.stringify(claims()),
      ),
    }),
  },

  'a kid that is not the key’s, signed (A7)': {
    because: /^the key is not known$/,
    forge: ({ key, mint }) =>
      each(
        [...notKids, [key.kid], `${key.kid} `, `${key.kid}\0`, `${key.kid}=`, key.kid.toUpperCase(), key.kid.slice(1)],
        (kid) => mint({ header: { kid } }),
      ),
  },

  'a claim that is missing or something else, signed (A5)': {
    because: /^another (?:issuer|audience)$|^a claim is missing$|^`exp` or `iat` is missing$|^`roles` is not/,
    forge: ({ mint }) =>
      Object.assign(
        {},
        ...['iss', 'aud', 'sub', 'jti', 'sid', 'exp', 'iat'].map((name) =>
          each(
            notClaims,
            (value) => mint({ claims: { [name]: value } }),
            (value) => `${name}: ${value}`,
          ),
        ),
        each(
          [undefined, null, '', 'admin', {}, [1], [null], [['admin']], { 0: 'admin', length: 1 }, ['\ud800']],
          (roles) => mint({ claims: { roles } }),
        ),
      ),
  },

  'a time that is none, signed (A5)': {
    because: /^`exp` or `iat` is missing$|^not valid yet$|^the payload is not one JSON object/,
    forge: ({ mintText, header, claims }) =>
      Object.assign(
        {},
        ...['exp', 'iat', 'nbf'].map((name) =>
          each(
            notTimes,
            (time) =>
              mintText(JSON.stringify(header()), JSON.stringify(claims({ [name]: '?' })).replace('"?"', String(time))),
            (time) => `${name}: ${time}`,
          ),
        ),
      ),
  },

  'JSON that is not one object, signed (A6)': {
    because: /^the (?:header|payload) is not one JSON object/,
    forge: ({ mintText, header, claims }) => ({
      ...each(
        notObjects,
        (text) => mintText(String(text), JSON.stringify(claims())),
        (text) => `header ${text}`,
      ),
      ...each(
        notObjects,
        (text) => mintText(JSON.stringify(header()), String(text)),
        (text) => `payload ${text}`,
      ),
      'two bytes a letter': mintText(JSON.stringify(header()), Buffer.from(JSON.stringify(claims()), 'utf16le')),
      ...each(notUtf8, (bytes) => {
        const [before, after] = JSON.stringify(claims({ name: '?' })).split('?')
        return mintText(
          JSON.stringify(header()),
          Buffer.concat([Buffer.from(`${before}`), Buffer.from(String(bytes), 'hex'), Buffer.from(`${after}`)]),
        )
      }),
    }),
  },

  'half a character, signed': {
    because: /^a claim is missing$/,
    forge: ({ mint }) => each(['sub', 'jti', 'sid'], (name) => mint({ claims: { [String(name)]: 'half\ud800' } })),
  },

  'another spelling of the same bytes, signed (A6)': {
    because: /^the (?:header|payload) is not one JSON object in canonical base64url$/,
    forge: ({ header, claims, seal }) => {
      const forgeries: Record<string, string> = {}
      const texts = { header: JSON.stringify(header()), payload: JSON.stringify(claims({ x: '???>>>~~~ÿÿÿ' })) }
      const both = (name: string, spell: (text: string) => string): void => {
        forgeries[`header ${name}`] = seal(spell(texts.header), base64url(Buffer.from(texts.payload)))
        forgeries[`payload ${name}`] = seal(base64url(Buffer.from(texts.header)), spell(texts.payload))
      }
      for (const more of ['=', '==', ' ', '\n', '\0', '*', '%3D', '\u00a0'])
        both(`and ${JSON.stringify(more)}`, (text) => base64url(Buffer.from(text)) + more)
      // A space more or less, so that some bits of the last character are spare.
      for (const spaces of ['', ' ', '  ']) both(`with spare bits${spaces}`, (text) => spared(text + spaces))
      forgeries['payload in base64'] = seal(
        part(header()),
        Buffer.from(texts.payload).toString('base64').replace(/=+$/, ''),
      )
      return forgeries
    },
  },

  'a signature that is not the one': {
    because: /^the signature does not fit$/,
    forge: (desk) => {
      const [header = '', payload = '', signature = ''] = desk.mint({}).split('.')
      const good = Buffer.from(signature, 'base64url')
      const others: Readonly<Record<string, Uint8Array>> = {
        ...otherSignatures(desk, `${header}.${payload}`, good),
        nothing: Buffer.alloc(0),
        'one byte less': good.subarray(0, -1),
        'one byte less in front': good.subarray(1),
        'one byte more': Buffer.concat([good, Buffer.alloc(1)]),
        'one byte more in front': Buffer.concat([Buffer.alloc(1), good]),
        twice: Buffer.concat([good, good]),
        zeros: Buffer.alloc(good.length),
        ones: Buffer.alloc(good.length, 255),
        backwards: Buffer.from(good).reverse(),
      }
      return Object.fromEntries(
        Object.entries(others).map(([name, bytes]) => [name, `${header}.${payload}.${base64url(bytes)}`]),
      )
    },
  },
}

const algorithmNames = [
  ...['none', 'None', 'NONE', 'nOnE', 'HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'PS256', 'ES256', 'ES384', 'ES256K'],
  ...['EdDSA', 'Ed25519', 'Ed448', 'eddsa', 'es256', '', null, 1, ['EdDSA'], {}, undefined],
]
const digests: Readonly<Record<string, string>> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' }
const headerMembers = [
  ...['crit', 'jwk', 'jku', 'x5u', 'x5c', 'x5t', 'x5t#S256', 'zip', 'b64', 'cty', 'enc', 'p2c', 'p2s', 'epk', 'iv'],
  ...['tag', 'url', 'nonce', 'ALG', 'Kid', 'constructor'],
]
const notKids = [
  ...[undefined, null, '', 1, true, {}, '__proto__', 'constructor', 'toString', '../../etc/passwd', '/dev/null'],
  ...['\\\\host\\share', "' OR 1=1 --", '%2e%2e', 'https://evil.example/key', 'x'.repeat(3_000)],
]
const notClaims = [undefined, null, '', true, -1, {}, [], [''], ['\ud800']]
const notTimes = [
  ...['NaN', 'Infinity', '1e999', '1e300', '9007199254740992', '253402300800', '-1', '"1"', '[1]', '{}', '01', '0x1'],
  ...['null', 'true', '""'],
]
const notObjects = [
  ...['', ' ', '[]', 'null', 'true', '1', '"x"', '{', '{}{}', '{,}', "{'a':1}", '{"a":1,}', '/**/{}', '\ufeff{}'],
  ...['{"a":NaN}', '{"a":1,"a":1}', '{"a":1,"\\u0061":1}', `{"a":${'['.repeat(2_000)}${']'.repeat(2_000)}}`],
]
/** Lone, overlong, a surrogate, beyond the last, cut short. */
const notUtf8 = ['ff', 'c0af', 'eda080', 'f4908080', 'c3', 'e28200']

/** What verifiers of each algorithm have been known to take for a signature. */
function otherSignatures({ key }: Desk, text: string, good: Buffer): Readonly<Record<string, Uint8Array>> {
  const bytes = Buffer.from(text)
  switch (key.algorithm) {
    case 'EdDSA':
      return {
        'S + L (RFC 8032 §5.1.7)': withOrder(good),
        'the neutral element': Buffer.from([1, ...Buffer.alloc(63)]),
      }
    case 'ES256': {
      const [r, s, zero] = [good.subarray(0, 32), good.subarray(32), Buffer.alloc(32)]
      const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')
      const pairs = { 'r = 0': [zero, s], 's = 0': [r, zero], 'r = n': [order, s], 's = n': [r, order], 's, r': [s, r] }
      return {
        ...Object.fromEntries(Object.entries(pairs).map(([name, pair]) => [name, Buffer.concat(pair)])),
        DER: sign('sha256', bytes, key.privateKey),
        'over SHA-384': sign('sha384', bytes, { key: key.privateKey, dsaEncoding: 'ieee-p1363' }),
      }
    }
    case 'RS256':
      return {
        PSS: sign('sha256', bytes, { key: key.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING }),
        'over SHA-1': sign('sha1', bytes, key.privateKey),
        'over SHA-512': sign('sha512', bytes, key.privateKey),
      }
    case 'HS256':
      return {
        'the left half': good.subarray(0, 16),
        'of SHA-512': createHmac('sha512', key.privateKey).update(bytes).digest(),
      }
  }
}

/** The other signature that the equation of Ed25519 would hold for: S is a number modulo L. */
function withOrder(good: Buffer): Buffer {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const s = BigInt(`0x${Buffer.from(good.subarray(32)).reverse().toString('hex')}`) + order
  return Buffer.concat([good.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()])
}

/** Base64url with the last spare bit set; padded where there is none to spare. */
function spared(text: string): string {
  const plain = base64url(Buffer.from(text))
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet[alphabet.indexOf(plain.at(-1) ?? '') | 1]
  return plain.length % 4 === 0 ? `${plain}=` : `${plain.slice(0, -1)}${last}`
}

function each(
  values: readonly unknown[],
  forge: (value: unknown) => string,
  name: (value: unknown) => string = (value) => JSON.stringify(value) ?? 'undefined',
): Forgeries {
  return Object.fromEntries(values.map((value) => [name(value), forge(value)]))
}

for (const algorithm of ['EdDSA', 'ES256', 'RS256', 'HS256'] as const) {
  suite(algorithm, async () => {
    const desk = await openDesk(algorithm)
    const { tokens } = desk

    test('a token of the desk holds, so that what is changed below is what is refused', () => {
      assert.equal(codeOf(tokens.verify(desk.mint({}))), 'holds')
      assert.equal(codeOf(tokens.verify(desk.mint({ claims: { nbf: desk.now(), name: 'Ada', x: [{}] } }))), 'holds')
    })

    for (const [kind, { because, forge }] of Object.entries(kinds)) {
      test(`TK6: ${kind}`, () => {
        for (const [name, token] of Object.entries(forge(desk))) {
          const outcome = tokens.verify(token)
          assert.ok('code' in outcome, `${name} holds`)
          assert.equal(outcome.code, 'token-invalid', name)
          assert.match(outcome.reason ?? '', because, name)
        }
      })
    }

    test('TK6: no token survives one character replaced, put in or left out', () => {
      const { token } = tokens.issue(subject)
      assert.equal(codeOf(tokens.verify(token)), 'holds')
      const character = fc.oneof(fc.constantFrom(...'ABYZabyz0189-_.=+/ '), fc.string({ maxLength: 1 }))
      fc.assert(
        fc.property(fc.nat(token.length - 1), character, fc.boolean(), (at, other, replace) => {
          const changed = token.slice(0, at) + other + token.slice(replace ? at + 1 : at)
          assert.equal(codeOf(tokens.verify(changed)), changed === token ? 'holds' : 'token-invalid')
        }),
        { numRuns: 500 },
      )
    })

    test('TK6: whatever a token says, it is judged and nothing is thrown', () => {
      const members = fc.dictionary(fc.constantFrom(...claimNames, 'nbf', 'scope', '__proto__'), fc.jsonValue())
      fc.assert(
        fc.property(members, (claims) => {
          assert.match(codeOf(tokens.verify(desk.mint({ claims }))), /^(?:holds|token-(?:invalid|expired|wrong-type))$/)
        }),
      )
      fc.assert(
        fc.property(fc.string({ unit: 'binary' }), (text) => assert.notEqual(codeOf(tokens.verify(text)), 'holds')),
      )
    })
  })
}

const claimNames = ['iss', 'aud', 'sub', 'jti', 'sid', 'exp', 'iat', 'type', 'roles']

test('A10: no token outlives today’s `accessTtl`, be it from before that was lowered: its revocation may be forgotten', async () => {
  const desk = await openDesk('EdDSA', { accessTtl: '15m' })
  const old = desk.mint({ claims: { exp: desk.now() + 86_400 } })
  assert.equal(codeOf(desk.tokens.verify(old)), 'holds')
  desk.clock.advance(900_000 - 1)
  assert.equal(codeOf(desk.tokens.verify(old)), 'holds')
  desk.clock.advance(1)
  assert.equal(codeOf(desk.tokens.verify(old)), 'token-expired')
})

test('A6: a token that would be too long to be read is not issued, and the log learns why', async () => {
  const { tokens } = await openDesk('EdDSA', { claims: ['permissions'] })
  const permissions = (count: number): string[] => Array.from({ length: count }, (_, index) => `section-${index}:write`)
  assert.equal(codeOf(tokens.verify(tokens.issue({ ...subject, permissions: permissions(280) }).token)), 'holds')
  assert.throws(
    () => tokens.issue({ ...subject, permissions: permissions(400) }),
    (error) =>
      error instanceof Fault && /`user-1` has \d+ characters, and more than 8192 are never read/.test(error.message),
  )
})

test('A62: a refusal repeats nothing of the token but the name of a member, cut short', async () => {
  const desk = await openDesk('HS256')
  for (const { forge } of Object.values(kinds)) {
    for (const token of Object.values(forge(desk))) {
      const outcome = desk.tokens.verify(token)
      assert.ok('code' in outcome)
      assert.deepEqual(Object.keys(outcome).toSorted(), ['code', 'detail', 'reason'])
      assert.equal(outcome.detail, 'Invalid token')
      for (const piece of token.split('.').filter((text) => text.length > 8))
        assert.ok(!outcome.reason?.includes(piece))
    }
  }
})

function codeOf(outcome: object): string {
  return 'code' in outcome ? String(outcome.code) : 'holds'
}
