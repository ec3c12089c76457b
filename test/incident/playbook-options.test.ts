// Playbooks as they are written, and as they cannot be.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'
import { mistakesOf } from '../roles/scene.ts'

const at = 'incidents.playbooks'

function mistakes(playbooks: object): readonly string[] {
  return mistakesOf({ incidents: { playbooks } } as never)
}

test('IN2: the five playbooks of the sources are there, and none acts on anybody by itself', () => {
  const outcome = parseConfig({}, {})
  assert.ok('settings' in outcome)
  const { playbooks } = outcome.settings.incidents
  assert.deepEqual(
    [...playbooks].map(
      ([name, { automatic, steps }]) => `${name} ${automatic} ${steps.map((step) => step.do).join(' ')}`,
    ),
    [
      'brute-force false account.lock sessions.end address.block',
      'data-leak false keys.rotate alert',
      'unauthorised-access false account.lock notify alert',
      'privilege-escalation false tokens.revoke notify alert',
      'data-breach true audit.snapshot alert incident.report changes.freeze notify',
    ],
  )
  const lock = playbooks.get('brute-force')?.steps[0]
  assert.deepEqual(lock, { do: 'account.lock', for: 1_800_000 })
  const harmless = new Set(['audit.snapshot', 'alert', 'incident.report'])
  for (const { automatic, steps } of playbooks.values())
    if (automatic) assert.ok(steps.every((step) => harmless.has(step.do) || step.approval === true))
})

test('IN2: a playbook takes the place of one of the house, or takes it away', () => {
  const steps = [{ do: 'sessions.end' as const }]
  const outcome = parseConfig(
    { incidents: { playbooks: { 'brute-force': { for: ['brute-force'], steps }, 'data-leak': false } } },
    {},
  )
  assert.ok('settings' in outcome)
  const { playbooks } = outcome.settings.incidents
  assert.deepEqual([playbooks.get('brute-force')?.steps, playbooks.has('data-leak')], [steps, false])
})

test('IN2: what a playbook cannot be is told with its place', () => {
  const one = (step: object, more: object = {}): readonly string[] =>
    mistakes({ mine: { for: ['x'], steps: [step], ...more } })
  assert.match(one({ do: 'house.burn' }).join(), /^incidents\.playbooks\.mine\.steps\[0\]/)
  assert.deepEqual(one({ do: 'address.block' }), [`${at}.mine.steps[0].for: expected a duration such as \`15m\``])
  assert.match(one({ do: 'account.lock', for: 'long' }).join(), /steps\[0\]\.for: expected a duration/)
  assert.deepEqual(one({ do: 'sessions.end', for: '1h' }), [`${at}.mine.steps[0].for: unknown key`])
  assert.match(
    one({ do: 'account.lock' }, { automatic: true }).join(),
    /steps\[0\]\.for: expected `for`, or `approval: true`/,
  )
  assert.deepEqual(one({ do: 'account.lock', approval: true }, { automatic: true }), [])
  assert.match(one({ do: 'alert' }, { for: [], automatic: true }).join(), /mine\.for: expected the types/)
  assert.match(one({ do: 'alert' }, { minSeverity: 'high' }).join(), /mine\.minSeverity: expected `automatic: true`/)
  assert.match(mistakes({ mine: { for: [], steps: [] } }).join(), /mine\.steps: expected a step at least/)
  assert.match(
    mistakes({ mine: { for: [], steps: [{ do: 'alert' }, { do: 'alert' }] } }).join(),
    /steps\[1\]\.do: `alert` is there already/,
  )
  assert.match(mistakes({ nothing: false }).join(), /nothing: the house brings no playbook of this name/)
  assert.match(mistakes({ EMERGENCY: { for: [], steps: [{ do: 'alert' }] } }).join(), /expected a name/)
})
