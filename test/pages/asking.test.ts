import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Html } from '../../src/endpoints/pages/html.ts'
import { pageOptions } from '../../src/endpoints/pages/options.ts'
import { type Page, prepareStationery } from '../../src/endpoints/pages/stationery.ts'
import { type Application, applicationList } from '../../src/endpoints/pages/views-applications.ts'
import {
  type Consent,
  consent,
  type DeviceConfirm,
  deviceCode,
  deviceConfirm,
  oauthProblem,
} from '../../src/endpoints/pages/views-consent.ts'
import { elementsOf } from './markup.ts'

const stationery = prepareStationery(pageOptions.parse({ name: 'Acme' }), '/auth')
const page = stationery.page('en')

const question: Consent = {
  action: '/auth/consent/int_1',
  client: { name: 'Claude', host: 'claude.example', verified: true },
  scopes: [{ name: 'widgets:read', text: 'See your widgets' }],
  resources: ['Tools (https://api.example.com/mcp)'],
  lifetimeMs: undefined,
  account: 'ada@example.com',
}

const device: DeviceConfirm = {
  action: '/auth/device',
  code: 'wdjb mjht',
  client: { name: 'Television', host: undefined, verified: true },
  scopes: question.scopes,
  device: { name: 'Firefox on Linux', address: '192.0.2.7', at: Date.UTC(2026, 2, 14, 9, 26) },
  account: 'ada@example.com',
}

/** All that a page says, without its markup. */
function read(markup: Html): string {
  const [whole] = elementsOf(`<p>${markup.toString().replaceAll('</dt>', '</dt> ')}</p>`)
  return (whole?.text ?? '').replace(/\s+/g, ' ')
}

const asked = (more: Partial<Consent>, sheet: Page = page): string => read(consent(sheet, { ...question, ...more }))

describe('who asks', () => {
  test('A29: the page says who asks, from which host, for what, where, for how long, and as whom', () => {
    const text = asked({ lifetimeMs: 30 * 86_400_000 })
    for (const said of [
      'Claude (claude.example) asks to act for you',
      'See your widgets widgets:read',
      'Tools (https://api.example.com/mcp)',
      'up to 30 days, also while you are away',
      'ada@example.com',
      'withdraw it on your account page',
    ])
      assert.ok(text.includes(said), `${said}: ${text}`)
    assert.ok(asked({}).includes('as long as you are signed in here'))
  })

  test('A29: a client that nobody checked is said to be one, before anything that it says itself', () => {
    const said = 'Nobody has checked who runs this application'
    assert.ok(!asked({}).includes(said))
    for (const host of ['claude.example', undefined]) {
      const text = asked({ client: { name: 'Your Bank', host, verified: false } })
      const [warned, named] = [text.indexOf(said), text.indexOf('asks to act for you')]
      assert.ok(warned > 0 && warned < named, text)
    }
    assert.ok(read(deviceConfirm(page, { ...device, client: { ...device.client, verified: false } })).includes(said))
  })

  test('A29: an application on this device is called one, and no host vouches for it', () => {
    const text = asked({ client: { name: 'Desk', host: undefined, verified: true } })
    assert.match(text, /Desk, an application on this device, asks to act for you/)
    assert.match(text, /only if you began it yourself, on this device/)
    assert.doesNotMatch(text, /undefined|\(\)/)
  })

  test('A29: where the answer goes to another host than the client’s, that is said too', () => {
    assert.ok(asked({ back: { host: 'elsewhere.example' } }).includes('Then back to elsewhere.example'))
    assert.ok(asked({ back: { host: undefined } }).includes('Then back to an application on this device'))
    assert.ok(!asked({}).includes('Then back to'))
  })

  test('A29: the two answers weigh the same, and neither is given without a press of its button', () => {
    for (const markup of [consent(page, question), deviceConfirm(page, device)]) {
      const elements = elementsOf(markup.toString())
      const buttons = elements.filter(({ attributes }) => attributes.get('name') === 'decision')
      assert.deepEqual(
        buttons.map(({ tag, attributes }) => [tag, attributes.get('class'), attributes.get('value')]),
        [
          ['button', 'button second', 'allow'],
          ['button', 'button second', 'deny'],
        ],
      )
      assert.ok(!elements.some(({ tag }) => tag === 'script'))
      assert.ok(!elements.some(({ attributes }) => attributes.has('checked') || attributes.has('autofocus')))
    }
  })

  test('somebody who wants another account signs out first, and comes back to the request and nowhere else', () => {
    const again = '/oauth/authorize?client_id=claude&scope=a%20b'
    const back = (path: string | undefined): string | undefined =>
      elementsOf(consent(page, { ...question, again: path }).toString())
        .find(({ attributes }) => attributes.get('name') === 'return_to')
        ?.attributes.get('value')
    assert.equal(back(again), again)
    for (const path of [
      undefined,
      '//evil.example',
      'https://evil.example/',
      '/\\evil.example',
      'javascript:alert(1)',
    ]) {
      assert.equal(back(path), undefined, path)
      assert.match(consent(page, { ...question, again: path }).toString(), /href="\/auth\/sign-out"/)
    }
  })

  test('A29: a name can neither turn the letters around it, nor break the line, nor be empty to the eye', () => {
    const named = (name: string): string => asked({ client: { name, host: 'evil.example', verified: false } })
    assert.match(named('Acme\u202e )elpmaxe.knab('), /Acme \)elpmaxe\.knab\( \(evil\.example\)/)
    assert.match(named('Ac\u200bme\u2066\n\n\tBank'), / Acme Bank \(evil\.example\) asks/)
    for (const name of ['', '\u200b', '\u2060\ufeff', '\u3164', ' \u202e '])
      assert.match(named(name), /An application without a name \(evil\.example\) asks/)
  })
})

