import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compilePolicy } from '../../../src/authz/policy/compile.ts'
import { policyOf, ruleOf } from './support.ts'

function mistakesOf(document: unknown): readonly string[] {
  const read = compilePolicy(document)
  return 'mistakes' in read ? read.mistakes.map(({ path, message }) => `${path}: ${message}`) : []
}

const condition = { operator: 'equals', attribute: 'subject.id', value: 'ann' }
const rule = { description: 'Ann', condition, effect: 'allow' }

test('AZ4: every mistake of a document is said at once, each with its path', () => {
  const document = {
    version: '2.0',
    rules: [
      rule,
      { condition: { operator: 'matches', attribute: 'person.id', value: 1 }, effect: 'permit' },
      {
        condition: {
          all: [condition, { not: { operator: 'greater_than', attribute: 'resource.size', value: 'big' } }],
        },
        effect: 'deny',
        priority: 1,
      },
    ],
  }
  assert.deepEqual(mistakesOf(document), [
    'version: expected the version `1.0`, got `2.0`',
    'rules[1].condition.operator: expected `equals`, `not_equals`, `in`, `contains`, `greater_than`, `less_than`, `starts_with`, `exists`, `between`, `in_network`, or `all`, `any`, `not` in place of the condition, got `matches`',
    'rules[1].condition.attribute: expected an attribute below `subject`, `resource`, `action`, `environment`, got `person.id`',
    'rules[1].effect: expected `allow` or `deny`, got `permit`',
    'rules[2].priority: expected `description`, `condition`, `effect`, got `priority`',
    'rules[2].condition.all[1].not.value: expected a number or a reference, got `big`',
  ])
})

