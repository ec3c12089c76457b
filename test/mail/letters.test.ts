import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compose, type LetterFacts } from '../../src/mail/letters.ts'
import { mailOptions } from '../../src/mail/options.ts'

const facts: LetterFacts = { site: 'Example', link: 'https://gate.example.com/x?a=1&b=2', minutes: 1_440 }

test('a letter to an address that nobody has proven names nobody, in the words of an operator either', () => {
  for (const kind of ['verify', 'registered-already', 'email-change', 'invitation']) {
    const texts = { de: { [kind]: { subject: 'Hallo', body: 'Hallo {name}: {link}' } } }
    const issues = mailOptions.safeParse({ from: 'a@b.example', folder: '.', texts }).error?.issues ?? []
    assert.deepEqual(
      issues.map(({ path }) => path.join('.')),
      [`texts.de.${kind}.body`],
    )
  }
})

test('what is no fact of a letter is told at load, however it is spelled', () => {
  for (const body of ['{link} {time}', '{link} { site }', '{link} {user-name}', '{link} {}']) {
    const texts = { de: { reset: { subject: 'x', body } } }
    const { error } = mailOptions.safeParse({ from: 'a@b.example', folder: '.', texts })
    assert.match(error?.issues[0]?.message ?? '', /is no fact of this letter; there are \{site\}/, body)
  }
})

test('own words are filled in their own language, with a link that can be followed wherever it stands', () => {
  const { texts } = mailOptions.parse({
    from: 'a@b.example',
    folder: '.',
    texts: { de: { reset: { subject: 'Neu bei {site}', body: 'Hier: {link}, {duration} lang.' } } },
  })
  const { subject, text, html } = compose('reset', facts, texts, 'de')
  assert.equal(subject, 'Neu bei Example')
  assert.match(text, /24 Stunden lang/)
  assert.match(html, /Hier: <a href="https:\/\/gate\.example\.com\/x\?a=1&amp;b=2">/)
})

test('a name or a device that a stranger chose brings no domain along that a mail program would link', () => {
  const { text } = compose(
    'locked',
    {
      ...facts,
      name: 'J.R.R. Tolkien',
      device: 'visit evil.example/now or e\u200bvil.example',
      address: '203.0.113.7',
    },
    {},
    undefined,
  )
  assert.match(text, /Hello J\.R\.R\. Tolkien,/)
  assert.match(text, /from 203\.0\.113\.7 \(visit … or e …\)/)
})

test('any fact makes a letter: none, lone halves of characters, or a megabyte', () => {
  assert.match(compose('reset', { site: 'Example' }, {}, '__proto__').text, /^Hello,\n/)
  for (const name of ['\ud800', '\u0000', 'a.'.repeat(500_000), `${'x'.repeat(99)}\u{1f600}`]) {
    const { text, html } = compose('reset', { ...facts, name }, {}, undefined)
    assert.ok(text.isWellFormed() && html.isWellFormed())
    assert.ok(text.length < 1_000)
  }
})

test('a mailbox is one, whatever its name holds', () => {
  const accepts = (from: string): boolean => mailOptions.safeParse({ from, folder: '.' }).success
  for (const from of ['a@b.example', '<a@b.example>', 'Example, Inc. <a@b.example>']) assert.ok(accepts(from), from)
  for (const from of ['Foo a@b.example', 'A <a@b,c@d>', 'A <a@b.example>, <c@d.example>', 'A\n <a@b.example>', ''])
    assert.ok(!accepts(from), from)
})
