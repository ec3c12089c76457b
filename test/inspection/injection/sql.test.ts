import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Hint, Sign } from '../../../src/inspection/injection/detector.ts'
import { FirstLook } from '../../../src/inspection/injection/first-look.ts'
import { sqlDetector } from '../../../src/inspection/injection/sql/detector.ts'
import { sqlAttacks } from './sql-attacks.ts'
import { sqlHonest } from './sql-honest.ts'

const query: Hint = { role: 'unknown', in: 'query', name: 'q', at: 'q' }
const body: Hint = { role: 'unknown', in: 'body', name: 'value', at: '/value' }
const prose: Hint = { role: 'prose', in: 'body', name: 'comment', at: '/text' }

/** Of the attacks, those that are as sure where no parameter makes them surer. */
const bodyShare = 0.99

/** What a scanner may go over again and again: openings without ends, and what each of them begins with. */
const hostile = [
  ...[
    "'",
    '"',
    '`',
    '""',
    "\\'",
    '[a',
    '(',
    'x(',
    '{x ',
    '/*',
    '/*!',
    '/**/',
    '--',
    '--\n',
    '#',
    '$a$',
    '$a$$b$',
    '@',
    "@'",
  ],
  ...[
    "q'",
    "q'[",
    "_a'",
    'a`.`',
    'a.',
    '1e',
    '::a',
    '!',
    '-',
    '\\',
    '\0',
    '%25',
    "' or ",
    "' or 1=1 ",
    'or a',
    ') or (',
    '1,',
  ],
  ...[
    'union (',
    'union select ',
    'select top ',
    '; ',
    '; drop table a ',
    ';if(',
    'exec(',
    'case when ',
    'insert into a values (',
  ],
  ...['create or replace ', 'in (', 'order by 1 ', 'and exists(select '],
]

function surest(text: string, hint: Hint): Sign | undefined {
  return sqlDetector.scan(text, hint, new FirstLook(text)).toSorted((a, b) => b.confidence - a.confidence)[0]
}

function isFound(text: string, hint: Hint): boolean {
  return (surest(text, hint)?.confidence ?? 0) >= 0.5
}

describe('CT3: SQL injection is found', () => {
  for (const [family, texts] of Object.entries(sqlAttacks)) {
    it(`as a parameter: ${family}`, () => {
      assert.deepEqual(
        texts.filter((text) => !isFound(text, query)),
        [],
      )
    })
  }

  it('in a member of a body as well, but for values that a program may mean', () => {
    const { 'a statement for a value': _, 'operators that turn strings to numbers': __, ...others } = sqlAttacks
    const texts = Object.values(others).flat()
    const found = texts.filter((text) => isFound(text, body)).length
    assert.ok(found / texts.length >= bodyShare, `found ${found} of ${texts.length}`)
  })

  it('in whatever case, and with comments for spaces', () => {
    for (const text of sqlAttacks['union'] ?? []) {
      assert.ok(isFound(text.toUpperCase(), query), text)
      if (!/--|#|values/.test(text)) assert.ok(isFound(text.replaceAll(' ', '/**/'), query), text)
    }
  })

  const rules = {
    "' or 1=1-- ": 'sql/tautology',
    "x' union select a,b from c-- ": 'sql/union',
    '1; drop table t': 'sql/stacked',
    "' or sleep(5)-- ": 'sql/time',
    "1' and extractvalue(1,concat(0x7e,version()))-- ": 'sql/error',
    "' or load_file('/x')-- ": 'sql/file',
    "admin'-- ": 'sql/comment',
    information_schema: 'sql/fragment',
  }
  for (const [text, rule] of Object.entries(rules))
    it(`and the finding says which rule: ${rule}`, () => assert.equal(surest(text, query)?.rule, rule))

  it('and where: a sign lies within the text, and around what it means', () => {
    const text = `Dear shop, I am ann' union select pin from vault-- `
    const sign = surest(text, query)
    assert.ok(sign !== undefined && sign.start < sign.end && sign.end <= text.length)
    assert.match(text.slice(sign.start, sign.end), /^union select pin/)
  })
})

describe('CT3: what people write is let pass', () => {
  for (const [family, texts] of Object.entries(sqlHonest)) {
    it(`in a body: ${family}`, () => {
      assert.deepEqual(
        texts.filter((text) => isFound(text, body) || isFound(text, prose)),
        [],
      )
    })
  }

  for (const family of ['names', 'sentences', 'searches', 'programs'])
    it(`as a parameter: ${family}`, () => {
      assert.deepEqual(
        (sqlHonest[family] ?? []).filter((text) => isFound(text, query)),
        [],
      )
    })

  it('words in any order, with apostrophes in them', () => {
    const word = fc.constantFrom(
      ..."the and or select from union order by where in not is like table drop it's don't O'Neil a of to -- 5 \"so\"".split(
        ' ',
      ),
    )
    let found = 0
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 12 }), (words) => {
        if (isFound(words.join(' '), body)) found++
      }),
      { numRuns: 1000, seed: 7 },
    )
    assert.ok(found <= 20, `${found} of 1000`)
  })
})

describe('CT3: a scan is total, and takes time in proportion to the text', () => {
  it('any text gets signs of confidences from 0 to 1, within its bounds', () => {
    const piece = fc.constantFrom(
      "'",
      '"',
      '`',
      '(',
      ')',
      '--',
      '/*',
      '*/',
      '#',
      ';',
      '\0',
      '\\',
      '$a$',
      "q'[",
      ' or ',
      ' select ',
      ' union ',
      ',',
      '1',
      '1.e(',
      '@',
      '{',
      'x',
      '=',
      '\u{1f600}',
      '\n',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 40 }), (pieces) => {
        const text = pieces.join('')
        for (const { confidence, start, end } of sqlDetector.scan(text, query, new FirstLook(text))) {
          assert.ok(confidence >= 0 && confidence <= 1)
          assert.ok(start >= 0 && start <= end && end <= text.length)
        }
      }),
    )
  })

  for (const piece of hostile)
    it(JSON.stringify(piece), () => {
      if (timeOf(piece, 1 << 18) < 40) return // the square of so many takes longer
      let ratio = Number.POSITIVE_INFINITY
      for (let round = 0; round < 4 && ratio >= 6; round++) ratio = timeOf(piece, 1 << 20) / timeOf(piece, 1 << 18)
      assert.ok(ratio < 6, `4 times the text takes ${ratio.toFixed(1)} times the time`)
    })
})

/** The best of three, in milliseconds. */
function timeOf(piece: string, length: number): number {
  const text = `1' or 1=${piece.repeat(Math.ceil(length / piece.length))}`
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 3; round++) {
    const began = performance.now()
    sqlDetector.scan(text, query, new FirstLook(text))
    best = Math.min(best, performance.now() - began)
  }
  return best
}
