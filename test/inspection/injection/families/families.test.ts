// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are what is looked for
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { families } from '../../../../src/inspection/injection/detector.ts'
import { detectors } from '../../../../src/inspection/injection/detectors.ts'
import { hostKind } from '../../../../src/inspection/injection/families/host-spelling.ts'
import { template } from '../../../../src/inspection/injection/families/template.ts'
import { asMember, asParameter, blindLook, confidenceOf, honest } from './cases.ts'

test('CT3: beyond SQL and script: every other family has one detector, and its rules bear its name', () => {
  const others = Object.keys(families).filter((family) => !['sql', 'xss', 'encoding'].includes(family))
  for (const family of others) {
    assert.equal(detectors.filter((detector) => detector.family === family).length, 1, family)
  }
  const found = detectors.flatMap(({ family, scan }) =>
    scan("';sleep(9000);' ../../../../etc/passwd ${7*7} <!--#exec cmd=", asParameter, blindLook()).map(
      ({ rule }) => [family, rule] as const,
    ),
  )
  assert.ok(found.length >= 4)
  for (const [family, rule] of found) assert.ok(rule.startsWith(`${family}/`), rule)
})

test('CT3: whatever the text, a sign is a share of certainty and stands within the text', () => {
  const pieces = fc.constantFrom(
    '../',
    '%2e',
    '{{',
    '}}',
    '${',
    '}',
    ';',
    '`',
    '$(',
    ')',
    "'",
    '"',
    'cat ',
    '/etc/passwd',
    'http://',
    '127.1',
    '\r\n',
    'Set-Cookie:',
    '<!ENTITY ',
    '*)(',
    '__proto__',
    '$ne',
    'O:1:"',
    '\0',
    '7*7',
    ' or ',
    'a',
    ' ',
    '<%',
    '//',
    '\ud800',
  )
  const text = fc.array(fc.oneof(pieces, fc.string({ maxLength: 6 })), { maxLength: 24 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(
      text,
      fc.constantFrom('name', 'identifier', 'prose', 'unknown'),
      fc.constantFrom('path', 'query', 'header', 'cookie', 'body', 'answer'),
      (given, role, part) => {
        const sure = confidenceOf(detectors, given, { role, in: part, name: 'q', at: 'q' })
        assert.ok(sure >= 0 && sure <= 1)
      },
    ),
    { numRuns: 400 },
  )
})

test('CT3: every spelling of an inner address is that address', () => {
  const byte = fc.integer({ min: 0, max: 255 })
  fc.assert(
    fc.property(byte, byte, byte, (b, c, d) => {
      const number = 10 * 2 ** 24 + b * 2 ** 16 + c * 256 + d
      const spellings = [
        String(number),
        `0x${number.toString(16)}`,
        `0${number.toString(8)}`,
        `10.${b * 65_536 + c * 256 + d}`,
        `10.${b}.${c * 256 + d}`,
        `0xa.0x${b.toString(16)}.${c}.0${d.toString(8)}`,
        `[::ffff:10.${b}.${c}.${d}]`,
      ]
      for (const spelling of spellings)
        assert.deepEqual(hostKind(spelling), { reach: 'inner', disguised: true }, spelling)
    }),
  )
})

test('CT3: openings within openings beyond what is read are refused, not passed', () => {
  const signs = template.scan(`${'${'.repeat(190)}}`.repeat(3), asParameter, blindLook())
  assert.ok(signs.some(({ rule, confidence }) => rule === 'template/nesting' && confidence >= 0.5))
})

test('CT3: the same text is surer in an identifier than in prose', () => {
  const texts = ['; ls -la', '../../x', "' || 1==1", '*)(uid=x']
  for (const text of texts) {
    const strict = confidenceOf(detectors, text, { ...asMember, role: 'identifier' })
    const lenient = confidenceOf(detectors, text, { ...asMember, role: 'prose' })
    assert.ok(strict > lenient, text)
  }
})

/** SQL and markup are measured where they live. */
const ours = detectors.filter(({ family }) => family !== 'sql' && family !== 'xss')

honest('all these families together', ours, [
  'Hi Anna, could you send me the report by Friday? Thanks; Bob',
  'I think (and I may be wrong) that 5 > 3 && 3 > 2.',
  "It's O'Brien & Sons, 10/12 Main St., #4",
  'anna.smith+news@example.com',
  '+44 20 7946 0958',
  '{"name":"Anna","tags":["a","b"],"price":{"$numberDecimal":"1.5"}}',
  '# Title\n\n- one\n- two\n\n```js\nconst a = `${b}`\n```\n',
  'def f(x):\n    return x * 2\n\nprint(f(21))\n',
  'SELECT a.id, b.name FROM a JOIN b ON a.id = b.id WHERE a.date > now()',
  '2026-11-22T03:01:10Z INFO [main] started in 1.2 s (pid=12)',
  'Was ist der Unterschied zwischen "das" und "dass"?',
  '¿Qué hora es? ¡Son las tres!',
  '今天天气很好；我们去公园吧。',
  '1/2 + 1/3 = 5/6',
  'x^2 + y^2 = z^2, |x| < 1',
  '<p>Hello <b>World</b></p>',
  'https://example.com/a?b=c&d=e#f',
  'background: url("../img/a.png")',
  'C++ || C#',
  'R&D; Q&A',
  'v1.2.3-beta.4+build.5',
  'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
  'if [ -f .env ]; then\n  source .env\nfi\nnpm start\n',
  'apiVersion: v1\nkind: Service\nspec:\n  ports:\n    - port: 80\n',
  'The command `ls -la` lists files; `cat` prints them.',
  'Q: What does ${variable} mean in a shell? A: It is replaced by the value of the variable.',
  ':-) ;-) :( <3',
  '50% off!!! Only today... call now: 555-0100',
])
