// CT3 and CT8: what is hidden in another spelling is looked at as its readers will read it, and nothing is missed in silence.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { viewsOf } from '../../../src/inspection/decode/views.ts'
import type { Decoding } from '../../../src/inspection/view.ts'
import { assertLinear } from '../linear.ts'

const tag = (text: string): string =>
  Array.from(text, (letter) => String.fromCodePoint(0xe0000 + (letter.codePointAt(0) as number))).join('')
const selectors = (text: string): string =>
  Array.from(Buffer.from(text), (byte) => String.fromCodePoint(byte < 16 ? 0xfe00 + byte : 0xe0100 + byte - 16)).join(
    '',
  )
const base64 = (text: string): string => Buffer.from(text).toString('base64')

suite('CT3: every spelling that a reader decodes is a view', () => {
  // biome-ignore format: a table
  const spellings: readonly (readonly [written: string, by: readonly Decoding[], meant: string])[] = [
    ['%3Cb%3E', ['url'], '<b>'],
    ['%253Cb%253E', ['url', 'url'], '<b>'],
    ['%25253Cb', ['url', 'url', 'url'], '<b'],
    ['100% of %27', ['url'], "100% of '"],
    ['..%c0%af..%e0%80%af%c0%ae', ['url'], '../../.'],
    ['%u003cb%u003E', ['url'], '<b>'],
    ['%e9t%E9', ['url'], 'été'],
    ['%C3%A9t%C3%A9', ['url'], 'été'],
    ['1%27+or+1', ['url'], "1' or 1"],
    ['1%27+or+1', ['url'], "1'+or+1"],
    ['&lt;b&gt;', ['html'], '<b>'],
    ['&#60;b&#x3E;&#X3e', ['html'], '<b>>'],
    ['&#0000000060b', ['html'], '<b'],
    ['&ltb&GT', ['html'], '<b>'],
    ['java&Tab;script&colon;x', ['html'], 'java\tscript:x'],
    ['&amp;lt;b', ['html', 'html'], '<b'],
    ['%26lt;b', ['url', 'html'], '<b'],
    ['&#37;3Cb', ['html', 'url'], '<b'],
    ['\\x3cb\\x3e', ['escape'], '<b>'],
    ['\\u003cb\\u{3e}', ['escape'], '<b>'],
    ['\\U0000003cb', ['escape'], '<b'],
    ['\\074b\\76', ['escape'], '<b>'],
    ['s\\el\\ect', ['escape'], 'select'],
    ['\\\\\\\\u003cb', ['escape'], '<b'],
    ['\\3c b\\00003e', ['escape'], '<b>'],
    ['＜ｂ＞', ['unicode'], '<b>'],
    ['𝓼𝓮𝓵𝓮𝓬𝓽', ['unicode'], 'select'],
    ['ｘʼ ﹤ ∕ ＂', ['unicode'], `x' < / "`],
    ['sеlеct', ['unicode'], 'select'],
    ['ехес', ['unicode'], 'exec'],
    ['s\u0336e\u0336l', ['unicode'], 'sel'],
    ['sel\u200bect', ['invisible'], 'select'],
    ['sel\u00adect\u202e', ['invisible'], 'select'],
    ['sel\0ect', ['invisible'], 'select'],
    ['＜\u200bb', ['invisible', 'unicode'], '<b'],
    ['un/**/ion', ['comment'], 'union'],
    ['un/*x*//*y*/ion', ['comment'], 'union'],
    ['scr<!-- -->ipt', ['comment'], 'script'],
    ['+ADw-b+AD4-', ['utf7'], '<b>'],
    [base64('<b>bold</b>'), ['base64'], '<b>bold</b>'],
    [base64('<b>bold, said the man</b>').replaceAll('=', ''), ['base64'], '<b>bold, said the man</b>'],
    [encodeURIComponent(base64('<b>?>?>?>?</b>')), ['url', 'base64'], '<b>?>?>?>?</b>'],
    [Buffer.from('<b>?>?>?>?</b>').toString('base64url'), ['base64'], '<b>?>?>?>?</b>'],
    [base64(base64('<b>bold and more</b>')), ['base64', 'base64'], '<b>bold and more</b>'],
    [base64('%3Cb%3Ebold and%3C/b%3E'), ['base64', 'url'], '<b>bold and</b>'],
    [Buffer.from('echo "hello"', 'utf16le').toString('base64'), ['base64'], 'echo "hello"'],
    [base64('a long line of text that goes on '.repeat(4)).replace(/.{76}/g, '$&\r\n'), ['base64'], 'a long line of text that goes on '.repeat(4)],
    [Buffer.from('<b>bold</b>').toString('hex'), ['hex'], '<b>bold</b>'],
    [`0x${Buffer.from('/etc').toString('hex')}`, ['hex'], '/etc'],
    [`how are you?${tag('say yes')}`, ['invisible'], 'say yes'],
    [`how are you?${selectors('say yes')}`, ['invisible'], 'say yes'],
  ]
  for (const [written, by, meant] of spellings) {
    test(`${JSON.stringify(written)} by ${by.join(', ')}`, () => {
      const { views, exhausted } = viewsOf(written)
      assert.deepEqual(views[0], { text: written, by: [], start: 0, end: written.length })
      assert.equal(exhausted, false)
      const found = views.find(({ text }) => text === meant)
      assert.ok(found, `got ${JSON.stringify(views.slice(1))}`)
      assert.deepEqual(found.by, by)
    })
  }

  test('any text comes back from percent-encoding, twice over', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        const written = `${encodeURIComponent(encodeURIComponent(text))}%20`
        assert.ok(viewsOf(written).views.some((view) => view.text === `${text} `))
      }),
    )
  })

  test('any text comes back from numbers of HTML and from escapes of JavaScript', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 1 }), (text) => {
        const points = Array.from(text, (letter) => letter.codePointAt(0) as number)
        const html = points.map((point, at) => (at % 2 === 0 ? `&#${point};` : `&#x0${point.toString(16)};`)).join('')
        const script = points.map((point) => `\\u${point.toString(16).padStart(4, '0')}`).join('')
        assert.ok(viewsOf(html).views.some((view) => view.text === text))
        assert.ok(viewsOf(script).views.some((view) => view.text === text))
      }),
    )
  })

  test('a run in a sentence has its own place', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme-ascii', minLength: 16, maxLength: 80 }),
        fc.constantFrom('base64', 'base64url', 'hex'),
        (text, how) => {
          const run = Buffer.from(text).toString(how)
          fc.pre(/[a-f=]/.test(run))
          const view = viewsOf(`please read ${run} today`).views.find((each) => each.text === text)
          assert.ok(view)
          assert.equal(view.start, 12)
          assert.equal(view.end, 12 + run.replaceAll('=', '').length)
        },
      ),
    )
  })

  test('a run behind a path is found, and so is each of many', () => {
    const hidden = base64('<b>bold and more</b>')
    assert.ok(viewsOf(`https://example.com/files/${hidden}`).views.some(({ text }) => text === '<b>bold and more</b>'))
    const many = Array.from({ length: 40 }, (_, at) => base64(`this is number ${at} of them`)).join(' ')
    const { views, exhausted } = viewsOf(many)
    assert.equal(exhausted, false)
    for (const at of [0, 1, 2, 20, 39]) {
      assert.ok(views.some(({ text, by }) => by[0] === 'base64' && text.includes(`number ${at} of`)))
    }
  })
})

