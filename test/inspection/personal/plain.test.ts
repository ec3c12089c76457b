import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { openPersonalScanner } from '../../../src/inspection/personal/scanner.ts'
import { openSecretScanner } from '../../../src/inspection/secrets/scanner.ts'
import { linearMax } from '../../support/growth.ts'
import { growth } from './timing.ts'

const personal = openPersonalScanner()
const secrets = openSecretScanner()
const key = `AKIA${'J7Q2M4X6W3N6P5R2'}`

function found(text: string): string[] {
  return [...personal.scan(text), ...secrets.scan(text)].map(({ start, end }) => text.slice(start, end))
}

const values = [
  '4111 1111 1111 1111', 'ada@mail.example', '536-22-8726', '415-555-0132', '(415) 555-0132', 'DE89370400440532013000', '756.9217.0769.85', key,
] // biome-ignore format: values

suite('CT4: however a value is set, all of it is found and nothing else', () => {
  const marks: readonly (readonly [before: string, after: string])[] = [
    ['**', '**'], ['*', '*'], ['_', '_'], ['__', '__'], ['***', '***.'], ['`', '`'], ['(', ')'], ['|', '|'], ['\\n', '\\n'], ['\\t', '\\r\\n'], ['“', '”'],
  ] // biome-ignore format: marks
  for (const [before, after] of marks)
    test(`${before}value${after}`, () => {
      for (const value of values) assert.deepEqual(found(`see ${before}${value}${after} there`), [value])
    })

  test('digits of other scripts, letters of full width, hyphens and spaces of other widths', () => {
    const wide = (text: string): string =>
      text.replace(/[!-~]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0))
    for (const value of values) assert.deepEqual(found(`see ${wide(value)} there`), [wide(value)])
    for (const written of [
      '٤١١١١١١١١١١١١١١١',
      '४१११ ११११ ११११ ११११',
      '4111\u20111111\u20111111\u20111111',
      '4111\u20091111\u20091111\u20091111',
    ])
      assert.deepEqual(found(`see ${written} there`), [written])
  })

  test('characters of no width are struck out with what they stand in', () => {
    for (const value of values)
      for (const nothing of ['\u200b', '\u00ad', '\u2060\ufeff', '\u200d']) {
        const written = value.slice(0, 3) + nothing + value.slice(3)
        assert.deepEqual(found(`see ${written} there`), [written])
      }
  })

  test('stars in the place of digits, sums and names of members are no values', () => {
    for (const text of ['****4111111111111111', 'a_536-22-8726_b', '5*4111111111111111', '4111111111111111_id'])
      assert.deepEqual(found(text), [], text)
  })

  test('an address with a colon behind it is one, and a path of git or scp is none', () => {
    assert.deepEqual(found('From ada@mail.example:Hello there'), ['ada@mail.example'])
    for (const text of ['git@github.com:owner/repo.git', 'scp x ada@host.example:~/x', 'ada@host.example:notes.txt'])
      assert.deepEqual(found(text), [], text)
  })

  test('no match is longer than the reach, however much of no width stands in it', () => {
    const text = `ada@${'\u200b\u200b\u200b\u200bx'.repeat(60)}.${'\u200b\u200b\u200b\u200by'.repeat(60)}.example`
    for (const { start, end } of personal.scan(text)) assert.ok(end - start <= personal.reach)
  })

  for (const piece of ['\u200b', '４1', '\u00ad4111 ', '_*_', '\\n'])
    test(`time grows with the text and no faster: ${JSON.stringify(piece)}`, () => {
      assert.ok(growth((text) => void found(text), piece) < linearMax)
    })
})
