// AU6: each rule at its edge: one event less finds nothing, and neither do as many over a longer time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent } from '../../src/audit/event.ts'
import { administrativePermissions, type PresetName, presets } from '../../src/incident/detection/presets.ts'
import { suspiciousCodes } from '../../src/incident/detection/suspicious.ts'
import { eventOf, failedSignIn, findingsIn, hour, minute, request, rulesIn, signIn } from './events.ts'

interface Edge {
  readonly rule: string
  readonly preset?: PresetName
  readonly threshold: number
  readonly windowMs: number
  /** The event of a number, so long after the first one. */
  readonly event: (number: number, at: number) => AuditEvent
}

const failed = (_: number, at: number): AuditEvent => failedSignIn(at)
const limited = (_: number, at: number): AuditEvent => request(at, 'ada', { because: 'rate-limited', status: 429 })
const lacking =
  (lacks: string) =>
  (_: number, at: number): AuditEvent =>
    request(at, 'eve', { because: 'permission-required', status: 403, lacks })

const codeRun = (at: number, details: AuditEvent['details']): AuditEvent =>
  eventOf({
    type: 'api_access',
    action: 'run',
    at,
    by: 'eve',
    resource: { id: 'sha256:00', type: 'code' },
    result: 'failure',
    details: { language: 'python', outcome: 'exception', ...details },
  })

const edges: readonly Edge[] = [
  { rule: 'brute-force', threshold: 5, windowMs: 15 * minute, event: failed },
  { rule: 'brute-force', preset: 'crazy-gary', threshold: 5, windowMs: 5 * minute, event: failed },
  { rule: 'brute-force', preset: 'lazi', threshold: 5, windowMs: 15 * minute, event: failed },
  {
    rule: 'brute-force',
    preset: 'ai-assistant',
    threshold: 5,
    windowMs: 5 * minute,
    event: (number, at) => failedSignIn(at, 'ada', `203.0.113.${number}`),
  },
  { rule: 'brute-force', preset: 'ecommerce-analytics', threshold: 5, windowMs: hour, event: failed },
  {
    rule: 'brute-force-from-many',
    threshold: 30,
    windowMs: hour,
    event: (number, at) => failedSignIn(at, 'ada', `203.0.113.${number}`),
  },
  {
    rule: 'password-spraying',
    threshold: 10,
    windowMs: hour,
    event: (number, at) => failedSignIn(at, `user-${number}`),
  },
  { rule: 'unknown-accounts', threshold: 20, windowMs: hour, event: (_, at) => failedSignIn(at, '') },
  {
    rule: 'credential-stuffing',
    threshold: 100,
    windowMs: 15 * minute,
    event: (number, at) => failedSignIn(at, `user-${number}`, `203.0.113.${number}`),
  },
  {
    rule: 'enumeration',
    threshold: 50,
    windowMs: 5 * minute,
    event: (number, at) => request(at, 'eve', { because: 'not-found', status: 404, path: `/api/tasks/${number}` }),
  },
  { rule: 'rate-limit-violations', threshold: 10, windowMs: hour, event: limited },
  { rule: 'rate-limit-violations', preset: 'jaf', threshold: 10, windowMs: hour, event: limited },
  ...(['standard', 'jaf'] as const).map((preset) => ({
    rule: 'suspicious-patterns',
    preset,
    threshold: 3,
    windowMs: hour,
    event: (number: number, at: number) =>
      request(at, '', { because: suspiciousCodes[number % suspiciousCodes.length] ?? '', status: 400 }),
  })),
  {
    rule: 'sandbox-escapes',
    threshold: 3,
    windowMs: 10 * minute,
    event: (_, at) => codeRun(at, { escape_attempt: true, findings: 'escape-attempt:os' }),
  },
  {
    rule: 'forbidden-imports',
    threshold: 10,
    windowMs: 10 * minute,
    event: (number, at) => codeRun(at, { outcome: 'import-forbidden', module: `module_${number}` }),
  },
  {
    rule: 'request-flood',
    preset: 'crazy-gary',
    threshold: 100,
    windowMs: minute,
    event: (_, at) => request(at, 'gary'),
  },
]