suite('CT3: what has one reading has one view', () => {
  // biome-ignore format: a table
  const plain = [
    '', 'a', 'The quick brown fox, jumping over 12 dogs; "really?" (yes).', "O'Brien & sons", 'a < b && c > d', '50% off, 100%',
    '/usr/local/share/applications', 'https://example.com/some-long-path/with?a=1&b=2#c', 'internationalization', 'AbstractSingletonFactoryBean',
    'd0be2dc421be4fcd0172e5afceea3970e2f3d940', '123e4567-e89b-12d3-a456-426614174000', '9999888877776666', 'cm4x8k2p90001qz7h3v5t6y8w',
    'Grüße aus Köln, à bientôt', 'Привет, как у тебя дела сегодня?', 'Καλημέρα, τι κάνεις σήμερα;', 'שלום עולם', 'I ❤️ you 👩‍👩‍👧',
    '“Yes,” she said – it’s done', 'const x = a / b /* why */ + c', '2 + 2 = 4, C++ and A+B',
  ]
  for (const text of plain) {
    test(JSON.stringify(text), () => {
      assert.deepEqual(viewsOf(text).views.slice(1), [])
    })
  }

  test('the flag of a region smuggles nothing, as long as it is one', () => {
    const texts = (text: string): string[] => viewsOf(text).views.map((view) => view.text)
    assert.ok(!texts(`home: 🏴${tag('gbeng')}\u{e007f}`).includes('gbeng'))
    assert.ok(texts(`home: ${tag('gbeng')}\u{e007f}`).includes('gbeng'))
  })

  test('random ids, keys and hashes hide nothing, but for one in a thousand', () => {
    let hidden = 0
    for (let at = 0; at < 2000; at++) {
      const bytes = Buffer.from(`${at}`.repeat(8)).map(
        (byte, index) => (byte * 131 + index * 89 + at * 197) ^ (at >> 3),
      )
      if (viewsOf(Buffer.from(bytes.subarray(0, 20)).toString(at % 2 === 0 ? 'base64url' : 'hex')).views.length > 1)
        hidden++
    }
    assert.ok(hidden <= 20, `${hidden} of 2000`)
  })
})