describe('devices', () => {
  test('A28: the code is shown as the device shows it, however it was typed, and goes along as it was', () => {
    for (const code of ['WDJB-MJHT', 'wdjb mjht', 'WdJbMjHt', ' wdjb–mjht ']) {
      const markup = deviceConfirm(page, { ...device, code })
      assert.match(read(markup), / WDJB-MJHT /)
      const sent = elementsOf(markup.toString()).find(({ attributes }) => attributes.get('name') === 'user_code')
      assert.equal(sent?.attributes.get('value'), code)
    }
  })

  test('A28: whoever was sent a code learns whose device it is before they can answer (RFC 8628 §5.4)', () => {
    const text = read(deviceConfirm(page, device))
    const warned = text.indexOf('only if the device is in front of you')
    assert.ok(warned > 0 && warned < text.indexOf('WDJB-MJHT'), text)
    assert.match(text, /Asked from Firefox on Linux, 192\.0\.2\.7/)
    assert.match(text, /Asked at Mar 14, 2026, 9:26 AM UTC/)
    assert.doesNotMatch(text, /application on this device/, 'it is on another')
  })

  test('A28: a code in the address is typed in, and nothing sends it', () => {
    const elements = elementsOf(
      deviceCode(page, { action: '/auth/device', code: 'WDJB-MJHT', wrong: false }).toString(),
    )
    const typed = elements.find(({ attributes }) => attributes.get('name') === 'user_code')
    assert.deepEqual([typed?.attributes.get('value'), typed?.attributes.get('type')], ['WDJB-MJHT', 'text'])
    assert.ok(!elements.some(({ attributes }) => attributes.has('http-equiv')))
  })
})

describe('what cannot go back to a client', () => {
  test('A13: a request that cannot be answered is said to the person, and leads nowhere that it named', () => {
    const evil = 'https://evil.example/cb?code=1'
    for (const error of ['invalid_client', 'invalid_redirect_uri', 'invalid_request', '__proto__', evil, '']) {
      const markup = oauthProblem(page, { error, description: `redirect_uri ${evil} did not match` })
      const elements = elementsOf(markup.toString())
      for (const { attributes } of elements)
        for (const value of attributes.values()) assert.ok(!value.includes('evil.example'), value)
      assert.ok(!elements.some(({ tag }) => tag === 'a' || tag === 'form'))
      assert.match(read(markup), /Nothing was allowed\..*did not match/)
    }
  })

  test('A13: what a stranger wrote is bounded', () => {
    const long = 'x'.repeat(100_000)
    assert.ok(oauthProblem(page, { error: long, description: long }).toString().length < 3_000)
  })
})

describe('connected applications', () => {
  const one: Application = {
    handle: 'a handle',
    name: 'Claude',
    client: 'verified',
    hosts: ['claude.example', 'app.claude.example'],
    scopes: question.scopes,
    since: Date.UTC(2026, 2, 14, 9, 26),
    lastUsed: undefined,
    sessions: 0,
  }
  const shown = (more: Partial<Application>, mine = true): string =>
    applicationList(page, [{ ...one, ...more }], mine).toString()

  test('A29: each says who it is, what it may do, since when, and whether it is in use', () => {
    const text = read(applicationList(page, [{ ...one, lastUsed: one.since, sessions: 2 }], true))
    assert.match(
      text,
      /Claude claude\.example, app\.claude\.example See your widgets Allowed Mar 14, 2026.*, last used Mar 14, 2026.*, open sessions: 2/,
    )
    assert.doesNotMatch(shown({}), /last used/)
    assert.match(shown({ client: 'unverified' }), /Nobody has checked who runs this application/)
    assert.match(shown({ client: 'gone', hosts: [] }), /not known here any more/)
  })

  test('A29: withdrawing is a form of its own, told apart by ear, and not for somebody who acts as the person', () => {
    assert.match(shown({}), /action="\/auth\/account\/applications\/withdraw"/)
    assert.match(shown({}), /aria-label="Withdraw what Claude may do"/)
    assert.doesNotMatch(shown({}, false), /<form/)
    assert.match(applicationList(page, [], true).toString(), /You have allowed nothing so far\./)
  })
})