// biome-ignore format: a table
const wrongConditions: readonly (readonly [condition: unknown, path: string, message: RegExp])[] = [
  [undefined, '', /expected an object, got nothing/],
  [null, '', /expected an object, got `null`/],
  [[condition], '', /expected an object, got a list/],
  [{}, '.operator', /got nothing/],
  [{ ...condition, operator: 'Equals' }, '.operator', /got `Equals`/],
  [{ ...condition, operator: 'toString' }, '.operator', /got `toString`/],
  [{ ...condition, operator: '__proto__' }, '.operator', /got `__proto__`/],
  [{ ...condition, extra: 1 }, '.extra', /expected `operator`, `attribute`, `value`, got `extra`/],
  [JSON.parse('{ "operator": "exists", "attribute": "subject.id", "__proto__": 1 }'), '.__proto__', /got `__proto__`/],
  [{ ...condition, zone: 'UTC' }, '.zone', /beside `between` alone/],
  [{ ...condition, attribute: 'subject' }, '.attribute', /such as `subject.id`, got `subject`/],
  [{ ...condition, attribute: 'Subject.id' }, '.attribute', /got `Subject.id`/],
  [{ ...condition, attribute: 'subject.' }, '.attribute', /the name of an attribute, got ``/],
  [{ ...condition, attribute: 'subject..id' }, '.attribute', /got ``/],
  [{ ...condition, attribute: 'subject.id.x' }, '.attribute', /`subject.id` alone/],
  [{ ...condition, attribute: 'subject.a b' }, '.attribute', /got `a b`/],
  [{ ...condition, attribute: 'resource.__proto__' }, '.attribute', /got `__proto__`/],
  [{ ...condition, attribute: 'resource.__proto__.x' }, '.attribute', /got `__proto__`/],
  [{ ...condition, attribute: 'resource.constructor' }, '.attribute', /got `constructor`/],
  [{ ...condition, attribute: 'resource.a.toString' }, '.attribute', /got `toString`/],
  [{ ...condition, attribute: `subject.${'x'.repeat(65)}` }, '.attribute', /the name of an attribute/],
  [{ ...condition, attribute: `subject${'.x'.repeat(8)}` }, '.attribute', /at most 8 names/],
  [{ ...condition, attribute: `subject.${'x.'.repeat(200)}` }, '.attribute', /at most 200 characters/],
  [{ ...condition, attribute: 7 }, '.attribute', /expected an attribute, got `7`/],
  [{ ...condition, value: undefined }, '.value', /got nothing/],
  [{ ...condition, value: null }, '.value', /got `null`/],
  [{ ...condition, value: 7 }, '.value', /expected a text or a reference, got `7`/],
  [{ ...condition, value: ['ann'] }, '.value', /expected a text or a reference, got a list/],
  [{ ...condition, value: {} }, '.value', /got an object/],
  [{ ...condition, value: Number.NaN }, '.value', /got `NaN`/],
  [{ ...condition, value: 'x'.repeat(1_001) }, '.value', /at most 1000 characters, got 1001/],
  [{ ...condition, value: { text: 7 } }, '.value.text', /expected a text, got `7`/],
  [{ ...condition, value: { text: 'x', ref: 'resource.x' } }, '.value.text', /expected `ref`/],
  [{ ...condition, value: { ref: 7 } }, '.value.ref', /expected an attribute, got `7`/],
  [{ ...condition, value: { ref: 'ann' } }, '.value.ref', /got `ann`/],
  [{ ...condition, value: { ref: 'resource.constructor' } }, '.value.ref', /got `constructor`/],
  [{ ...condition, value: { ref: 'environment.time' } }, '.value.ref', /expected a text, got `environment.time`, which is a number/],
  [{ ...condition, value: 'environment.time' }, '.value', /which is a number/],
  [{ ...condition, value: 'subject.roles' }, '.value', /which is a list/],
  [{ ...condition, value: 'environment.time_of_day' }, '.value', /which is a time of day/],
  [{ ...condition, value: 'subject.role' }, '.value', /expected the list `subject.roles`, with `in`/],
  [{ ...condition, value: 'subject.id' }, '.value', /expected another attribute, got `subject.id` itself/],
  [{ ...condition, value: 'resource.owner id' }, '.value', /got `owner id`; the text itself is written \{ "text": "…" \}/],
  [{ operator: 'in', attribute: 'subject.id', value: 'ann' }, '.value', /expected a list or a reference, got `ann`/],
  [{ operator: 'in', attribute: 'subject.id', value: [] }, '.value', /1 to 10000 items, got 0/],
  [{ operator: 'in', attribute: 'subject.id', value: Array.from({ length: 10_001 }, String) }, '.value', /got 10001/],
  [{ operator: 'in', attribute: 'subject.id', value: ['a', 7] }, '.value[1]', /expected a text like the rest/],
  [{ operator: 'in', attribute: 'subject.id', value: [7] }, '.value[0]', /expected a text/],
  [{ operator: 'in', attribute: 'resource.level', value: [7, 'a'] }, '.value[1]', /expected a number like the rest/],
  [{ operator: 'in', attribute: 'resource.level', value: [null] }, '.value[0]', /got `null`/],
  [{ operator: 'in', attribute: 'resource.level', value: [[1]] }, '.value[0]', /expected a value, got a list/],
  [{ operator: 'in', attribute: 'subject.id', value: ['resource.owner_id'] }, '.value[0]', /beside the list, with `any`/],
  [{ operator: 'in', attribute: 'subject.id', value: [{ ref: 'resource.owner_id' }] }, '.value[0]', /beside the list/],
  [{ operator: 'in', attribute: 'subject.id', value: 'resource.owner_id' }, '.value', /expected a list, got `resource.owner_id`/],
  [{ operator: 'in', attribute: 'subject.roles', value: ['a'] }, '.operator', /which is a list, got `in`/],
  [{ operator: 'contains', attribute: 'subject.roles', value: 7 }, '.value', /expected a text/],
  [{ operator: 'contains', attribute: 'subject.role', value: 'a' }, '.operator', /which is a role, got `contains`/],
  [{ operator: 'contains', attribute: 'environment.time', value: 7 }, '.operator', /which is a number/],
  [{ operator: 'contains', attribute: 'resource.path', value: '' }, '.value', /got an empty one/],
  [{ operator: 'starts_with', attribute: 'resource.path', value: '' }, '.value', /got an empty one/],
  [{ operator: 'starts_with', attribute: 'environment.time', value: 'a' }, '.operator', /which is a number/],
  [{ operator: 'greater_than', attribute: 'subject.id', value: 7 }, '.operator', /which is a text, got `greater_than`/],
  [{ operator: 'less_than', attribute: 'resource.size', value: '7' }, '.value', /expected a number or a reference, got `7`/],
  [{ operator: 'less_than', attribute: 'resource.size', value: Number.POSITIVE_INFINITY }, '.value', /got `Infinity`/],
  [{ operator: 'greater_than', attribute: 'resource.size', value: 'subject.id' }, '.value', /expected a number, got `subject.id`/],
  [{ operator: 'exists', attribute: 'subject.id', value: 'yes' }, '.value', /`true`, `false` or nothing, got `yes`/],
  [{ operator: 'exists', attribute: 'environment.time_of_day' }, '.operator', /expected `between`/],
  [{ operator: 'equals', attribute: 'environment.time_of_day', value: '09:00' }, '.operator', /expected `between`/],
  [{ operator: 'between', attribute: 'resource.size', value: [1, 2] }, '.operator', /got `between`/],
  [{ operator: 'between', attribute: 'environment.time_of_day', value: ['9:00', '17:00'] }, '.value', /two times of day/],
  [{ operator: 'between', attribute: 'environment.time_of_day', value: ['09:00', '24:01'] }, '.value', /two times of day/],
  [{ operator: 'between', attribute: 'environment.time_of_day', value: ['24:00', '06:00'] }, '.value', /two times of day/],
  [{ operator: 'between', attribute: 'environment.time_of_day', value: ['09:00'] }, '.value', /two times of day/],
  [{ operator: 'between', attribute: 'environment.time_of_day', value: ['09:00', '09:00'] }, '.value', /that differ/],
  [{ operator: 'between', attribute: 'environment.time_of_day', value: ['09:00', '17:00'], zone: 'Europe/Atlantis' }, '.zone', /got `Europe\/Atlantis`/],
  [{ operator: 'between', attribute: 'environment.time_of_day', value: ['09:00', '17:00'], zone: '+02:00' }, '.zone', /time zone/],
  [{ operator: 'in_network', attribute: 'environment.ip', value: '10.0.0.1/8' }, '.value', /expected a network such as/],
  [{ operator: 'in_network', attribute: 'environment.ip', value: ['10.0.0.0/8', 'lan'] }, '.value[1]', /got `lan`/],
  [{ operator: 'in_network', attribute: 'environment.ip', value: [] }, '.value', /1 to 10000 networks/],
  [{ operator: 'in_network', attribute: 'environment.time', value: '::/0' }, '.operator', /which is a number/],
  [{ all: [] }, '.all', /expected a list of conditions, got none/],
  [{ any: condition }, '.any', /expected a list of conditions, got an object/],
  [{ all: [condition, 7] }, '.all[1]', /expected an object, got `7`/],
  [{ all: [condition], any: [condition] }, '.any', /expected `all`, got `any`/],
  [{ not: [condition] }, '.not', /expected an object, got a list/],
  [{ not: condition, operator: 'equals' }, '.operator', /expected `not`/],
]

