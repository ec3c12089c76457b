import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { personalKindNames } from '../../../src/inspection/personal/kinds.ts'
import { openPersonalScanner } from '../../../src/inspection/personal/scanner.ts'
import { linearMax } from '../../support/growth.ts'
import { published } from './examples.ts'
import { growth } from './timing.ts'

const all = openPersonalScanner({ kinds: personalKindNames })
const usual = openPersonalScanner()

/** What is found, as `rule text`. */
function found(text: string, name?: string, scanner = all): string[] {
  return scanner.scan(text, name).map(({ rule, start, end }) => `${rule} ${text.slice(start, end)}`)
}

/** Whether anything is found, of the kinds that are usual. */
function isQuiet(text: string, name?: string): void {
  assert.deepEqual(found(text, name, usual), [], text)
}

suite('CT4: identifiers are found by their checks', () => {
  for (const [rule, written, context] of published)
    test(`${rule}: ${written}`, () => {
      const text = `It says ${context}${written}, as I was told.`
      assert.ok(found(text).includes(`${rule} ${written}`), `${found(text)}`)
    })

  const checked = published.filter(([rule]) =>
    /card|iban|routing|nhs|nif|codice|nir|bsn|steuer|be-nn|ahv|tckn|pesel|aadhaar|cpf|cnpj|cuit|rut|sin$|curp|tfn|abn|snils|inn|hetu|fodsel|nric|resident|hk-id|wallet/.test(
      rule,
    ),
  )
  for (const [rule, written, context] of checked)
    test(`no wrong check digit is taken for ${rule}: ${written}`, () => {
      const at = written.search(/\d(?=\D*$)/)
      for (let step = 1; step < 10; step++) {
        const wrong = written.slice(0, at) + ((Number(written[at]) + step) % 10) + written.slice(at + 1)
        const text = `It says ${context}${wrong}, as I was told.`
        const same = all.scan(text).filter((match) => match.rule === rule)
        assert.deepEqual(same, [], wrong)
      }
    })

  test('cards: any one digit changed is refused (Luhn)', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('4111111111111111', '5555555555554444', '378282246310005', '6011111111111117'),
        fc.nat(15),
        fc.integer({ min: 1, max: 9 }),
        (card, place, step) => {
          const at = place % card.length
          const wrong = card.slice(0, at) + ((Number(card[at]) + step) % 10) + card.slice(at + 1)
          assert.deepEqual(
            all.scan(`my card is ${wrong}.`).filter(({ kind }) => kind === 'card'),
            [],
          )
        },
      ),
    )
  })
})

suite('CT4: e-mail', () => {
  for (const address of [
    'ada@example.com', 'a.b+tag@mail.example.co.uk', "o'neil@example.ie", 'jürgen@müller.de', 'иван@пример.рф', 'x_y-z@sub-domain.example.museum', '"john doe"@example.org',
    'user@xn--bcher-kva.example', 'first.last@10minute.example', 'A@B.CO',
  ]) // biome-ignore format: addresses
    test(address, () => {
      for (const text of [
        address,
        `<${address}>`,
        `write to ${address}.`,
        `mailto:${address}?subject=x`,
        `["${address}"]`,
      ])
        assert.deepEqual(found(text, undefined, usual), [`email/address ${address}`], text)
    })

  for (const text of [
    'icon@2x.png', 'root@localhost', 'git@github.com:org/repo.git', 'lodash@4.17.21', '@types/node', 'https://user:word@host.example.com/x', 'a @ b.com', 'x@', '@example.com', 'foo@bar', 'user@host.local(call)',
    'import x from "pkg@1.2.3"', 'style@media.css', 'systemctl status getty@tty1.service',
  ]) // biome-ignore format: texts
    test(`not ${text}`, () => isQuiet(text))

  test('stands out of scripts without spaces', () => {
    assert.deepEqual(found('联系ada@example.com谢谢', undefined, usual), ['email/address ada@example.com'])
  })
})

