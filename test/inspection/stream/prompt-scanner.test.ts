import assert from 'node:assert/strict'
import { test } from 'node:test'
import { personalKindNames } from '../../../src/inspection/personal/kinds.ts'
import { openRedaction } from '../../../src/inspection/personal/redact.ts'
import { openPersonalScanner } from '../../../src/inspection/personal/scanner.ts'
import { openSecretScanner } from '../../../src/inspection/secrets/scanner.ts'
import { plain } from '../../../src/inspection/stream/codec.ts'
import { CodedText } from '../../../src/inspection/stream/coded-text.ts'
import { promptScanner } from '../../../src/inspection/stream/prompt-scanner.ts'
import { openRedactor } from '../../../src/inspection/stream/redactor.ts'
import { published } from '../personal/examples.ts'
import { growsLinearly } from './growth.ts'

const { replacement } = openRedaction()
const scanners = [openPersonalScanner({ kinds: personalKindNames }), openSecretScanner()]
const unhurried = openRedactor({ scanners, replacement })
const prompt = openRedactor({ scanners: scanners.map(promptScanner), replacement })

function open(): CodedText {
  return new CodedText({ redactor: prompt, codec: plain, pace: 'prompt', found() {} })
}

const random = 'qZ7rT2xVb9LkWm4Nc8YpHs3JdGfEa6Uu'
const secret = `ghp_${'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0hJ3lO6'}`

/** One sentence for each sort of thing that real scanners know, and for how they are told. */
const sentences = [
  'You can write to jane.roe+list@mail.example.com, or to "jane roe"@mail.example.org today.',
  'The card is 4111 1111 1111 1111, or 5500-0000-0000-0004; it runs out in May.',
  'My social security number is 536-90-4399. And 536-90-4399 is what the ssn says.',
  'Transfer it to DE89 3704 0044 0532 0130 00 or GB29NWBK60161331926819 by Friday.',
  'Call me at (212) 555-0187 or at +44 20 7946 0958, extension 12, after noon.',
  'She was born on March 12, 1980 in a small town; he was born on 3 May 1979.',
  'Ship it to 221 Baker Street, Apt. 4, Springfield, IL 62704 by the end of the week.',
  'Er wohnt in der Lindenstraße 12, 10115 Berlin, und ist am 12.03.1980 geboren.',
  'The server at 203.0.113.77 and 2001:db8::8a2e:370:7334 answers at http://www.example.org/a?b=c now.',
  `Set password = "xK9#mPq2vL" and api_key: ${random} in the file, then restart.`,
  `Authorization: Bearer ${random}${random} was sent along with the request.`,
  `The token ${secret} leaked, and postgres://app:s3cr3tPw9@db.internal/app too.`,
  `-----BEGIN RSA PRIVATE ${'KEY'}-----\n${`${random}${random}\n`.repeat(6)}-----END RSA PRIVATE ${'KEY'}-----\nand so on`,
  'Mail for ("jane middleton roe"@a.long.domain.of.some.kind.mail.example), and for ("Ada B. Lovelace"@mail.example).',
  'Ordinary words follow one another here, and nothing of them is for anybody to find.',
]

test('CT4: real scanners find in a text that comes character by character what they find in the whole', () => {
  for (const sentence of [...sentences, sentences.join(' ')]) {
    const whole = unhurried.redact(sentence).text
    for (const size of [1, 2, 3, 5, 7, 11, 16, 29]) {
      const text = open()
      let out = ''
      for (let at = 0; at < sentence.length; at += size) out += text.feed(sentence.slice(at, at + size))
      assert.equal(out + text.end(), whole, `pieces of ${size}`)
    }
  }
})

test('CT4: real scanners find in two pieces, cut anywhere, what they find in the whole', () => {
  for (const sentence of sentences) {
    const whole = unhurried.redact(sentence).text
    for (let at = 0; at <= sentence.length; at++) {
      const text = open()
      assert.equal(text.feed(sentence.slice(0, at)) + text.feed(sentence.slice(at)) + text.end(), whole)
    }
  }
})

test('CT4: every published example is found in a stream, wherever it stands and however it is cut, as in the whole', () => {
  const frames = [
    (value: string) => value,
    (value: string) => `so ${value} and then some more words follow here.`,
    (value: string) => `Dear Sir or Madam, In May The Order ${value}\nBest Regards, The Team`,
    (value: string) => `a, b (${value}), "${value}"; c: ${value}.`,
  ]
  for (const [, written, context] of published)
    for (const frame of frames) {
      const said = frame(context + written)
      const whole = unhurried.redact(said).text
      for (const pieces of [[...said], said.split(/(?= )/), said.match(/[\s\S]{1,7}/gu) ?? []]) {
        const text = open()
        assert.equal(pieces.map((piece) => text.feed(piece)).join('') + text.end(), whole)
      }
    }
})

test('CT4: most of these sentences hold something to find', () => {
  assert.ok(sentences.filter((sentence) => unhurried.redact(sentence).matches.length > 0).length >= 12)
})

test('CT4: of prose no more than a word or two waits', () => {
  const prose = 'the rain had stopped, and people came out of their houses to look at the river; nobody said a word. '
  const text = open()
  let [waiting, characters] = [0, 0]
  for (const character of prose.repeat(20)) {
    text.feed(character)
    waiting += text.waiting
    characters++
    assert.ok(text.waiting <= 24, `${text.waiting} wait`)
  }
  assert.ok(waiting / characters <= 8, `${waiting / characters} characters wait`)
})

for (const unit of ['@', 'A ', '"', ' "', '-----BEGIN ', 'Private-Lines: ', '\u4e00'])
  test(`CT4: time in proportion to the input, of real scanners too: ${JSON.stringify(unit)}`, () =>
    growsLinearly(unit, (all) => {
      const text = open()
      for (let at = 0; at < all.length; at += 4096) text.feed(all.slice(at, at + 4096))
      text.end()
    }))
