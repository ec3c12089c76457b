import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { command as policy } from '../../src/cli/policy.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { run } from './in-process.ts'

const owners = {
  version: '1.0',
  rules: [
    {
      description: 'owners read',
      condition: {
        all: [
          { operator: 'equals', attribute: 'subject.id', value: { ref: 'resource.owner_id' } },
          { operator: 'equals', attribute: 'action.method', value: 'GET' },
        ],
      },
      effect: 'allow',
    },
  ],
}
const own = { subject: { id: 'ada', password: 'tr0ub4dor' }, resource: { owner_id: 'ada' }, action: { method: 'GET' } }

test('AZ4: a policy is decided on paper, and says which rule decided and why', async (context) => {
  const folder = throwAwayFolder(context)
  const file = (name: string, content: unknown): string => {
    const path = join(folder, name)
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  }
  const document = file('policy.json', owners)

  await context.test('explain: the decision, every condition with what it saw, and exit 1 for a deny', async () => {
    const yes = await run(policy, ['explain', document, file('own.json', own)])
    assert.equal(yes.code, 0)
    assert.match(yes.out, /^permit: rules\[0\] \(owners read\) allows it\n/)
    assert.match(yes.out, /subject\.id equals resource\.owner_id: holds .*"ada"/)
    const no = await run(policy, ['explain', document, file('other.json', { ...own, resource: { owner_id: 'bob' } })])
    assert.equal(no.code, 1)
    assert.match(no.out, /^deny: no rule matches\n/)
    assert.match(no.out, /→ fails/)
    const absent = await run(policy, ['explain', document, file('absent.json', { subject: { id: 'ada' } })])
    assert.equal(absent.code, 1, 'what is not known permits nothing')
    assert.match(absent.out, /→ undefined/)
  })

  await context.test('test: cases beside the policy, and exit 1 where one comes out otherwise', async () => {
    const cases = [
      { name: 'her own', request: own, expect: 'permit', rule: 0 },
      { name: 'another’s', request: { ...own, subject: { id: 'bob' } }, expect: 'deny', rule: null },
    ]
    const good = await run(policy, ['test', document, file('cases.json', cases)])
    assert.deepEqual([good.code, good.out, good.err], [0, '2 of 2 as expected\n', ''])
    const alone = await run(policy, ['test', document])
    assert.deepEqual([alone.code, /\.cases\.json` cannot be read/.test(alone.err)], [2, true], alone.err)
    file('policy.cases.json', cases)
    assert.equal((await run(policy, ['test', document])).out, good.out, 'those beside it, where none are named')
    const [first, second] = cases
    const wrong = file('wrong.json', [
      { ...first, expect: 'deny', rule: null },
      { ...second, rule: 0 },
    ])
    const bad = await run(policy, ['test', document, wrong])
    assert.equal(bad.code, 1)
    assert.match(bad.err, /^her own: expected deny by no rule, got permit: rules\[0\]/)
    assert.match(bad.err, /another’s: expected deny by rules\[0\], got deny: no rule matches/)
    assert.match(bad.out, /^0 of 2/)
  })

  await context.test(
    'replay: what each rule came to, and the lines that another document decides otherwise',
    async () => {
      const requests = [own, { ...own, subject: { id: 'bob' } }, own, { ...own, action: { method: 'DELETE' } }]
      const recording = file('recorded.jsonl', requests.map((one) => `${JSON.stringify(one)}\n`).join('\n'))
      const counted = await run(policy, ['replay', document, recording])
      assert.deepEqual(
        [counted.code, counted.out],
        [0, '2\tpermit: rules[0] (owners read) allows it\n2\tdeny: no rule matches\n4\tin all\n'],
      )
      const same = await run(policy, ['replay', document, recording, '--against', document])
      assert.deepEqual([same.code, same.out], [0, '0 of 4 would be decided otherwise\n'])
      const [rule] = owners.rules
      const wider = file('wider.json', { ...owners, rules: [{ ...rule, condition: rule?.condition.all[0] }] })
      const differing = await run(policy, ['replay', wider, recording, '--against', document])
      assert.deepEqual(
        [differing.code, differing.out],
        [
          1,
          `${recording}:7: deny: no rule matches → permit: rules[0] (owners read) allows it\n1 of 4 would be decided otherwise\n`,
        ],
      )
      const torn = file('torn.jsonl', `${JSON.stringify(own)}\n{"subject":`)
      for (const [content, message] of [
        [torn, /torn\.jsonl:2: is no JSON/],
        [file('odd.jsonl', `\n${JSON.stringify({ ...own, who: 'ada' })}`), /odd\.jsonl:2:\n.*who/],
        [file('nothing.jsonl', '\n'), /nothing was recorded/],
        [join(folder, 'none.jsonl'), /ENOENT/],
      ] as const) {
        const { code, err, out } = await run(policy, ['replay', document, content])
        assert.deepEqual([code, out], [2, ''], err)
        assert.match(err, message)
      }
    },
  )

  await context.test('check, and what is wrong with a call or a file: exit 2, with its place', async () => {
    assert.deepEqual((await run(policy, ['check', document])).out, `${document}: in order\n`)
    const broken = structuredClone(owners) as { rules: { effect: string }[] }
    ;(broken.rules[0] as { effect: string }).effect = 'maybe'
    const rows: [string[], RegExp][] = [
      [[], /^usage/],
      [['check'], /^usage/],
      [['explain', document], /^usage/],
      [['guess', document, document], /^unknown `policy guess`/],
      [['check', join(folder, 'none.json')], /cannot be read \(ENOENT\)/],
      [['check', file('torn.json', '{"version":')], /is no JSON/],
      [['check', file('twice.json', '{"version":"1.0","version":"1.0","rules":[]}')], /is no JSON/],
      [['check', file('broken.json', broken)], /has 1 mistake:\n {2}rules\[0\]\.effect: /],
      [['test', document, file('none-at-all.json', [])], /a test of nothing proves nothing/],
      [
        ['test', document, file('odd.json', [{ name: 'a', request: {}, expect: 'allow' }])],
        /0\.expect: expected `permit` or `deny`/,
      ],
      [['explain', document, file('more.json', { ...own, role: 'admin' })], /role/],
    ]
    for (const [args, message] of rows) {
      const { code, err } = await run(policy, args)
      assert.equal(code, 2, args.join(' '))
      assert.match(err, message)
    }
  })
})