suite('CT4: phone', () => {
  for (const number of [
    '+1 212 555 0199', '+442079460958', '+49 30 901820', '+41 (0)44 668 18 00', '+33 1 23 45 67 89', '+55 11 91234-5678', '+81-3-1234-5678', '(212) 555-0199', '212-555-0199', '212.555.0199', '1-800-555-0199',
    '020 7946 0958', '07700 900123', '01 23 45 67 89', '06-12345678', '(11) 91234-5678', '090-1234-5678', '8 (912) 345-67-89', '138 1234 5678', '0800 123 456', '030/9018200', '212-555-0199 x123',
  ]) // biome-ignore format: numbers
    test(number, () => {
      const text = `Please ring ${number} tomorrow.`
      const [match] = usual.scan(text)
      assert.equal(match?.kind, 'phone')
      assert.equal(text.slice(match.start, match.end), number)
    })

  test('a word or the name of the member tells of one that is bare', () => {
    assert.equal(usual.scan('phone: 5550199123')[0]?.kind, 'phone')
    assert.equal(usual.scan('5550199123', 'mobileNumber')[0]?.kind, 'phone')
    assert.equal(usual.scan('Tel. 45 67 89 01')[0]?.kind, 'phone')
    assert.deepEqual(usual.scan('order 5550199123'), [])
    assert.deepEqual(usual.scan('5550199123', 'orderNumber'), [])
  })
})

suite('CT4: what only looks like it is left alone', () => {
  for (const text of [
    'released 2024-01-31 as 1.2.3, see 12.04.2023 and 31/12/1999', 'at 2024-05-01T12:34:56.789Z', '1714567890', '1714567890123', 'took 12345678 ns', 'v10.15.7 (19H2)', 'Node 24.21.0, npm 11.6.2', 'costs $1,234.56 or 1.234,56 €',
    'total 123 456 789', 'pages 100-200 and 300-4000', '550e8400-e29b-41d4-a716-446655440000', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=',
    'commit 9fceb02d0ae598e95dc970b74767f19372d61af8', 'order #100200300', 'SKU 4006381333931', 'ISBN 978-3-16-148410-0', 'invoice 2024-000123', 'error 0x80070005', 'port 8080, 10.0.0.1:5432', '#ff00aa 12px 1920x1080',
    'rgb(255, 255, 255)', '3.14159265358979', 'RFC 9110 §15.5.1', 'id=9007199254740993', 'x = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]', '00 01 02 03 04 05 06 07 08 09 0a', '+100 points, -200 points', 'from 1999-2003', '10:30-11:45',
    'lat 48.858370, lon 2.294481', 'AB-1234-CD-5678', 'A4 210 x 297 mm', 'section 4.1.2.3', 'flight LH 1234', 'room 101, floor 12', '1e10', '123-45-678', '000-12-3456', '666-12-3456', '123-00-4567', '123-45-0000', '078-05-1120',
    '12 345 678 901 234', '4111 1111 1111 1112', '1234 5678 9012 3456', '0000 0000 0000 0000', 'GB82 WEST 1234 5698 7654 33', 'GB82WEST123456987654321', 'ZZ68539007547034', 'A12345678', 'AB12 CDE', '12345-6789',
  ]) // biome-ignore format: texts
    test(text, () => isQuiet(`we saw ${text} there`))

  test('cards and numbers inside longer ones are no cards', () => {
    for (const text of [
      '94111111111111111',
      '41111111111111110',
      'x4111111111111111',
      '4111111111111111abc',
      '0.4111111111111111',
      'aa4111111111111111ff',
      '4111-1111-1111-1111-1111',
    ])
      isQuiet(text)
  })
})

suite('CT4: words and names tell', () => {
  test('identifiers without a check need a word nearby, or the name of their member', () => {
    assert.deepEqual(found('my passport is C01X00T47', undefined, usual), ['passport/number C01X00T47'])
    assert.deepEqual(found('C01X00T47', 'passport_number', usual), ['passport/number C01X00T47'])
    isQuiet('part C01X00T47 is here')
    isQuiet('C01X00T47', 'partNumber')
    assert.deepEqual(found("driver's license D1234567", undefined, usual), ['driving-licence/number D1234567'])
    assert.deepEqual(found('457555462', 'userSsn', usual), ['ssn/us 457555462'])
    isQuiet('457555462', 'count')
  })

  test('a text that is nothing else may be one by its check digit, unless its name says what it is', () => {
    assert.deepEqual(found('046454286', undefined, usual), ['national-id/ca-sin 046454286'])
    assert.deepEqual(found('046454286', 'answer', usual), ['national-id/ca-sin 046454286'])
    isQuiet('046454286', 'width')
    isQuiet('I counted 046454286 of them')
  })

  test('a date is personal where somebody was born on it', () => {
    for (const date of [
      '1980-02-29',
      '29/02/1980',
      '29.2.1980',
      '2/29/80',
      '29 February 1980',
      'February 29, 1980',
      '29. Februar 1980',
      '1980年2月29日',
    ]) {
      assert.deepEqual(found(`date of birth: ${date}`, undefined, usual), [`date-of-birth/by-word ${date}`])
      isQuiet(`it was published ${date}`)
    }
    assert.deepEqual(found('1980-02-29', 'dateOfBirth', usual), ['date-of-birth/by-word 1980-02-29'])
    isQuiet('date of birth: 1980-13-45')
  })
})

