// What codes of an authenticator app have to do alike on every store.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { type NewTotp, Totp } from '../../src/authn/factor/totp.ts'
import { rootKey } from '../../src/keys/root.ts'
import { type FreshStore, junkTexts, type Scene, sceneOf, truths } from './factor-people.ts'

const step = 30_000
const start = Date.UTC(2026, 0, 1)

export function totpCases(fresh: FreshStore): void {
  interface TotpScene extends Scene {
    readonly totp: Totp
    /** The code of an app with this secret, so many steps from now. */
    codeOf(secret: string, steps?: number): string
    begin(userId?: string): Promise<NewTotp>
    /** Enrols, and lets the code that did it pass by. */
    enrol(userId?: string): Promise<string>
  }

  async function scene(context: TestContext, seed?: Uint8Array, startMs = start): Promise<TotpScene> {
    const parts = await sceneOf(context, fresh, startMs)
    const { store, clock } = parts
    const random = {
      bytes: (count: number) => (count === 20 && seed !== undefined ? seed : parts.random.bytes(count)),
    }
    const totp = new Totp({ ...parts, random, issuerName: 'Gate: house & Söhne' })
    const codeOf = (secret: string, steps = 0): string => appCode(secret, clock.now() + steps * step)
    async function begin(userId = 'ada'): Promise<NewTotp> {
      const begun = await totp.begin(store.db, userId, `${userId}@example.com`)
      assert(begun !== 'enrolled-already')
      return begun
    }
    return {
      ...parts,
      totp,
      codeOf,
      begin,
      async enrol(userId = 'ada') {
        const { secret } = await begin(userId)
        assert.equal(await totp.confirm(store.db, userId, codeOf(secret)), true)
        clock.advance(2 * step)
        return secret
      },
    }
  }

  for (const [seconds, eightDigits] of vectors) {
    test(`ID7: at ${seconds} s the code is that of RFC 6238, appendix B`, async (context) => {
      const { store, totp, begin } = await scene(context, Buffer.from('12345678901234567890'), seconds * 1000)
      const { secret } = await begin()
      assert.equal(secret, 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
      const code = eightDigits.slice(-6)
      const wrong = code.replace(/.$/, (digit) => String((Number(digit) + 1) % 10))
      assert.equal(await totp.confirm(store.db, 'ada', wrong), false)
      assert.equal(await totp.confirm(store.db, 'ada', code), true)
    })
  }

  test('A43: a code is accepted once, by two callers at the same moment too', async (context) => {
    const { store, totp, codeOf, enrol } = await scene(context)
    const secret = await enrol()
    const code = codeOf(secret)
    assert.equal(await truths(Array.from({ length: 8 }, () => totp.verify(store.db, 'ada', code))), 1)
    assert.equal(await totp.verify(store.db, 'ada', code), false)
  })

  test('A43: the code that enrolled the app does not sign in, and of two that enrol it one does', async (context) => {
    const { store, totp, codeOf, begin } = await scene(context)
    const code = codeOf((await begin()).secret)
    assert.equal(await truths(Array.from({ length: 8 }, () => totp.confirm(store.db, 'ada', code))), 1)
    assert.equal(await totp.verify(store.db, 'ada', code), false)
  })

  test('A43: one step early and one step late is good, two are not', async (context) => {
    const { store, clock, totp, codeOf, enrol } = await scene(context)
    const secret = await enrol()
    for (const [steps, good] of [
      [-2, false],
      [-1, true],
      [2, false],
      [1, true],
    ] as const) {
      assert.equal(await totp.verify(store.db, 'ada', codeOf(secret, steps)), good, `${steps} steps`)
    }
    clock.advance(3 * step)
    const code = codeOf(secret)
    clock.advance(2 * step - 1) // the start stands on a step, so this is the last moment of the next one
    assert.equal(await totp.verify(store.db, 'ada', code), true)
    const next = codeOf(secret)
    assert.equal(await totp.verify(store.db, 'ada', next), true)
    const late = codeOf(secret, 1)
    clock.advance(2 * step + 1)
    assert.equal(await totp.verify(store.db, 'ada', late), false)
  })

  test('A43: after a later code an earlier one is spent too', async (context) => {
    const { store, totp, codeOf, enrol } = await scene(context)
    const secret = await enrol()
    assert.equal(await totp.verify(store.db, 'ada', codeOf(secret, 1)), true)
    for (const steps of [-1, 0, 1]) assert.equal(await totp.verify(store.db, 'ada', codeOf(secret, steps)), false)
  })

  test('A43: the seed lies sealed, for its owner’s row alone and under this root alone', async (context) => {
    const { store, clock, random, totp, codeOf, enrol } = await scene(context)
    const secret = await enrol()
    await enrol('bob')
    const rows = await store.db.selectFrom('totp').selectAll().execute()
    const stored = JSON.stringify(rows)
    const seed = fromBase32(secret)
    for (const form of [secret, seed.toString('hex'), seed.toString('base64url'), seed.toString('base64')])
      assert(!stored.includes(form))
    const ada = rows.find(({ user_id }) => user_id === 'ada')
    await store.db
      .updateTable('totp')
      .set({ sealed: ada?.sealed ?? '' })
      .where('user_id', '=', 'bob')
      .execute()
    await assert.rejects(totp.verify(store.db, 'bob', codeOf(secret)), { name: 'Fault', code: 'internal' })
    const other = new Totp({
      clock,
      random,
      root: rootKey('another root secret, as long as the first'),
      issuerName: 'x',
    })
    await assert.rejects(other.verify(store.db, 'ada', codeOf(secret)), { name: 'Fault', code: 'internal' })
    assert.equal(await totp.verify(store.db, 'ada', codeOf(secret)), true)
  })

  test('ID7: digits may come in groups, and in no other dress; junk is a no', async (context) => {
    const { store, clock, totp, codeOf, enrol } = await scene(context)
    const secret = await enrol()
    const code = codeOf(secret)
    const wide = code.replaceAll(/./g, (digit) => String.fromCodePoint(0xff10 + Number(digit)))
    for (const junk of [
      ...junkTexts,
      wide,
      `+${code}`,
      `0${code}`,
      `${code}0`,
      code.slice(1),
      `${code}\0`,
      `${code}.0`,
    ])
      assert.equal(await totp.verify(store.db, 'ada', junk), false, JSON.stringify(junk).slice(0, 40))
    assert.equal(await totp.verify(store.db, 'ada', ` ${code.slice(0, 3)} ${code.slice(3)}\n`), true)
    clock.advance(step)
    assert.equal(await totp.verify(store.db, 'bob', codeOf(secret)), false)
    assert.equal(await totp.verify(store.db, 'nobody', codeOf(secret)), false)
  })

  test('ID7: before its first code an app counts for nothing, and its seed may be made anew', async (context) => {
    const { store, totp, codeOf, begin } = await scene(context)
    const first = await begin()
    assert.equal(await totp.isEnrolled(store.db, 'ada'), false)
    assert.equal(await totp.verify(store.db, 'ada', codeOf(first.secret)), false)
    const second = await begin()
    assert.notEqual(first.secret, second.secret)
    assert.equal(await totp.confirm(store.db, 'ada', codeOf(first.secret)), false)
    assert.equal(await totp.confirm(store.db, 'ada', codeOf(second.secret)), true)
    assert.equal(await totp.isEnrolled(store.db, 'ada'), true)
  })

  test('ID7: an app that is enrolled is not replaced; removed, its codes are void and another can be enrolled', async (context) => {
    const { store, clock, totp, codeOf, enrol } = await scene(context)
    const secret = await enrol()
    assert.equal(await totp.begin(store.db, 'ada', 'ada@example.com'), 'enrolled-already')
    assert.equal(await totp.verify(store.db, 'ada', codeOf(secret)), true)
    clock.advance(step)
    assert.equal(await totp.remove(store.db, 'ada'), true)
    assert.equal(await totp.remove(store.db, 'ada'), false)
    assert.equal(await totp.isEnrolled(store.db, 'ada'), false)
    assert.equal(await totp.verify(store.db, 'ada', codeOf(secret)), false)
    const anew = await enrol()
    assert.equal(await totp.verify(store.db, 'ada', codeOf(secret)), false)
    assert.equal(await totp.verify(store.db, 'ada', codeOf(anew)), true)
  })

  test('ID7: the address says what every app reads, and the picture is one SVG without script or reference', async (context) => {
    const { store, totp, begin } = await scene(context)
    const { secret, uri, qrSvg } = await begin()
    assert.match(secret, /^[A-Z2-7]{32}$/) // 160 bits
    const url = new URL(uri)
    assert.equal(url.protocol, 'otpauth:')
    assert.equal(url.host, 'totp')
    assert.equal(decodeURIComponent(url.pathname), '/Gate  house & Söhne:ada@example.com')
    assert.deepEqual(Object.fromEntries(url.searchParams), {
      secret,
      issuer: 'Gate  house & Söhne',
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    })
    assert.match(
      qrSvg,
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="[\d ]+">(<(rect|path) [^<>]*\/>)+<\/svg>$/,
    )
    assert.doesNotMatch(qrSvg, /script|href|url\(|on\w+=|style/i)
    for (const name of ['<script>', '\ud800', '€'.repeat(10_000), 'a:b', ''])
      assert.notEqual(await totp.begin(store.db, 'bob', name), 'enrolled-already')
  })
}

/** RFC 6238, appendix B, the rows of SHA-1. */
const vectors = [
  [59, '94287082'],
  [1111111109, '07081804'],
  [1111111111, '14050471'],
  [1234567890, '89005924'],
  [2000000000, '69279037'],
  [20000000000, '65353130'],
] as const

/** An authenticator app, written apart from the house's own. */
function appCode(secret: string, timeMs: number): string {
  const counter = Math.floor(timeMs / step)
    .toString(16)
    .padStart(16, '0')
  const mac = createHmac('sha1', fromBase32(secret)).update(Buffer.from(counter, 'hex')).digest('hex')
  const offset = Number.parseInt(mac.slice(-1), 16) * 2
  const number = Number.parseInt(mac.slice(offset, offset + 8), 16) % 2 ** 31
  return String(number % 1e6).padStart(6, '0')
}

function fromBase32(text: string): Buffer {
  const bits = [...text].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  )
  return Buffer.from(
    bits
      .join('')
      .match(/.{8}/g)
      ?.map((byte) => Number.parseInt(byte, 2)) ?? [],
  )
}
