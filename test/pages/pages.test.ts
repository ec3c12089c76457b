import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { Script } from 'node:vm'
import fc from 'fast-check'
import { passwordOptions } from '../../src/authn/password/options.ts'
import { openPasswords } from '../../src/authn/password/passwords.ts'
import { worded } from '../../src/endpoints/pages/form.ts'
import { html } from '../../src/endpoints/pages/html.ts'
import { pageOptions } from '../../src/endpoints/pages/options.ts'
import { isOwnPath } from '../../src/endpoints/pages/own-path.ts'
import { passkeyScript } from '../../src/endpoints/pages/passkey-script.ts'
import { assetResponse, pageResponse, prepareStationery } from '../../src/endpoints/pages/stationery.ts'
import { contrast, readable, styleOf } from '../../src/endpoints/pages/style.ts'
import { factsIn } from '../../src/endpoints/pages/texts.ts'
import { german } from '../../src/endpoints/pages/texts-de.ts'
import { english } from '../../src/endpoints/pages/texts-en.ts'
import { refusalText, refused, returning, signedIn } from '../../src/endpoints/pages/views-passage.ts'
import { type Code, catalogue, refuse } from '../../src/kernel/error.ts'
import { type Element, elementsOf } from './markup.ts'
import { samples } from './samples.ts'

const links = { terms: '/terms', support: 'https://help.example/?a=1&b=2' }
const stationery = prepareStationery(pageOptions.parse({ name: 'Acme', links }), '/auth')
const page = stationery.page(undefined)
const plain = samples((text) => text)

describe('what strangers wrote stays text', () => {
  const hostile = [
    `"'><script>alert(1)</script>`,
    `' onfocus=alert(1) autofocus x='`,
    '</title></textarea><img src=x onerror=alert(1)>',
    '&lt;script&gt;&#0;',
    '\u0000\ud800`alert(1)`',
    'javascript:alert(1)',
    '',
  ]
  for (const [name, view] of Object.entries(plain)) {
    test(`CT2: ${name} has the same elements and attributes whatever the facts say`, () => {
      const expected = shapeOf(view(page).toString())
      for (const evil of hostile) {
        const show = samples((text) => text + evil)[name]
        assert.ok(show)
        const markup = show(page).toString()
        assert.ok(evil === '' || !evil.includes('<') || !markup.includes(evil), `raw in ${name}`)
        if (name === 'returning' || name === 'signed-in') continue // where they lead decides what they show
        assert.deepEqual(shapeOf(markup), expected, `${name} with ${evil}`)
      }
    })
  }

  test('CT2: any text comes back from the markup as it went in, in a text and in an attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const markup = html`<p title="${text}">${text}</p>`.toString()
        const [element] = elementsOf(markup)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
        const shown = text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '\ufffd')
        assert.equal(element?.attributes.get('title'), shown)
        assert.equal(element?.text, shown)
      }),
    )
  })

  test('a template keeps markup, joins lists, and drops what is not there', () => {
    const list = [html`<b>1</b>`, undefined, false, 0, ['<', [html`<i></i>`]]] as const
    assert.equal(html`${list}`.toString(), '<b>1</b>0&lt;<i></i>')
  })

  test('a page leads on only within this origin, and out only by a scheme that runs nothing', () => {
    for (const to of [
      '//evil.example',
      '//origin.invalid/x',
      '/\\evil.example',
      'https://evil.example',
      'javascript:alert(1)',
      '/\t/evil',
      '',
      'x',
    ]) {
      assert.equal(isOwnPath(to), false, to)
      assert.match(signedIn(page, { to }).toString(), /content="0;url=\/auth\/account"/, to)
    }
    assert.match(signedIn(page, { to: '/a?b=1#c' }).toString(), /content="0;url=\/a\?b=1#c"/)
    for (const to of ['javascript:alert(1)', ' javascript:alert(1)', 'data:text/html,x', 'JavaScript:x', '/local', ''])
      assert.doesNotMatch(returning(page, { to, client: 'x' }).toString(), /http-equiv/, to)
    assert.match(
      returning(page, { to: 'com.example.app:/cb?code=1', client: 'x' }).toString(),
      /url=com\.example\.app:/,
    )
  })

  test('a client cannot turn the letters around its name', () => {
    const markup =
      samples((text) => `${text}\u202egnp`)
        ['consent']?.(page)
        .toString() ?? ''
    assert.ok(!/<h1>[^<]*\u202e/.test(markup) && !/<p>[^<]*\u202e/.test(markup))
  })
})

