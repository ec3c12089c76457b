import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compilePattern, PatternProblem } from '../../../src/inspection/schema/pattern.ts'
import { assertLinear } from './linear.ts'

/** Pieces of patterns that are well-formed with `u`, put together at random. */
const atom = fc.constantFrom(
  'a',
  'b',
  'é',
  '😀',
  '-',
  '/',
  ':',
  ',',
  '\\d',
  '\\D',
  '\\w',
  '\\W',
  '\\s',
  '\\S',
  '.',
  '\\.',
  '\\n',
  '\\t',
  '\\0',
  '\\cA',
  '\\x41',
  '\\u0061',
  '\\u{1F600}',
  '\\uD83D\\uDE00',
  '\\p{L}',
  '\\P{Lu}',
  '\\p{Script=Greek}',
  '\\p{gc=Nd}',
  '[abc]',
  '[^abc]',
  '[a-f0-9]',
  '[\\s\\S]',
  '[^\\s]',
  '[^\\S]',
  '[\\w-]',
  '[-a]',
  '[]',
  '[^]',
  '[\\b]',
  '[\\]\\\\]',
  '[[:alph]',
  '[.^$*+?(){}|]',
  '[\\p{L}\\d_]',
  '[😀-😂]',
  '[\\x41-\\x5a]',
  '\\b',
  '\\B',
  '^',
  '$',
  '\\$',
  '\\(',
  '(?:a|b)',
  '(a)',
  '(b|c)',
  '(?:)',
  '[a&&b]',
  '[~#]',
)
const quantified = fc
  .tuple(atom, fc.constantFrom('', '', '', '*', '+', '?', '{0,2}', '{2}', '{1,}', '*?', '+?'))
  .map(([one, many]) => (/^(?:\^|\$|\\b|\\B)$/.test(one) ? one : one + many))
const branch = fc.array(quantified, { maxLength: 5 }).map((pieces) => pieces.join(''))
const pattern = fc.oneof(
  branch,
  fc.tuple(branch, branch).map(([one, other]) => `^(?:${one}|(?:${other})+)$`),
  fc.tuple(branch, branch).map(([one, other]) => `${one}|${other}`),
  fc.tuple(branch, branch, branch).map(([ahead, not, rest]) => `^(?=${ahead}|x)(?!${not}b)${rest.replaceAll('|', '')}`),
)
const text = fc
  .array(
    fc.constantFrom(
      ...('ab0_-.Aé😀 \n\r\t\u2028\u00a0\ufeff\0\x08\ud800/^$[]:,αſK'.match(/[\s\S]/gu) as string[]),
      '\u0001',
      'ab',
      '1',
    ),
    { maxLength: 8 },
  )
  .map((pieces) => pieces.join(''))

test('CT1: a pattern means to the linear engine what it means to ECMA-262', () => {
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 6 }), (source, texts) => {
      const ours = compilePattern(source)
      const theirs = new RegExp(source, 'u')
      for (const one of texts) assert.equal(ours.test(one), theirs.test(one), `${source} of ${JSON.stringify(one)}`)
    }),
    { numRuns: 3000 },
  )
})

test('CT1: patterns that take a backtracking engine for ever take time in proportion', () => {
  const sources = [
    '^(a+)+$',
    '^(a|a)*$',
    '^(a|aa)+$',
    '(x+x+)+y',
    '\\d+$',
    '^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$',
    '^(?=.*[a-z])(?=.*\\d)(?:a*)*$',
    '(.*a){10}',
    '\\s+$',
    '^(?:[a-z]+ ?)+$',
    '\\b(?:a|b)+\\b!',
    '^\\p{L}[\\p{L}\\p{N}]*$',
  ]
  for (const source of sources) {
    const { test: matches } = compilePattern(source)
    for (const seed of ['a', 'x', '1', ' ', 'a ', 'é'])
      assertLinear(`${source} of ${seed}`, (characters) => {
        const long = `${seed.repeat(characters / seed.length)}!`
        return () => void matches(long)
      })
  }
})

test('what takes an engine that goes back is refused at load, with the reason', () => {
  const refused: Readonly<Record<string, RegExp>> = {
    '(a)\\1': /reference back/,
    '(?<n>a)\\k<n>': /reference back/,
    'a(?=b)': /look around/,
    '(?<=a)b': /look around/,
    '(?<!a)b': /look around/,
    '^(?=a)b|c': /look ahead beside another branch/,
    'a{1001}': /more than 1000 times/,
    '(?:a{100}){100}': /more than 1000 times/,
    '(': /Unterminated group/,
    '[z-a]': /out of order/,
    '\\p{Emoji}': /property `Emoji`/,
    '(?i:a)': /flags of a group/,
  }
  for (const [source, reason] of Object.entries(refused))
    assert.throws(
      () => compilePattern(source),
      (error: Error) => error instanceof PatternProblem && reason.test(error.message),
      source,
    )
})

test('looks ahead right after the beginning are patterns of their own', () => {
  const password = compilePattern('^(?=.*[A-Z])(?=.*\\d)(?!.*password).{8,72}$')
  assert.equal(password.test('Correct7horse'), true)
  assert.equal(password.test('correct7horse'), false)
  assert.equal(password.test('Correcthorse'), false)
  assert.equal(password.test('My7password'), false)
  assert.equal(password.test('Ab1'), false)
})

test('a group with a name is a group', () => {
  assert.equal(compilePattern('^(?<year>\\d{4})-(?<month>\\d\\d)$').test('2026-07'), true)
})

test('an escape that can mean one thing only is taken, also where `u` knows it not', () => {
  assert.equal(compilePattern('^[\\w\\-]+\\@\\-$').test('a-b@-'), true)
})
