import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { calculateJwkThumbprint } from 'jose'
import { signatures } from '../../src/keys/signatures.ts'
import type { SigningAlgorithm, SigningKey } from '../../src/keys/signing-key.ts'

function keyOf(algorithm: SigningAlgorithm, privateKey: KeyObject, publicKey: KeyObject): SigningKey {
  return { kid: 'vector', algorithm, privateKey, publicKey }
}

function pair(algorithm: SigningAlgorithm, jwk: JsonWebKey): SigningKey {
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' })
  return keyOf(algorithm, privateKey, createPublicKey(privateKey))
}

const payload = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ'
const secret = createSecretKey(
  'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
  'base64url',
)

/** Printed examples. Those whose signatures are deterministic must come out of our signing as well. */
const vectors: Readonly<
  Record<
    string,
    { readonly key: SigningKey; readonly signed: string; readonly signature: string; readonly fixed: boolean }
  >
> = {
  'RFC 7515 A.1 (HS256)': {
    key: keyOf('HS256', secret, secret),
    signed: `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${payload}`,
    signature: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
    fixed: true,
  },
  'RFC 7515 A.2 (RS256)': {
    key: keyOf(
      'RS256',
      secret,
      createPublicKey({
        key: {
          kty: 'RSA',
          n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
          e: 'AQAB',
        },
        format: 'jwk',
      }),
    ),
    signed: `eyJhbGciOiJSUzI1NiJ9.${payload}`,
    signature:
      'cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw',
    fixed: false,
  },
  'RFC 7515 A.3 (ES256)': {
    key: pair('ES256', {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
    }),
    signed: `eyJhbGciOiJFUzI1NiJ9.${payload}`,
    signature: 'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
    fixed: false,
  },
  'RFC 8037 A.4 (EdDSA)': {
    key: pair('EdDSA', {
      kty: 'OKP',
      crv: 'Ed25519',
      d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
      x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    }),
    signed: 'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc',
    signature: 'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
    fixed: true,
  },
}

for (const [name, { key, signed, signature, fixed }] of Object.entries(vectors)) {
  test(`TK1: ${name} holds, and no other text or signature does`, () => {
    const { sign, verify } = signatures[key.algorithm]
    const bytes = Buffer.from(signature, 'base64url')
    assert.equal(verify(key, signed, bytes), true)
    assert.equal(verify(key, `${signed}A`, bytes), false)
    const changed = Buffer.from(bytes)
    changed[7] = (changed[7] ?? 0) ^ 1
    assert.equal(verify(key, signed, changed), false)
    for (const length of [0, 1, 31, 32, 63, 64, 65, 255, 256, 512]) {
      assert.equal(verify(key, signed, Buffer.alloc(length)), false, `${length} zero bytes`)
      if (length !== bytes.length)
        assert.equal(verify(key, signed, Buffer.concat([bytes], length)), false, `cut or filled to ${length}`)
    }
    if (fixed) assert.equal(sign(key, signed).toString('base64url'), signature)
  })
}

test('a key is named by its thumbprint as RFC 7638 §3.1 and RFC 8037 A.3 print it', async () => {
  const rsa = {
    kty: 'RSA',
    n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
    e: 'AQAB',
    alg: 'RS256',
    kid: '2011-04-29',
  }
  assert.equal(await calculateJwkThumbprint(rsa), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
  const ed25519 = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
  assert.equal(await calculateJwkThumbprint(ed25519), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
})