for (const { rule, preset = 'standard', threshold, windowMs, event } of edges) {
  test(`AU6: \`${rule}\` of ${preset} finds ${threshold} within ${windowMs / minute} minutes, and neither fewer nor slower ones`, () => {
    const config = { presets: ['standard', preset] as PresetName[] }
    const spread = (count: number, lastAt: number): AuditEvent[] =>
      Array.from({ length: count }, (_, index) => event(index, Math.round((index * lastAt) / (threshold - 1))))
    const found = (events: readonly AuditEvent[]): number =>
      rulesIn(config, events).filter((name) => name === rule).length
    assert.equal(found(spread(threshold - 1, windowMs - 1)), 0)
    assert.equal(found(spread(threshold, windowMs - 1)), 1)
    assert.equal(found(spread(threshold, windowMs)), 0)
  })
}

for (const [preset, permissions] of [
  ['standard', administrativePermissions],
  ['jaf', ['system:admin', 'agent:manage', 'users:manage']],
  ['ai-assistant', ['user:manage', 'audit:view']],
  ['ecommerce-analytics', ['manage_users', 'system:config']],
] as const) {
  test(`AU6: \`privilege-escalation\` of ${preset} finds the first time that somebody asks for what only administrators may`, () => {
    for (const permission of permissions) {
      const [finding] = findingsIn({ presets: ['standard', preset] }, [lacking(permission)(0, 0)])
      assert.deepEqual(
        [finding?.type, finding?.targets],
        ['privilege-escalation', [{ type: 'user', id: 'eve' }]],
        permission,
      )
    }
    assert.deepEqual(rulesIn({ presets: ['standard', preset] }, [lacking('task:read')(0, 0)]), [])
  })
}

test('CT6: a permission to run code is no administrative one, and one forbidden module again and again is no attack', () => {
  assert.deepEqual(rulesIn({}, [lacking('sandbox:run')(0, 0)]), [])
  const runs = Array.from({ length: 40 }, (_, at) => codeRun(at, { outcome: 'import-forbidden', module: 'numpy' }))
  assert.deepEqual(rulesIn({}, runs), [])
})

test('AU6: a spent token that comes again is found the first time, with whose it was', () => {
  const details = { session: 'session-7', what: 'refresh-token' }
  const resource = { id: 'ada', type: 'user' } as const
  const [finding] = findingsIn({}, [
    eventOf({ type: 'security_incident', action: 'token-reuse', at: 0, resource, details }),
  ])
  assert.deepEqual(
    [finding?.type, finding?.events, finding?.targets],
    [
      'token-reuse',
      [1],
      [
        { type: 'user', id: 'ada' },
        { type: 'session', id: 'session-7' },
      ],
    ],
  )
})

test('ID3: a sign-in that succeeds clears what that address has failed at that account, and nobody else’s', () => {
  const four = [0, 1, 2, 3].map((at) => failedSignIn(at))
  assert.deepEqual(rulesIn({}, [...four, signIn(4), failedSignIn(5)]), [])
  assert.deepEqual(rulesIn({}, [...four, signIn(4, 'ada', { address: '198.51.100.1' }), failedSignIn(5)]), [
    'brute-force',
  ])
})

test('AU6: who has an account of their own cannot hide spraying by signing in to it now and then', () => {
  const events = Array.from({ length: 10 }, (_, index) => [
    failedSignIn(index, `user-${index}`),
    signIn(index, 'eve'),
  ]).flat()
  assert.deepEqual(rulesIn({}, events), ['password-spraying'])
})

