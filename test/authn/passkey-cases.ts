// What passkeys have to do alike on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { Passkeys, type Verification } from '../../src/authn/factor/passkeys.ts'
import { type FreshStore, junkTexts, type Scene, sceneOf } from './factor-people.ts'
import { type Assertion, type Attestation, Authenticator, type Cbor, cbor } from './passkey-authenticator.ts'

const site = { origin: 'https://gate.example.com', rpId: 'gate.example.com' }
const people = {
  ada: { id: 'ada', email: 'ada@example.com', name: 'Ada' },
  bob: { id: 'bob', email: 'bob@example.com', name: 'Bob' },
}

interface PasskeyScene extends Scene {
  readonly passkeys: Passkeys
  /** The challenge of a registration under way. */
  challenge(userId?: 'ada' | 'bob'): Promise<string>
  register(
    authenticator: Authenticator,
    ceremony?: Partial<Attestation>,
    userId?: 'ada' | 'bob',
  ): ReturnType<Passkeys['register']>
  enrol(userId?: 'ada' | 'bob', ceremony?: Partial<Attestation>): Promise<Authenticator>
  /** Signs in with a passkey alone, or with `as` as a second factor of somebody. */
  signIn(authenticator: Authenticator, ceremony?: Partial<Assertion>, as?: 'ada' | 'bob'): Promise<Verification>
}

async function scene(context: TestContext, fresh: FreshStore): Promise<PasskeyScene> {
  const parts = await sceneOf(context, fresh)
  const { db } = parts.store
  const passkeys = new Passkeys({ ...parts, rpId: site.rpId, rpName: 'Gate', origins: [site.origin] })
  const challenge: PasskeyScene['challenge'] = async (userId = 'ada') =>
    (await passkeys.registrationOptions(db, people[userId])).challenge
  const register: PasskeyScene['register'] = async (authenticator, ceremony = {}, userId = 'ada') => {
    const asked = await challenge(userId)
    return passkeys.register(db, userId, authenticator.create({ challenge: asked, ...ceremony }), asked, 'Phone')
  }
  return {
    ...parts,
    passkeys,
    challenge,
    register,
    async enrol(userId = 'ada', ceremony = {}) {
      const authenticator = new Authenticator(userId, site)
      const registered = await register(authenticator, ceremony, userId)
      assert('passkey' in registered, JSON.stringify(registered))
      return authenticator
    },
    async signIn(authenticator, ceremony = {}, as) {
      const { challenge: asked } = await passkeys.signInOptions(db, as)
      const response = authenticator.get({ challenge: asked, ...ceremony })
      const named = as === undefined ? {} : { userId: as }
      return passkeys.verify(db, response, asked, { ...named, userVerification: as === undefined })
    },
  }
}