test('AZ4: what is unknown, of the wrong type or too long is an error with its path when a policy is loaded', () => {
  for (const [wrong, path, message] of wrongConditions) {
    const mistakes = mistakesOf({ version: '1.0', rules: [rule, { condition: wrong, effect: 'deny' }] })
    const found = mistakes.some((mistake) => mistake.startsWith(`rules[1].condition${path}: `) && message.test(mistake))
    assert.ok(found, `${JSON.stringify(wrong)}\n${mistakes.join('\n')}`)
  }
})

// biome-ignore format: a table
const wrongDocuments: readonly (readonly [document: unknown, mistake: RegExp])[] = [
  [undefined, /^: expected an object, got nothing/],
  ['{}', /^: expected an object/],
  [[], /^: expected an object, got a list/],
  [{}, /^version: expected the version `1.0`, got nothing/],
  [{ version: 1, rules: [] }, /^version: .* got `1`/],
  [{ version: '1.0' }, /^rules: expected a list of rules, got nothing/],
  [{ version: '1.0', rules: {} }, /^rules: expected a list of rules, got an object/],
  [{ version: '1.0', rules: new Array(1) }, /^rules\[0\]: expected an object, got nothing/],
  [{ version: '1.0', rules: [], combine: 'x' }, /^combine: expected `version`, `combining`, `rules`, got `combine`/],
  [{ version: '1.0', rules: [], combining: 'permit-overrides' }, /^combining: expected `first-match` or `deny-overrides`/],
  [{ version: '1.0', rules: [{ ...rule, description: 7 }] }, /^rules\[0\].description: expected a text/],
  [{ version: '1.0', rules: [{ ...rule, description: 'x'.repeat(1_001) }] }, /^rules\[0\].description: .* at most 1000/],
  [{ version: '1.0', rules: [{ ...rule, effect: undefined }] }, /^rules\[0\].effect: .* got nothing/],
  [{ version: '1.0', rules: Array.from({ length: 10_001 }, () => rule) }, /^rules: expected at most 10000 rules, got 10001/],
  [{ version: '1.0', rules: [], 'a\nb': 1 }, /^a\\nb: .* got `a\\nb`$/],
]