describe('every page', () => {
  for (const language of ['en', 'de']) {
    for (const [name, view] of Object.entries(plain)) {
      const markup = view(stationery.page(language)).toString()
      const elements = elementsOf(markup)
      const all = (tag: string) => elements.filter((element) => element.tag === tag)

      test(`${name} (${language}) keeps to its policy: nothing inline, nothing fetched from elsewhere`, () => {
        for (const { tag, attributes } of elements) {
          for (const [attribute, value] of attributes) {
            assert.ok(
              !attribute.startsWith('on') && attribute !== 'style' && attribute !== 'srcdoc',
              `${tag} ${attribute}`,
            )
            if (attribute === 'src' || (tag === 'link' && attribute === 'href'))
              assert.match(value, /^(?:\/auth\/assets\/|data:)/)
            if (attribute === 'action') assert.match(value, /^\/auth\//)
          }
          assert.ok(tag !== 'style' && tag !== 'iframe' && tag !== 'base')
          if (tag === 'script') assert.ok(attributes.get('src') === page.script.path)
        }
      })

      test(`${name} (${language}) can be used without seeing it`, () => {
        assert.equal(all('html')[0]?.attributes.get('lang'), language)
        assert.equal(all('main').length, 1)
        assert.equal(all('h1').length, 1)
        assert.ok((all('title')[0]?.text.length ?? 0) > 3)
        const ids = elements.flatMap(({ attributes }) => attributes.get('id') ?? [])
        assert.equal(new Set(ids).size, ids.length, 'ids are unique')
        const labelled = new Set(all('label').map(({ attributes }) => attributes.get('for')))
        for (const { attributes } of all('input')) {
          assert.equal(attributes.has('placeholder'), false)
          if (attributes.get('type') === 'hidden' || attributes.has('hidden')) continue
          assert.ok(labelled.has(attributes.get('id')), `${attributes.get('name')} has no label`)
          assert.ok(attributes.has('autocomplete'), `${attributes.get('name')} has no autocomplete`)
        }
        for (const { attributes } of all('img')) assert.ok(attributes.has('alt'))
        for (const { text, attributes } of [...all('button'), ...all('a')])
          assert.ok((attributes.get('aria-label') ?? text).trim() !== '')
        for (const { attributes } of elements) {
          for (const id of (attributes.get('aria-describedby') ?? attributes.get('aria-labelledby') ?? '').split(' '))
            assert.ok(id === '' || ids.includes(id), `nothing has the id ${id}`)
          const href = attributes.get('href')
          if (href?.startsWith('#')) assert.ok(ids.includes(href.slice(1)), `${href} leads nowhere`)
        }
      })

      test(`${name} (${language}) changes something only by POST`, () => {
        for (const { attributes } of all('form')) assert.equal(attributes.get('method'), 'post')
        for (const { attributes } of all('button')) assert.equal(attributes.get('type'), 'submit')
      })
    }
  }

  test('what is wrong is said first, in the title, and beside the field that it is about', () => {
    const markup = plain['register-error']?.(page).toString() ?? ''
    assert.match(markup, /<title>Error: Create your account – Acme<\/title>/)
    assert.ok(markup.indexOf('role="alert"') < markup.indexOf('<h1>'))
    assert.match(markup, /<a href="#password">Password: needs at least 15 characters, and has 7<\/a>/)
    assert.match(markup, /aria-describedby="password-hint password-wrong" aria-invalid="true"/)
    assert.match(markup, /<li>other: is wrong<\/li>/)
    assert.doesNotMatch(markup, /type="password"[^>]* value=/)
  })

  test('a page is kept by nobody, and its assets by everybody, under names that change with their content', () => {
    const answer = pageResponse(200, html`<p>ä</p>`)
    assert.equal(headerOf(answer.headers, 'cache-control'), 'no-store')
    assert.equal(headerOf(answer.headers, 'content-length'), '9')
    for (const asset of stationery.assets)
      assert.match(headerOf(assetResponse(asset).headers, 'cache-control'), /immutable/)
    const other = prepareStationery(pageOptions.parse({ accent: '#aa0000' }), '/auth')
    assert.notEqual(other.assets[0]?.path, stationery.assets[0]?.path)
    assert.equal(other.assets[1]?.path, stationery.assets[1]?.path)
  })
})

describe('languages', () => {
  test('every text is said somewhere', () => {
    const folder = new URL('../../src/endpoints/pages/', import.meta.url)
    const sources = readdirSync(folder)
      .filter((name) => !name.startsWith('texts-'))
      .map((name) => readFileSync(new URL(name, folder), 'utf8'))
      .join('')
    const silent = Object.keys(english).filter((key) => !sources.includes(`'${key}'`))
    assert.deepEqual(silent, [])
  })

  test('German says every text, with the facts that the English has', () => {
    assert.deepEqual(Object.keys(german), Object.keys(english))
    for (const [key, text] of Object.entries(english))
      assert.deepEqual([...factsIn(german[key as keyof typeof english])].sort(), [...factsIn(text)].sort(), key)
  })

  test('a browser gets what it likes best and we speak, and the site’s own language otherwise', () => {
    // biome-ignore format: a table
    const cases = [
      ['de-AT,en;q=0.5', 'de'], ['en;q=0.5, de;q=0.9', 'de'], ['fr, *', 'en'], ['de;q=0', 'en'], ['fr-CA', 'en'], ['', 'en'],
      ['\ud800;q=,,,;', 'en'], ['x'.repeat(100_000), 'en'], ['DE', 'de'], ['de;q=1.0000', 'en'],
    ] as const
    for (const [header, language] of cases)
      assert.equal(stationery.page(header).texts.language, language, header.slice(0, 40))
    const own = prepareStationery(pageOptions.parse({ language: 'de' }), '/auth')
    assert.equal(own.page('fr').texts.language, 'de')
  })

  test('an operator adds a language or corrects a text; what is left out is English', () => {
    const options = pageOptions.parse({
      name: 'Acme',
      translations: { 'pt-BR': { signIn: 'Entrar em {site}' }, en: { cancel: 'Back' } },
    })
    const prepared = prepareStationery(options, '/auth')
    const { texts } = prepared.page('pt-BR,pt;q=0.9')
    assert.equal(texts.say('signIn'), 'Entrar em Acme')
    assert.equal(texts.say('terms'), 'Terms')
    assert.equal(prepared.page('en').texts.say('cancel'), 'Back')
  })

  test('a fact that looks like a place for a fact is left as it is', () => {
    assert.equal(page.texts.say('mailReset', { address: '{site}$&' }).includes('If {site}$& belongs'), true)
  })

  test('a mistake in the configuration has its path and what was expected', () => {
    // biome-ignore format: a table
    const mistakes = [
      [{ translations: { fr: { signin: 'x' } } },                    'translations.fr', /signin/],
      [{ translations: { fr: { signInTo: 'À {place}' } } },          'translations.fr.signInTo', /`\{site\}`, got `\{place\}`/],
      [{ translations: { 'fr_FR': {} } },                            'translations.fr_FR', /./],
      [{ language: 'fr' },                                           'language', /translations/],
      [{ accent: 'red' },                                            'accent', /#1d4ed8/],
      [{ logo: 'https://cdn.example/logo.png' },                     'logo', /data:image/],
      [{ logo: 'data:image/svg+xml;base64,' + 'A'.repeat(44_000) },  'logo', /32768/],
      [{ links: { terms: 'http://acme.example' } },                  'links.terms', /https/],
      [{ links: { terms: '//acme.example' } },                       'links.terms', /https/],
      [{ links: { terms: 'javascript:alert(1)' } },                  'links.terms', /https/],
      [{ name: 'x'.repeat(61) },                                     'name', /60/],
      [{ colour: '#000000' },                                        '', /colour/],
    ] as const
    for (const [input, path, message] of mistakes) {
      const issue = pageOptions.safeParse(input).error?.issues[0]
      assert.equal(issue?.path.join('.'), path, JSON.stringify(input).slice(0, 80))
      assert.match(issue?.message ?? '', message)
    }
  })

  test('a refused password is refused in the language of the page', () => {
    const passwords = openPasswords(passwordOptions.parse({}))
    const german = stationery.page('de')
    for (const password of [
      'short',
      'a'.repeat(300),
      'passwordpassword',
      'abababababababab',
      'ada@example.com-1',
      '\ud800'.repeat(16),
    ]) {
      const [message = ''] = passwords.problemsOf(password, { context: ['ada@example.com'], secondFactor: false })
      assert.notEqual(message, '')
      assert.notEqual(worded(german, message), message, message)
    }
    assert.equal(worded(german, 'is something new'), 'is something new')
  })

  test('every refusal can be shown, and none says more than its kind', () => {
    for (const code of Object.keys(catalogue) as Code[]) {
      const refusal = refuse(code, { detail: 'a detail', reason: 'a secret reason' })
      assert.match(refused(stationery.page('de'), refusal, 'req_1').toString(), /req_1/)
      assert.doesNotMatch(refusalText(stationery.page('de'), refusal), /detail|secret/)
    }
  })
})

describe('colours and script', () => {
  test('whatever the accent, what stands on it and what is written in it can be read (WCAG 2.2 §1.4.3)', () => {
    const channel = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(channel, channel, channel, (...channels) => {
        const accent = `#${channels.map((value) => value.toString(16).padStart(2, '0')).join('')}`
        const sheet = styleOf(accent)
        const [light, dark] = [...sheet.matchAll(/--accent: (\S+); --on-accent: (\S+); --ink: (\S+);/g)]
        assert.ok(light?.[2] && light[3] && dark?.[3])
        assert.ok(contrast(accent, light[2]) >= 4.5)
        for (const paper of ['#ffffff', '#f4f5f7', '#eef2fb'])
          assert.ok(contrast(light[3], paper) > 4.5, `${accent} on ${paper}`)
        for (const paper of ['#1b2029', '#12151b', '#252b36'])
          assert.ok(contrast(dark[3], paper) >= 4.5, `${accent} on ${paper}`)
      }),
    )
    assert.equal(readable('#000000', '#ffffff', '#000000'), '#000000')
    assert.equal(contrast('#000000', '#ffffff'), 21)
  })

  test('the palette itself can be read, by day and by night', () => {
    for (const block of styleOf('#1d4ed8').matchAll(/:root \{[^}]*\}/g)) {
      const colour = (name: string) => new RegExp(`--${name}: (#[0-9a-f]{6})`).exec(block[0])?.[1] ?? ''
      for (const ink of ['text', 'quiet', 'bad', 'good'])
        for (const paper of ['paper', 'back'])
          assert.ok(contrast(colour(ink), colour(paper)) >= 4.5, `${ink} on ${paper}`)
      assert.ok(contrast(colour('bad'), colour('bad-back')) >= 4.5)
      assert.ok(contrast(colour('edge'), colour('paper')) >= 3) // §1.4.11: the border of an input
    }
  })

  test('the style sheet and the script ask nobody else for anything', () => {
    assert.doesNotMatch(styleOf('#1d4ed8'), /url\(|@import|https?:/)
    assert.doesNotMatch(passkeyScript, /https?:|innerHTML|eval|import\(/)
    new Script(passkeyScript)
  })
})

/** What a document is built of, without what it says. */
function shapeOf(markup: string): readonly string[] {
  return elementsOf(markup).map(({ tag, attributes }: Element) => `${tag} ${[...attributes.keys()].join(' ')}`)
}

function headerOf(headers: readonly string[], name: string): string {
  const at = headers.findIndex((header, index) => index % 2 === 0 && header.toLowerCase() === name)
  return headers[at + 1] ?? ''
}