suite('CT4: kinds that are asked for', () => {
  const of = (kind: (typeof personalKindNames)[number], text: string): string[] =>
    openPersonalScanner({ kinds: [kind] })
      .scan(text)
      .map(({ start, end }) => text.slice(start, end))

  test('addresses of the internet', () => {
    for (const ip of ['192.0.2.1', '255.255.255.255', '2001:db8::8a2e:370:7334', '::ffff:192.0.2.1', 'fe80::1'])
      assert.deepEqual(of('ip', `from [${ip}], today`), [ip])
    for (const text of [
      '1.2.3',
      '256.1.1.1',
      '01.2.3.4',
      'version 1.2.3.4',
      '1.2.3.4.5',
      '12:34:56',
      'std::vector',
      '123:abc',
    ])
      assert.deepEqual(of('ip', text), [], text)
  })
  test('MAC addresses', () => {
    for (const mac of ['00:1A:2b:3c:4D:5e', 'AA-BB-CC-DD-EE-FF', '001a.2b3c.4d5e'])
      assert.deepEqual(of('mac', `is ${mac}.`), [mac])
    for (const text of ['00:1A:2B:3C:4D', '00:1A:2B:3C:4D:5E:6F', 'a-b-c-d'])
      assert.deepEqual(of('mac', text), [], text)
  })
  test('postal addresses', () => {
    assert.deepEqual(of('address', 'I live at 221B Baker Street, London NW1 6XE.'), [
      '221B Baker Street, London NW1 6XE',
    ])
    assert.deepEqual(of('address', 'Er wohnt in der Lindenstraße 12, ja'), ['Lindenstraße 12'])
    assert.deepEqual(of('address', 'chez Rue de la Paix 5 demain'), ['Rue de la Paix 5'])
    assert.deepEqual(of('address', 'write to P.O. Box 186'), ['P.O. Box 186'])
    assert.deepEqual(of('address', 'we walked 3 miles in 2 hours'), [])
  })
  test('ages and web addresses', () => {
    assert.deepEqual(of('age', 'a 63 year old man'), ['63'])
    assert.deepEqual(of('age', '63 years ago'), [])
    assert.deepEqual(of('url', 'see (https://example.com/a?b=c).'), ['https://example.com/a?b=c'])
  })
  test('of others nothing is told', () => {
    assert.deepEqual(of('email', 'ring +1 212 555 0199 or 4111 1111 1111 1111'), [])
  })
})

test('matches are in order, do not overlap, and are no longer than the reach', () => {
  const piece = fc.constantFrom(
    ...published.map(([, written]) => written),
    ' ',
    ', ',
    'ada@example.com',
    '+442079460958',
    'phone',
    'passport ',
    '-',
    '1',
    'x',
    '[EMAIL]',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const text = pieces.join('')
      let end = 0
      for (const match of all.scan(text)) {
        assert.ok(match.start >= end && match.end > match.start && match.end <= text.length)
        assert.ok(match.end - match.start <= all.reach)
        end = match.end
      }
    }),
  )
})

test('nothing depends on more than the reach around it', () => {
  const far = ` ${'so it is. '.repeat(Math.ceil(all.reach / 10))}`
  for (const [, written, context] of published) {
    const text = `${context}${written}.`
    const alone = found(`${far}${text}${far}`)
    assert.deepEqual(found(`${far}${far}phone passport ssn ${far}${text}${far}${far}`), alone, written)
  }
})

suite('time grows in proportion to the text', () => {
  for (const piece of [
    '1', '@', 'a@', 'a.', '1-', '1 ', '(1', '+1', '+1 (', '4111 ', '4111111111111111', 'a1', 'GB82', '1.', '::', 'a:', 'aa:', '://', 'https://a', '0x', '1A Baker ', 'A A A 1 ', '"a', 'a@a.', 'ü@', '12 Street ', 'Straße 1 ',
    '1/1/', '[', 'P.O. Box 1 ', '２', 'é1', '1\n', 'phone 1', '1,', `${'a'.repeat(300)}1`,
  ]) // biome-ignore format: pieces
    test(JSON.stringify(piece.slice(0, 20)), () => {
      const ratio = growth((text) => all.scan(text), piece)
      assert.ok(ratio < linearMax, `${ratio.toFixed(1)} times as long for four times the text`)
    })
})
