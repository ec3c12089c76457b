// Who is told, as it is configured: what cannot work is an error with its place.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'

function mistakesOf(incidents: object): readonly string[] {
  const outcome = parseConfig({ incidents }, { KEY: 'a routing key', URL: 'https://hooks.example/T0/B0' })
  return 'mistakes' in outcome ? outcome.mistakes.map(({ path, message }) => `${path}: ${message}`) : []
}

test('IN3: channels that can work are taken as they are', () => {
  const alerts = {
    hook: { kind: 'webhook', url: 'https://hooks.example/in', secret: { env: 'KEY' }, minSeverity: 'low' },
    local: { kind: 'webhook', url: 'http://127.0.0.1:9000/in' },
    plain: { kind: 'webhook', url: 'http://collector.internal/in', insecure: true },
    slack: { kind: 'webhook', body: 'slack', url: { env: 'URL' }, types: ['data-breach'] },
    pager: { kind: 'webhook', body: 'pagerduty', routingKey: { env: 'KEY' }, onlyEscalated: true },
    here: { kind: 'console', format: 'json' },
  }
  assert.deepEqual(mistakesOf({ alerts, escalate: [{ after: '15m', to: ['pager'] }] }), [])
})

test('IN3: a channel that cannot work is an error that names it', () => {
  const hook = { kind: 'webhook', url: 'https://hooks.example/in' }
  for (const [incidents, mistake] of [
    [
      { alerts: { a: { kind: 'pigeon' } } },
      /^incidents\.alerts\.a\.kind: expected `kind`: `webhook`, `email` or `console`/,
    ],
    [{ alerts: { a: { kind: 'webhook' } } }, /^incidents\.alerts\.a\.url: is missing$/],
    [{ alerts: { a: { ...hook, url: 'nowhere' } } }, /^incidents\.alerts\.a\.url: expected an address/],
    [{ alerts: { a: { ...hook, url: 'http://hooks.example/' } } }, /^incidents\.alerts\.a\.url: expected `https/],
    [{ alerts: { a: { ...hook, url: 'https://me:pass@hooks.example/' } } }, /url: expected no name or password/],
    [{ alerts: { a: { ...hook, url: 'file:///etc/passwd' } } }, /url: expected `https/],
    [{ alerts: { a: { ...hook, url: 'ftp://hooks.example/', insecure: true } } }, /url: expected `https/],
    [{ alerts: { a: { ...hook, url: 'http://me@hooks.example/', insecure: true } } }, /url: expected no name or/],
    [{ alerts: { a: { ...hook, secret: 'inline' } } }, /^incidents\.alerts\.a\.secret: expected `env/],
    [
      { alerts: { a: { ...hook, secret: { env: 'GONE' } } } },
      /^incidents\.alerts\.a\.secret: the environment variable `GONE` is not set/,
    ],
    [{ alerts: { a: { ...hook, body: 'pagerduty' } } }, /^incidents\.alerts\.a\.routingKey: is missing/],
    [{ alerts: { a: { ...hook, routingKey: { env: 'KEY' } } } }, /routingKey: belongs to `pagerduty`/],
    [{ alerts: { a: { ...hook, minSeverity: 'worst' } } }, /^incidents\.alerts\.a\.minSeverity: expected `low`/],
    [{ alerts: { a: { ...hook, colour: 'red' } } }, /^incidents\.alerts\.a\.colour/],
    [{ alerts: { 'a b': hook } }, /expected a name of letters/],
    [
      { alerts: { a: { kind: 'email', to: ['not one'] } } },
      /^incidents\.alerts\.a\.to\[0\]: expected an e-mail address/,
    ],
    [{ alerts: { a: { kind: 'email', to: ['soc@example.com'] } } }, /^incidents\.alerts\.a: expected `mail` beside it/],
    [
      { alerts: { a: hook }, escalate: [{ after: '15m', to: ['b'] }] },
      /^incidents\.escalate\[0\]\.to\[0\]: no channel of `alerts` is called `b`; there is `a`/,
    ],
    [{ escalate: [{ after: 'soon', to: ['b'] }] }, /^incidents\.escalate\[0\]\.after: expected a duration/],
  ] as const) {
    const found = mistakesOf(incidents)
    assert.ok(
      found.some((one) => mistake.test(one)),
      `${JSON.stringify(incidents)}: ${JSON.stringify(found)}`,
    )
  }
})
