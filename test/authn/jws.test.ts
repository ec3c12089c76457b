// Published tokens, read and checked by our own parts. The signatures alone are in test/keys/signatures.test.ts.
import assert from 'node:assert/strict'
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { fits, type ReadJws, readJws, writeJws } from '../../src/authn/token/jws.ts'
import type { SigningAlgorithm, SigningKey } from '../../src/keys/signing-key.ts'

const joe = { iss: 'joe', exp: 1_300_819_380, 'http://example.com/is_root': true }
const joesPayload = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ'

function keyOf(algorithm: SigningAlgorithm, publicKey: KeyObject): SigningKey {
  return { kid: 'vector', algorithm, privateKey: publicKey, publicKey }
}

const hmac = keyOf(
  'HS256',
  createSecretKey(
    'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
    'base64url',
  ),
)
const rsa = keyOf(
  'RS256',
  createPublicKey({
    key: {
      kty: 'RSA',
      n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
      e: 'AQAB',
    },
    format: 'jwk',
  }),
)
const ecdsa = keyOf(
  'ES256',
  createPublicKey({
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    },
    format: 'jwk',
  }),
)

/** Whole tokens of RFC 7515 appendix A, which RFC 7519 §3.1 and §6.1 print again. */
const vectors: Readonly<
  Record<string, { readonly token: string; readonly header: object; readonly key?: SigningKey }>
> = {
  'RFC 7515 A.1, RFC 7519 §3.1 (HS256)': {
    token: `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${joesPayload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`,
    header: { typ: 'JWT', alg: 'HS256' },
    key: hmac,
  },
  'RFC 7515 A.2 (RS256)': {
    token: `eyJhbGciOiJSUzI1NiJ9.${joesPayload}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw`,
    header: { alg: 'RS256' },
    key: rsa,
  },
  'RFC 7515 A.3 (ES256)': {
    token: `eyJhbGciOiJFUzI1NiJ9.${joesPayload}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q`,
    header: { alg: 'ES256' },
    key: ecdsa,
  },
  'RFC 7515 A.5, RFC 7519 §6.1 (unsecured)': {
    token: `eyJhbGciOiJub25lIn0.${joesPayload}.`,
    header: { alg: 'none' },
  },
}

for (const [name, { token, header, key }] of Object.entries(vectors)) {
  test(`TK1 A1: ${name} is read as it is printed, and fits ${key === undefined ? 'no key at all' : 'its own key and no other'}`, () => {
    const jws = read(token)
    assert.deepEqual({ ...jws.header }, header)
    assert.deepEqual({ ...jws.claims }, joe)
    for (const other of [hmac, rsa, ecdsa]) assert.equal(fits(other, jws), other === key, other.algorithm)
  })
}

test('TK1: RFC 7515 A.4 and A.6 are none of ours: a curve that we do not use, and the JSON serialization', () => {
  const general = { payload: joesPayload, signatures: [{ protected: 'eyJhbGciOiJSUzI1NiJ9', signature: 'cC4h' }] }
  assert.deepEqual(readJws(JSON.stringify(general)), { fault: 'not three parts' })
  // A.4 signs the text `Payload`, which is not JSON, by ES512.
  assert.ok('fault' in readJws('eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwM'))
})

test('TK6: what is signed is the text that came, whatever it was read as', () => {
  const token = writeJws(hmac, 'at+jwt', joe)
  const jws = read(token)
  assert.equal(jws.signedText, token.slice(0, token.lastIndexOf('.')))
  assert.ok(fits(hmac, jws))
  assert.ok(!fits(hmac, { ...jws, signedText: `${jws.signedText} ` }))
})

function read(token: string): ReadJws {
  const outcome = readJws(token)
  assert.ok(!('fault' in outcome), JSON.stringify(outcome))
  return outcome
}
