// CT3: a scan takes time in proportion to the text, whatever the text is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { xssDetector } from '../../../src/inspection/injection/markup/detector.ts'
import { blindLook } from './families/cases.ts'

/** The beginning of everything that the scanners know, and what they look for the end of. */
const units: readonly string[] = [
  ...[
    '<',
    '<a',
    '<a ',
    '</',
    '</script',
    '<!--',
    '<![CDATA[',
    '<?',
    '<a b="',
    "<a b='",
    '<a b=`',
    '<a b=',
    '<a/',
    "<a b=\"'<c d='",
  ],
  ...[
    `<a b='"' c="`,
    `<a b="'" c='`,
    '<a\tb\n=\r"c"',
    '<script>',
    '<style>',
    '<iframe srcdoc="',
    '<svg onload=',
    '<x onx=',
  ],
  ...[
    '"',
    "'",
    '`',
    '\\',
    '\\u',
    '\\x',
    '\\u{',
    '/*',
    '*/',
    '//',
    "'+'",
    '"+"',
    "' +",
    '[]',
    '[',
    '(',
    ')',
    '{',
    '{{',
    '}}',
    '![]+',
  ],
  ...[
    'on',
    'onload',
    'onload=',
    ' onload = ',
    'onload/',
    '"onload="alert(',
    'on!!!!',
    'onaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  ],
  ...[
    'j',
    'java',
    'javascript',
    'javascript:',
    'javascript:x(',
    '&#106;',
    '&#0000000',
    '&#x',
    '&Tab;',
    'j\t\t\t\t\t\t\t\t',
    'data:text/html',
    'data:',
  ],
  ...[
    'alert',
    'alert(',
    'alert`',
    'alert(1)',
    '=alert;a(',
    'eval(',
    "';alert(1)",
    'document.cookie',
    'document.body ',
    'window[',
    'window["',
  ],
  ...[
    'constructor',
    '.constructor(',
    'location=',
    'fetch(',
    'src ',
    'open document.',
    'import(',
    'throw ',
    'with(',
    'fromCharCode(',
    ')["a',
  ],
  ...[
    'expression(',
    ':expression(',
    ':',
    'url(',
    'url(data:image/svg',
    '@import',
    '[a^=',
    '[a^=]{',
    '\\65 ',
    '-moz-binding',
    'behavior:',
  ],
  ...[
    '%25',
    '%3C',
    ' ',
    '\n',
    '\n\n```',
    '`a',
    '\n    ',
    'word ',
    'word\n',
    'a<b ',
    '\0',
    '\u200b',
    'ﾟωﾟ',
    '<a href="&#',
    '=&{',
    '<!entity ',
  ],
]

/** All expressions are run, also those that a first look would spare. */
const look = blindLook()
const hint = { role: 'unknown', in: 'body', name: 'value', at: '/value' } as const

for (const part of Map.groupBy(units, (_, index) => index % 8).values()) {
  test(`CT3: time grows with the text and no faster: ${part.map((unit) => JSON.stringify(unit)).join(' ')}`, () => {
    for (const unit of part) inProportion('', unit)
  })
}

test('CT3: and within what is opened once', () => {
  for (const opening of [
    '<a ',
    '<a b="',
    "<style>*{a:'",
    '<script>',
    '"',
    "';",
    '<!--',
    'javascript:',
    'some words of a text ```\n',
  ])
    for (const unit of ['b=1 ', 'onload=x ', 'href=javascript:x ', 'a ', '\\6a ', 'alert(', '; ', '<', "'", '\n'])
      inProportion(opening, unit)
})

/** Four times the text, below eight times the time: sixteen would be its square. Measured again where something came between. */
function inProportion(opening: string, unit: string): void {
  const texts = [250_000, 1_000_000].map((length) => opening + unit.repeat(Math.ceil(length / unit.length)))
  const [shorter = ''] = texts
  if (best(shorter) < floorMs) return // the square of so many takes longer
  const said: string[] = []
  for (let round = 0; round < 3; round++) {
    const [short = 1, long = 0] = texts.map(best)
    if (long < floorMs || long / short < 8) return
    said.push(`${short.toFixed(1)} ms became ${long.toFixed(1)} ms`)
  }
  assert.fail(`${JSON.stringify(opening + unit)}: ${said.join(', ')}`)
}

/** Below this a measurement says more of the machine than of the scan. */
const floorMs = 40

/** Best of three: the rest is what else the machine did. One measurement is enough where it is quick. */
function best(text: string): number {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < 3 && least > 2; round++) {
    const began = performance.now()
    xssDetector.scan(text, hint, look)
    least = Math.min(least, performance.now() - began)
  }
  return least
}
