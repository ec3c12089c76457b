// CT2: sanitising takes time in proportion to the text, whatever the text is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSanitiser } from '../../../src/inspection/html/sanitiser.ts'
import { growthOf, linearMax } from '../../support/growth.ts'

const units: readonly string[] = [
  ...[
    '<',
    '</',
    '<!',
    '<?',
    '<!--',
    '-->',
    '<b',
    '<b ',
    '<b>',
    '</b>',
    '<b><i>',
    '<p>',
    '</p>',
    '<br>',
    '<div>',
    '<x-y>',
  ],
  ...[
    '<a b="',
    "<a b='",
    '<a href="x">',
    '<a href="java&Tab;',
    '<script>',
    '</script>',
    '<style',
    '<textarea>',
    '<!--><',
  ],
  ...[
    '&',
    '&lt;',
    '&#',
    '&#x',
    '"',
    "'",
    '>',
    '<<b>',
    '<<<<',
    '<b>b>',
    '<![CDATA[',
    '<svg><style>',
    '\0',
    'a',
    '<option>',
    '<table>',
  ],
]

for (const profile of ['none', 'links'] as const) {
  test(`CT2: time grows with the text and no faster: ${profile}`, () => {
    const sanitise = openSanitiser(profile)
    for (const unit of units) {
      const of = (length: number) => () => void sanitise(unit.repeat(Math.ceil(length / unit.length)))
      const ratio = growthOf(of(250_000), of(1_000_000))
      assert.ok(
        ratio < linearMax,
        `${JSON.stringify(unit)}: four times the text took ${ratio.toFixed(1)} times as long`,
      )
    }
  })
}