test('AU6: a program that somebody had not used before is found from the second one on, and its versions are one', () => {
  const by = (user_agent: string, at: number): AuditEvent => signIn(at, 'ada', { user_agent })
  const first = [by('Browser/1.0', 0), by('Browser/2.17', 1), by('Browser/1.0', 2)]
  assert.deepEqual(rulesIn({}, first), [])
  assert.deepEqual(rulesIn({}, [...first, by('curl/8', 3), by('curl/9', 10 * minute)]), ['new-device'])
  const later = 90 * 24 * hour // by then nothing is remembered, and with nothing to compare nothing is new
  assert.deepEqual(rulesIn({}, [by('Browser/1.0', 0), by('curl/8', later)]), [])
  assert.deepEqual(rulesIn({}, [by('Browser/1.0', 0), by('curl/8', later - 1)]), ['new-device'])
})

test('AU6: an API key that is used from a new network is found; addresses of one network are one', () => {
  const use = (address: string, at: number): AuditEvent =>
    request(at, 'robot', { credential: 'api-key key-1' }, address)
  assert.deepEqual(rulesIn({}, [use('203.0.113.1', 0), use('203.0.113.200', 1), use('203.0.113.1', 2)]), [])
  const [finding] = findingsIn({}, [use('203.0.113.1', 0), use('198.51.100.1', 1)])
  assert.deepEqual([finding?.type, finding?.targets], ['key-from-new-network', [{ type: 'api-key', id: 'key-1' }]])
})

test('AU6: refusals are found when their share is three times what it was in the windows before, and there are enough of them', () => {
  const windowMs = 10 * minute
  /** Hours with `refused` of `all` requests in each window. */
  const usual = (all: number, refused: number): AuditEvent[] =>
    Array.from({ length: 12 * all }, (_, index) => {
      const at = Math.floor(index / all) * windowMs + (index % all)
      return request(
        at,
        '',
        index % all < refused ? { because: 'permission-required', status: 401 } : {},
        `198.51.100.${index % 200}`,
      )
    })
  const now = (refused: number, fine: number): AuditEvent[] =>
    Array.from({ length: fine + refused }, (_, index) =>
      request(
        12 * windowMs + index,
        '',
        index < fine ? {} : { because: 'permission-required', status: 401 },
        `198.51.100.${index % 200}`,
      ),
    )
  const rules = (events: readonly AuditEvent[]): unknown =>
    rulesIn({}, events).filter((name) => name === 'refusals').length
  assert.equal(rules([...usual(100, 10), ...now(600, 1_400)]), 1) // 10 % are usual, and now 30 %
  assert.equal(rules([...usual(100, 10), ...now(599, 1_401)]), 0)
  assert.equal(rules([...usual(100, 10), ...now(499, 0)]), 0) // five hundred, at least
  assert.equal(rules(now(2_000, 0)), 0) // nothing is usual yet
})

test('AU6: failing sign-ins are found when far more of them fail than usually', () => {
  const windowMs = 15 * minute
  const usual = Array.from({ length: 12 * 20 }, (_, index) => {
    const at = Math.floor(index / 20) * windowMs + (index % 20)
    return index % 10 === 0
      ? failedSignIn(at, `user-${index % 7}`, `198.51.100.${index % 200}`)
      : signIn(at, `user-${index % 7}`)
  })
  const now = (count: number): AuditEvent[] =>
    Array.from({ length: count }, (_, index) =>
      failedSignIn(12 * windowMs + index, `user-${index % 7}`, `198.51.100.${index % 200}`),
    )
  const rules = (count: number): unknown =>
    rulesIn({}, [...usual, ...now(count)]).filter((name) => name === 'sign-in-failures').length
  assert.deepEqual([rules(49), rules(50)], [0, 1])
})

test('AU6: after a finding the same is found no more while it cools down, and then again', () => {
  const burst = (at: number): AuditEvent[] => [0, 1, 2, 3, 4].map((more) => failedSignIn(at + more))
  assert.equal(findingsIn({}, [...burst(0), ...burst(30 * minute)]).length, 1)
  assert.equal(findingsIn({}, [...burst(0), ...burst(hour + 4)]).length, 2)
  assert.equal(findingsIn({}, [...burst(0), ...burst(hour - 1)]).length, 1)
})

