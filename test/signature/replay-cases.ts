// A signature is good once, alike on every store.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { Replays } from '../../src/authn/replays.ts'
import { openSignatures, type SignatureScheme } from '../../src/authn/signature/scheme.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { testClock } from '../support/clock.ts'
import {
  changed,
  check,
  messageSignature,
  methodUriBody,
  nowSeconds,
  order,
  outcome,
  registry,
  schemesOf,
  secretOf,
  signedWith,
  signer,
  startMs,
  timestampPayload,
} from './signing.ts'

const secret = 'a secret of the billing service, 32 bytes'
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const billing = signer('billing', {
  secrets: [secretOf(secret)],
  publicKeys: [{ kid: 'billing-ec', key: ec.publicKey }],
})
const options = schemesOf({
  payload: { form: 'timestamp-payload' },
  elsewhere: { form: 'timestamp-payload' },
  uri: { form: 'method-uri-body' },
  message: { form: 'rfc9421' },
  nonced: { form: 'rfc9421', nonce: true },
})
const ecInput = { params: `;created=${nowSeconds};keyid="billing-ec"`, key: ec.privateKey }

export function replayCases(fresh: (context: TestContext) => Promise<string>): void {
  async function freshStore(context: TestContext): Promise<Store> {
    const store = await openStore(await fresh(context))
    context.after(() => store.close())
    return store
  }

  /** What one node makes of signatures: its own memory, the store of all. */
  function node({ db }: Store, clock: Clock): ReadonlyMap<string, SignatureScheme> {
    const replays = new Replays({ clock })
    return openSignatures({
      options,
      ...registry(billing),
      isFresh: (said, expiresAtMs) => replays.isFresh(db, said, expiresAtMs),
      clock,
    })
  }

  test('AK3: of 64 who send one signed request at the same moment, on two nodes, one is let in', async (context) => {
    const store = await freshStore(context)
    const clock = testClock(startMs)
    const nodes = [node(store, clock), node(store, clock)]
    for (const [name, sent] of [
      ['payload', timestampPayload(order, secret)],
      ['uri', methodUriBody(order, secret)],
      ['message', messageSignature(order, { key: secret })],
      ['nonced', messageSignature(order, { key: secret, params: `;created=${nowSeconds};keyid="billing";nonce="n1"` })],
    ] as const) {
      const outcomes = await Promise.all(
        Array.from({ length: 64 }, (_, index) => check(nodes[index % 2]?.get(name), sent)),
      )
      const letIn = outcomes.map(outcome).filter((one) => one === 'billing')
      assert.equal(letIn.length, 1, name)
      for (const one of nodes)
        assert.match(
          outcome(await check(one.get(name), sent)),
          /^signature-invalid: Invalid signature \(`billing` has used it before\)$/,
        )
    }
  })

  test('AK3: only what held is remembered: a forgery does not use up the signature that it imitates', async (context) => {
    const store = await freshStore(context)
    const schemes = node(store, testClock(startMs))
    const sent = methodUriBody(order, secret)
    assert.match(
      outcome(await check(schemes.get('uri'), { ...sent, body: Buffer.from('another') })),
      /^signature-invalid/,
    )
    assert.deepEqual(await store.db.selectFrom('replays').selectAll().execute(), [])
    assert.equal(outcome(await check(schemes.get('uri'), sent)), 'billing')
  })

  test('AK3: a signature that was used at one route is used at another with a form of the same kind', async (context) => {
    const schemes = node(await freshStore(context), testClock(startMs))
    const sent = timestampPayload(order, secret)
    assert.equal(outcome(await check(schemes.get('payload'), sent)), 'billing')
    assert.match(outcome(await check(schemes.get('elsewhere'), sent)), /used it before/)
  })

  test('AK3: a signature in another spelling is no other signature', async (context) => {
    const schemes = node(await freshStore(context), testClock(startMs))
    const hex = timestampPayload(order, secret)
    assert.equal(outcome(await check(schemes.get('payload'), hex)), 'billing')
    for (const respelled of [
      changed(hex, 'X-Signature', (value) => value.toUpperCase()),
      changed(hex, 'X-Signature', (value) => `0${value}`),
      changed(hex, 'X-Signature', (value) => `${value} `),
    ])
      assert.match(outcome(await check(schemes.get('payload'), respelled)), /^signature-invalid/)
    const base64 = methodUriBody(order, secret)
    assert.equal(outcome(await check(schemes.get('uri'), base64)), 'billing')
    for (const respelled of [
      changed(base64, 'X-Signature', (value) => value.replaceAll('+', '-').replaceAll('/', '_').replace('=', '')),
      changed(base64, 'X-Signature', (value) => value.replace(/.=$/, (end) => `${next(end[0] as string)}=`)),
      changed(base64, 'X-Signature', (value) => `${value}\n`),
      changed(base64, 'X-Timestamp', (value) => `+${value}`),
    ])
      assert.match(outcome(await check(schemes.get('uri'), respelled)), /^signature-invalid/)
    const labelled = messageSignature(order, { key: secret })
    assert.equal(outcome(await check(schemes.get('message'), labelled)), 'billing')
    const relabelled = changed(
      changed(labelled, 'Signature', (value) => value.replace('sig', 'another')),
      'Signature-Input',
      (value) => value.replace('sig', 'another').replace('" "', '"   "'),
    )
    assert.match(outcome(await check(schemes.get('message'), relabelled)), /used it before/)
  })

  test('AK3: the twin that every ECDSA signature has is no other signature', async (context) => {
    const schemes = node(await freshStore(context), testClock(startMs))
    const by = signedWith(ec.privateKey, 'sha256', { dsaEncoding: 'ieee-p1363' })
    const sent = messageSignature(order, { ...ecInput, by })
    assert.equal(outcome(await check(schemes.get('message'), sent)), 'billing')
    const twin = changed(sent, 'Signature', (value) => {
      const bytes = Buffer.from(value.slice(5, -1), 'base64')
      return `sig=:${Buffer.concat([bytes.subarray(0, 32), mirrored(bytes.subarray(32))]).toString('base64')}:`
    })
    assert.notDeepEqual(twin, sent)
    assert.match(outcome(await check(schemes.get('message'), twin)), /`billing` has used it before/)
  })

  test('AK3: a nonce is good once, whatever it is said over', async (context) => {
    const schemes = node(await freshStore(context), testClock(startMs))
    const params = (nonce: string) => `;created=${nowSeconds};keyid="billing";nonce="${nonce}"`
    const say = async (path: string, nonce: string) =>
      outcome(
        await check(
          schemes.get('nonced'),
          messageSignature({ ...order, path }, { key: secret, params: params(nonce) }),
        ),
      )
    assert.equal(await say('/one', 'first'), 'billing')
    assert.match(await say('/two', 'first'), /used it before/)
    assert.equal(await say('/one', 'second'), 'billing')
  })

  test('AK3: a signature is remembered for as long as any node could take it, and not much longer', async (context) => {
    const store = await freshStore(context)
    const clock = testClock(startMs)
    const sent = methodUriBody(order, secret, nowSeconds + 300) // made with a clock that is ahead
    assert.equal(outcome(await check(node(store, clock).get('uri'), sent)), 'billing')
    clock.advance(600_000) // as old as it may be
    await new Replays({ clock }).sweep(store.db)
    assert.match(outcome(await check(node(store, clock).get('uri'), sent)), /used it before/)
    clock.advance(60_001)
    await new Replays({ clock }).sweep(store.db)
    assert.deepEqual(await store.db.selectFrom('replays').selectAll().execute(), [])
    assert.match(outcome(await check(node(store, clock).get('uri'), sent)), /of another time/)
  })
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The next letter of base64: of the last before the padding, it changes bits that no byte has. */
function next(letter: string): string {
  return letters[letters.indexOf(letter) + 1] as string
}

/** n − s for the order n of P-256: with the same r, a signature of the same text. */
function mirrored(s: Buffer): Buffer {
  const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  return Buffer.from((n - BigInt(`0x${s.toString('hex')}`)).toString(16).padStart(64, '0'), 'hex')
}