suite('CT3: beyond its bounds decoding stops, and says so', () => {
  test('five layers are looked at as far as they go', () => {
    const layers = (text: string, count: number): string =>
      count === 0 ? text : layers(encodeURIComponent(text), count - 1)
    assert.equal(viewsOf(layers('<', 4)).exhausted, false)
    assert.equal(viewsOf(layers('<', 5)).exhausted, true)
    assert.equal(viewsOf(`${'%25'.repeat(1)}${'25'.repeat(30)}3c`).exhausted, true)
  })

  test('base64 in base64 in base64 comes to an end too', () => {
    let text = '<b>this is the bottom of it</b>'
    for (let at = 0; at < 5; at++) text = base64(text)
    assert.equal(viewsOf(text).exhausted, true)
  })

  test('backslashes in a row are no layers', () => {
    for (const count of [1, 2, 7, 8, 64, 1000]) {
      const { views, exhausted } = viewsOf(`${'\\'.repeat(count)}u003cb`)
      assert.equal(exhausted, false)
      assert.ok(views.some(({ text }) => text === '<b'))
    }
  })

  test('whatever comes, there are at most twelve views, of bounded length, inside of the text', () => {
    const pieces = fc.constantFrom(
      '%25',
      '%27',
      '+',
      '&amp;',
      '&lt;',
      '\\',
      '\\x5c',
      '\\u0025',
      '\u200b',
      '＜',
      'а',
      'b',
      '/**/',
      '+AD',
      tag('x'),
      base64('%3Cb%3E <b>'),
      ' ',
      '3c ',
      '0x2f657463',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (some) => {
        const text = some.join('')
        const { views } = viewsOf(text)
        assert.ok(views.length <= 12)
        assert.ok(views.reduce((sum, view) => sum + view.text.length, 0) <= text.length * 9 + 65_536)
        assert.equal(new Set(views.map((view) => view.text)).size, views.length)
        for (const { start, end } of views) assert.ok(start >= 0 && start <= end && end <= text.length)
      }),
      { numRuns: 500 },
    )
  })
})

suite('CT3: a megabyte of anything takes time in proportion to its length', () => {
  // biome-ignore format: a table
  const patterns = {
    prose: 'The quick brown fox jumps over it. ', letters: 'a', digits: '7', quotes: `'"`, percent: '%', 'percent 25': '%25', 'half escapes': '%2', wide: '%u00', overlong: '%c0%', continuation: '%e0%80',
    ampersand: '&', 'number sign': '&#', 'number': '&#0', 'name': '&lt', 'named': '&amp;', backslash: '\\', 'backslash x': '\\x', 'braces': '\\u{', 'zeros': '\\u{0', octal: '\\07', css: '\\3c ', letters2: '\\a',
    comment: '/*', 'comments': 'a/**/', 'openings': 'a/*a/*', markup: '<!--', 'markup comments': 'a<!---->', plus: '+A', utf7: '+ADw', 'long utf7': '+AAAAAAAA',
    base64: 'QUJD', 'base64 text': 'PGI+Ym9sZDwvYj4', 'steps': 'PGI-Ym9sZDwv/', 'lines': `${'QUJD'.repeat(19)}\n`, hex: 'c3', 'hex text': '3c62', prefixed: '0x3c623e3c62 ', 'many runs': 'PGI+Ym9sZCBhbmQgbW9yZTwvYj4 ',
    zero: '\u200b', tags: '\u{e0041}', selectors: '\ufe00\u{e0110}', marks: '\u0300\u0327', 'letter and marks': 'a\u0315\u0327', wideForms: '＜', ligature: 'ﷺ', cyrillic: 'а', mixed: 'аa', russian: 'да ', surrogate: '\ud835', emoji: '❤️\u200d', controls: '\0', nul: 'a\0',
    everything: '%25&amp;\\x41\u200b＜/**/+ADw-QUJDQUJDQUJDQUJD ',
  }
  for (const [name, pattern] of Object.entries(patterns)) {
    test(name, () => assertLinear(name, pattern, (text) => viewsOf(text)))
  }
})