test('AU6: events that come out of order by a minute are counted as they took place', () => {
  const at = [50_000, 0, 55_000, 10_000, 59_000].map((at) => failedSignIn(at))
  assert.deepEqual(rulesIn({ rules: { 'brute-force': { window: '1m' } } }, at), ['brute-force'])
  const late = [0, 61_000, 30_000, 62_000, 63_000].map((at) => failedSignIn(at))
  assert.deepEqual(rulesIn({ rules: { 'brute-force': { window: '1m' } } }, late), [])
})

test('AU6: a clock that is put back by an hour hides nobody', () => {
  const at = [2 * hour, 2 * hour + 1, hour, hour + 1, hour + 2]
  assert.deepEqual(
    rulesIn(
      {},
      at.map((at) => failedSignIn(at)),
    ),
    ['brute-force'],
  )
  const values = at.map((at, index) => failedSignIn(at, `user-${index}`))
  assert.deepEqual(rulesIn({ rules: { 'password-spraying': { threshold: 5 } } }, values), ['password-spraying'])
})

test('AU6: a flood of other keys drives out nobody who is near a threshold', () => {
  const near = [0, 1, 2, 3].map((at) => failedSignIn(at, 'ada', '198.51.100.1'))
  const flood = Array.from({ length: 50_000 }, (_, index) => failedSignIn(10, 'ada', `2001:db8::${index.toString(16)}`))
  const rules = { 'brute-force': { targets: ['resource'] } }
  const found = findingsIn(
    { presets: [], rules: { 'brute-force': { ...presets.standard['brute-force'], ...rules['brute-force'] } } },
    [...near, ...flood, failedSignIn(20, 'ada', '198.51.100.1')] as AuditEvent[],
  )
  assert.deepEqual(
    found.map(({ cause }) => cause),
    ['brute-force: ada 198.51.100.1'],
  )
})

test('AU6: of a rule that finds a hundred causes within an hour, the others are told together', () => {
  const events = Array.from({ length: 300 }, (_, index) =>
    request(index, `eve-${index}`, { status: 403, lacks: 'users:manage' }),
  )
  const found = findingsIn({}, events)
  assert.equal(found.length, 101)
  assert.deepEqual([found[100]?.cause, found[100]?.targets], ['privilege-escalation: many', []])
})

test('A60: what callers chose cannot break a line, and a long key does not make a long cause', () => {
  const config = {
    presets: [],
    rules: {
      x: {
        kind: 'count',
        type: 'x',
        title: 'X',
        severity: 'low',
        when: { type: 'api_access' },
        by: 'details.path',
        threshold: 1,
        window: '1m',
      },
    },
  } as const
  const [short, long] = findingsIn(config as never, [
    request(0, 'eve', { path: '/a\n\u202e\u0000b' }),
    request(1, 'eve', { path: `/${'x'.repeat(250)}` }),
  ])
  assert.equal(short?.cause, 'x: /a���b')
  assert.match(long?.cause ?? '', /^x: [\w-]{22}$/)
})

test('AU6: what is usual is the mean of the windows that are known, also when only the last of them are', () => {
  const rule = {
    kind: 'jump',
    type: 'unusual-use',
    title: 'Much',
    severity: 'low',
    when: { type: 'api_access' },
    by: 'house',
    factor: 3,
    windows: 12,
    least: 10,
    window: '10m',
  } as const
  const hundred = (window: number, count = 100): AuditEvent[] =>
    Array.from({ length: count }, (_, index) => request(window * 10 * minute + index, 'ada'))
  const rules = (events: readonly AuditEvent[]): unknown => rulesIn({ presets: [], rules: { much: rule } }, events)
  const sixOf = [6, 7, 8, 9, 10, 11].flatMap((window) => hundred(window))
  assert.deepEqual(rules([...sixOf, ...hundred(12, 299)]), [])
  assert.deepEqual(rules([...sixOf, ...hundred(12, 300)]), ['much'])
})