test('AZ4: a document of another shape is an error when it is loaded', () => {
  for (const [document, mistake] of wrongDocuments) {
    const mistakes = mistakesOf(document)
    assert.ok(
      mistakes.some((one) => mistake.test(one)),
      `${JSON.stringify(document)?.slice(0, 200)}\n${mistakes.join('\n')}`,
    )
  }
})

test('AZ4: conditions nest to a depth of 16, and there are 100,000 of them at most', () => {
  const nested = (levels: number): unknown => (levels === 1 ? condition : { not: nested(levels - 1) })
  policyOf(ruleOf(nested(16)))
  const path = `rules[0].condition${'.not'.repeat(16)}`
  assert.deepEqual(mistakesOf(ruleOf(nested(17))), [`${path}: expected at most 16 levels, got one more`])

  const wide = (count: number) => ruleOf({ any: Array.from({ length: count }, () => condition) })
  policyOf(wide(99_999))
  assert.deepEqual(mistakesOf(wide(200_000)), [
    'rules[0].condition.any[99999]: expected at most 100000 conditions in all rules, got one more',
  ])
})

test('AZ4: all lists of a document hold 250,000 items at most', () => {
  const list = { operator: 'in', attribute: 'subject.id', value: Array.from({ length: 10_000 }, String) }
  policyOf(ruleOf({ any: Array.from({ length: 25 }, () => list) }))
  assert.deepEqual(mistakesOf(ruleOf({ any: Array.from({ length: 30 }, () => list) })), [
    'rules[0].condition.any[25].value: expected at most 250000 items in all lists, got more',
  ])
})

test('AZ4: a thousand conditions of a document look through a text at most: the caller chooses how long that is', () => {
  const search = (attribute: string) => ({ operator: 'contains', attribute, value: 'bot' })
  const many = (count: number, attribute: string) =>
    ruleOf({ any: Array.from({ length: count }, () => search(attribute)) })
  policyOf(many(1_000, 'environment.user_agent'))
  policyOf(many(5_000, 'subject.roles'))
  assert.deepEqual(mistakesOf(many(3_000, 'environment.user_agent')), [
    'rules[0].condition.any[1000]: expected at most 1000 conditions that look through a text, got one more',
  ])
})

test('AZ4: a document in which all is wrong says a thousand mistakes, and that there are more', () => {
  const mistakes = mistakesOf({ version: '1.0', rules: Array.from({ length: 10_000 }, () => 7) })
  assert.equal(mistakes.length, 1_001)
  assert.equal(mistakes.at(-1), ': more than 1000 mistakes')
})