export function passkeyCases(fresh: FreshStore): void {
  test('ID7: a passkey signs in alone, and is a second factor', async (context) => {
    const { store, clock, passkeys, enrol, signIn } = await scene(context, fresh)
    const phone = await enrol('ada', { backedUp: true })
    const listed = { id: phone.id, name: 'Phone', backedUp: true, createdAt: clock.now() }
    assert.deepEqual(await passkeys.list(store.db, 'ada'), [{ ...listed, lastUsedAt: undefined }])
    clock.advance(1000)
    const verified = { userId: 'ada', passkeyId: phone.id, userVerified: true }
    assert.deepEqual(await signIn(phone, { backedUp: true }), verified)
    assert.deepEqual(await signIn(phone, { backedUp: true }, 'ada'), verified)
    assert.deepEqual(await passkeys.list(store.db, 'ada'), [{ ...listed, lastUsedAt: clock.now() }])
  })

  test('A46: a challenge has 256 bits and is another each time', async (context) => {
    const { store, passkeys, challenge } = await scene(context, fresh)
    const made = [await challenge(), await challenge()]
    for (const userId of [undefined, 'ada']) made.push((await passkeys.signInOptions(store.db, userId)).challenge)
    for (const text of made) assert.equal(Buffer.from(text, 'base64url').length, 32)
    assert.equal(new Set(made).size, made.length)
  })

  for (const [what, ceremony] of Object.entries(dishonest)) {
    test(`A46: a registration with ${what} is refused`, async (context) => {
      const { store, passkeys, register } = await scene(context, fresh)
      const outcome = await register(new Authenticator('ada', site), ceremony)
      assert('problem' in outcome)
      assert.match(outcome.problem, /^[\x20-\x7e’]{1,300}$/)
      assert.equal(await passkeys.count(store.db, 'ada'), 0)
    })

    test(`A46: a sign-in with ${what} is refused, as the only factor and as the second`, async (context) => {
      const { enrol, signIn } = await scene(context, fresh)
      const phone = await enrol()
      for (const as of [undefined, 'ada'] as const) {
        const outcome = await signIn(phone, ceremony, as)
        assert('problem' in outcome)
        assert.match(outcome.problem, /^[\x20-\x7e’]{1,300}$/)
      }
      assert('userId' in (await signIn(phone)))
    })
  }

  test('A46: a passkey that did not verify its user is no only factor, and a second one', async (context) => {
    const { enrol, signIn } = await scene(context, fresh)
    const key = await enrol('ada', { userVerified: false })
    assert('problem' in (await signIn(key, { userVerified: false })))
    const second = await signIn(key, { userVerified: false }, 'ada')
    assert.deepEqual(second, { userId: 'ada', passkeyId: key.id, userVerified: false })
  })

  test('A46: nobody signs in with another’s passkey', async (context) => {
    const { enrol, signIn } = await scene(context, fresh)
    const phone = await enrol('ada')
    await enrol('bob')
    assert('problem' in (await signIn(phone, {}, 'bob')))
    assert('problem' in (await signIn(new Authenticator('ada', site))))
    assert('problem' in (await signIn(new Authenticator('ada', site, Buffer.from(phone.id, 'base64url')))))
    assert('userId' in (await signIn(phone, {}, 'ada')))
  })

  test('A46: the user handle is the owner’s, and is not left out where nobody was named', async (context) => {
    const { enrol, signIn } = await scene(context, fresh)
    const phone = await enrol('ada')
    for (const userHandle of [Buffer.from('bob').toString('base64url'), 'YWRh_', 'A', '\0'])
      for (const as of [undefined, 'ada'] as const) assert('problem' in (await signIn(phone, { userHandle }, as)))
    for (const userHandle of [null, '']) {
      assert('problem' in (await signIn(phone, { userHandle })))
      assert('userId' in (await signIn(phone, { userHandle }, 'ada')))
    }
  })

  test('A46: whatever was signed cannot be changed', async (context) => {
    const { store, passkeys, enrol } = await scene(context, fresh)
    const phone = await enrol()
    const { challenge } = await passkeys.signInOptions(store.db, undefined)
    const honest = phone.get({ challenge, userVerified: false })
    const other = phone.get({ challenge: 'another', userVerified: true })
    const verify = (response: unknown): Promise<Verification> =>
      passkeys.verify(store.db, response, challenge, { userVerification: false })
    for (const change of [
      { signature: other.response.signature },
      { authenticatorData: other.response.authenticatorData },
      { clientDataJSON: phone.get({ challenge, clientData: { more: 1 } }).response.clientDataJSON },
      { signature: 'AAAA' },
    ])
      assert('problem' in (await verify({ ...honest, response: { ...honest.response, ...change } })))
    assert('userId' in (await verify(honest)))
  })

  test('A46: a sign count that does not grow is refused and told, once the signature is known to be good', async (context) => {
    const { store, enrol, signIn, passkeys } = await scene(context, fresh)
    const key = await enrol('ada', { signCount: 5 })
    assert('userId' in (await signIn(key, { signCount: 6 })))
    const signCountRegressed = { userId: 'ada', passkeyId: key.id }
    for (const signCount of [6, 5, 1, 0]) {
      const copied = await signIn(key, { signCount })
      assert('signCountRegressed' in copied && 'problem' in copied)
      assert.deepEqual(copied.signCountRegressed, signCountRegressed)
    }
    const forged = await signIn(new Authenticator('ada', site, Buffer.from(key.id, 'base64url')), { signCount: 2 })
    assert('problem' in forged && !('signCountRegressed' in forged))
    assert('userId' in (await signIn(key, { signCount: 7 })))
    assert('userId' in (await signIn(key, { signCount: 2 ** 32 - 1 }))) // a column of 32 bits would not hold it
    assert.equal(await passkeys.count(store.db, 'ada'), 1)
  })

  test('A46: of copies of one answer that counts, one is taken', async (context) => {
    const { store, enrol, passkeys } = await scene(context, fresh)
    const key = await enrol('ada', { signCount: 5 })
    const { challenge } = await passkeys.signInOptions(store.db, undefined)
    const answer = key.get({ challenge, signCount: 6 })
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => passkeys.verify(store.db, answer, challenge, { userVerification: true })),
    )
    assert.equal(outcomes.filter((outcome) => 'userId' in outcome).length, 1)
    assert.equal(outcomes.filter((outcome) => 'signCountRegressed' in outcome).length, 7)
  })

  test('A46: whoever comes is offered nothing that tells of anybody', async (context) => {
    const { store, passkeys, enrol } = await scene(context, fresh)
    const before = await passkeys.signInOptions(store.db, undefined)
    await enrol()
    const { options } = await passkeys.signInOptions(store.db, undefined)
    assert.deepEqual({ ...options, challenge: '' }, { ...before.options, challenge: '' })
    assert.deepEqual(options.allowCredentials, [])
    assert.equal(options.userVerification, 'required')
    const unknown = await passkeys.signInOptions(store.db, 'nobody')
    const without = await passkeys.signInOptions(store.db, 'bob')
    assert.deepEqual({ ...unknown.options, challenge: '' }, { ...without.options, challenge: '' })
  })

  test('ID7: the options name the person’s own passkeys, and ask for what a passkey is', async (context) => {
    const { store, passkeys, enrol } = await scene(context, fresh)
    const phone = await enrol('ada', { transports: ['usb', 'hybrid', 'usb', 'carrier-pigeon'] })
    await enrol('bob')
    const own = [{ id: phone.id, transports: ['hybrid', 'usb'], type: 'public-key' }]
    const { options } = await passkeys.registrationOptions(store.db, people.ada)
    assert.deepEqual(options.excludeCredentials, own)
    assert.deepEqual(options.rp, { id: site.rpId, name: 'Gate' })
    assert.deepEqual(options.user, { id: 'YWRh', name: 'ada@example.com', displayName: 'Ada' })
    assert.equal(options.attestation, 'none')
    assert.equal(options.authenticatorSelection?.residentKey, 'preferred')
    assert.deepEqual(
      options.pubKeyCredParams.map(({ alg }) => alg),
      [-8, -7, -257],
    )
    assert.deepEqual((await passkeys.signInOptions(store.db, 'ada')).options.allowCredentials, own)
  })

  test('A46: an attestation with certificates is refused before anybody follows where they lead', async (context) => {
    const { register } = await scene(context, fresh)
    const statement = new Map<string, Cbor>([
      ['alg', -7],
      ['sig', Buffer.alloc(70)],
      ['x5c', [Buffer.from('certificate')]],
    ])
    for (const format of ['packed', 'fido-u2f', 'tpm', 'apple', 'android-key', 'android-safetynet', 'odd'])
      assert.deepEqual(await register(new Authenticator('ada', site), { format, statement }), {
        problem: 'expected no attestation, got certificates',
      })
  })

  test('A46: a credential belongs to one person, and is enrolled once', async (context) => {
    const { store, passkeys, register, enrol, signIn } = await scene(context, fresh)
    const phone = await enrol('ada')
    const thief = new Authenticator('bob', site, Buffer.from(phone.id, 'base64url'))
    assert('problem' in (await register(phone)))
    assert('problem' in (await register(thief, {}, 'bob')))
    assert.equal(await passkeys.count(store.db, 'bob'), 0)
    assert('userId' in (await signIn(phone)))
  })

  test('A46: the credential that is enrolled is the one that the authenticator speaks of', async (context) => {
    const { store, passkeys, challenge } = await scene(context, fresh)
    const asked = await challenge()
    const honest = new Authenticator('ada', site).create({ challenge: asked })
    const { id } = new Authenticator('ada', site)
    const swapped = await passkeys.register(store.db, 'ada', { ...honest, id, rawId: id }, asked, 'Phone')
    assert('problem' in swapped)
    const halfSwapped = await passkeys.register(store.db, 'ada', { ...honest, id }, asked, 'Phone')
    assert('problem' in halfSwapped)
  })

  test('ID7: a person has twenty passkeys at most, also when many are enrolled at the same moment', async (context) => {
    const { store, passkeys, register, enrol } = await scene(context, fresh)
    for (let count = 0; count < 17; count++) await enrol()
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => register(new Authenticator('ada', site))))
    assert.equal(outcomes.filter((outcome) => 'passkey' in outcome).length, 3)
    assert.equal(await passkeys.count(store.db, 'ada'), 20)
    await enrol('bob')
  })

  test('ID7: a passkey that was removed signs in no more; another’s cannot be removed', async (context) => {
    const { store, passkeys, enrol, signIn } = await scene(context, fresh)
    const phone = await enrol('ada')
    assert.equal(await passkeys.remove(store.db, 'bob', phone.id), false)
    for (const junk of junkTexts) assert.equal(await passkeys.remove(store.db, 'ada', junk), false)
    assert.equal(await passkeys.remove(store.db, 'ada', phone.id), true)
    assert.equal(await passkeys.remove(store.db, 'ada', phone.id), false)
    assert('problem' in (await signIn(phone)))
    assert.deepEqual(await passkeys.list(store.db, 'ada'), [])
  })

  test('ID7: whatever a passkey is named, the name is one line that can be shown', async (context) => {
    const { store, passkeys, challenge } = await scene(context, fresh)
    for (const name of [...junkTexts, 'a\nb', '💡'.repeat(200)]) {
      const asked = await challenge()
      const response = new Authenticator('ada', site).create({ challenge: asked })
      const registered = await passkeys.register(store.db, 'ada', response, asked, name)
      assert('passkey' in registered)
      assert.match(registered.passkey.name, /^[^\p{Cc}\p{Cs}]{1,64}$/u)
    }
    assert.equal((await passkeys.list(store.db, 'ada')).length, junkTexts.length + 2)
  })

  test('A46: junk of any shape is a problem, never an exception', async (context) => {
    const { store, passkeys, challenge, enrol } = await scene(context, fresh)
    const asked = await challenge()
    const phone = await enrol()
    const registration = new Authenticator('ada', site).create({ challenge: asked })
    const assertion = phone.get({ challenge: asked })
    const refused = async (response: unknown): Promise<void> => {
      const registered = await passkeys.register(store.db, 'ada', response, asked, 'Phone')
      const verified = await passkeys.verify(store.db, response, asked, { userVerification: false })
      assert('problem' in registered && 'problem' in verified, JSON.stringify(response)?.slice(0, 200))
      assert.doesNotMatch(registered.problem + verified.problem, /\p{Cc}|\p{Cs}/u)
    }
    for (const response of [undefined, null, 0, [], {}, ...junkTexts, { response: null }]) await refused(response)
    const deep = Buffer.concat([Buffer.alloc(12_000, 0x81), Buffer.from([0])]).toString('base64url')
    const pieces = [
      ...junkTexts,
      ...[null, 7, [], {}, true],
      deep,
      ...['null', '7', '"x"', '{', '[]', '{"type":"webauthn.get"}'].map((text) =>
        Buffer.from(text).toString('base64url'),
      ),
      cbor(new Map([['fmt', 'none']])).toString('base64url'),
      cbor(new Map([['fmt', 'packed']])).toString('base64url'),
      cbor('x'.repeat(40)).toString('base64url'),
    ]
    for (const piece of pieces) {
      for (const name of ['id', 'rawId', 'type', 'response']) {
        await refused({ ...registration, [name]: piece })
        await refused({ ...assertion, [name]: piece })
      }
      for (const name of ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature'])
        for (const honest of [registration, assertion])
          if (name in honest.response) await refused({ ...honest, response: { ...honest.response, [name]: piece } })
    }
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 37, maxLength: 300 }), async (noise) => {
        const text = Buffer.from(noise).toString('base64url')
        await refused({ ...registration, response: { ...registration.response, attestationObject: text } })
        await refused({ ...assertion, response: { ...assertion.response, authenticatorData: text } })
        await refused({ ...assertion, response: { ...assertion.response, signature: text } })
      }),
      { numRuns: 50 },
    )
  })
}

/** Ceremonies that must not count, whichever they are. */
const dishonest: Readonly<Record<string, Partial<Attestation & Assertion>>> = {
  'another origin': { origin: 'https://evil.example.com' },
  'the origin of a subdomain': { origin: 'https://sub.gate.example.com' },
  'the origin without TLS': { origin: 'http://gate.example.com' },
  'the origin on another port': { origin: 'https://gate.example.com:8443' },
  'the rpId of the parent domain': { rpId: 'example.com' },
  'the rpId of another site': { rpId: 'evil.example.com' },
  'a foreign challenge': { challenge: Buffer.alloc(32, 7).toString('base64url') },
  'no challenge': { challenge: '' },
  'a challenge that is hard to print': { challenge: '\0\ud800'.repeat(400) },
  'the type of something else': { type: 'payment.get' },
  'nobody present': { userPresent: false },
  'a frame of another site': { clientData: { crossOrigin: true } },
  'a frame that says where': { clientData: { topOrigin: 'https://evil.example.com' } },
}
