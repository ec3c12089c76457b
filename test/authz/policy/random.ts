import fc from 'fast-check'

// Few names and few values, so that rules and requests meet.
const text = fc.constantFrom('a', 'b', 'ab', 'c', '')
const scalar = fc.oneof(text, fc.constantFrom(0, 1, 2, -1.5), fc.boolean())
const ofUnknownType = fc.constantFrom(
  'subject.level',
  'resource.level',
  'resource.tags',
  'environment.deep.er',
  'action.x',
)
const ofTexts = fc.constantFrom('subject.id', 'resource.type', 'resource.owner_id', 'action.name')
const anyPath = fc.oneof(ofUnknownType, ofTexts)
const texts = fc.array(text, { minLength: 1, maxLength: 4 })
const operand = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: text.map((value) => ({ text: value })) },
  { weight: 1, arbitrary: ofUnknownType.map((ref) => ({ ref })) },
)

function condition(operator: fc.Arbitrary<string>, attribute: fc.Arbitrary<string>, value: fc.Arbitrary<unknown>) {
  return fc
    .record({ operator, attribute, value })
    .filter(
      ({ attribute, value }) => JSON.stringify(value) !== JSON.stringify({ ref: attribute }) && value !== attribute,
    )
}

const equality = fc.constantFrom('equals', 'not_equals')
const nonEmpty = fc.constantFrom<unknown>('a', 'b', 'ab', 1, { ref: 'resource.level' })

/** Conditions of every operator that needs no clock and no network; `exists` apart, since it alone asks what is missing. */
const plain = fc.oneof(
  condition(equality, ofTexts, fc.oneof(text, ofUnknownType, ofTexts)),
  condition(equality, ofUnknownType, operand),
  condition(equality, ofUnknownType, texts),
  condition(
    fc.constantFrom('equals', 'not_equals', 'starts_with'),
    fc.constant('subject.role'),
    fc.constantFrom('a', 'b'),
  ),
  condition(fc.constant('in'), fc.oneof(ofTexts, fc.constant('subject.role')), fc.oneof(texts, ofUnknownType)),
  condition(
    fc.constant('in'),
    ofUnknownType,
    fc.oneof(texts, fc.array(fc.constantFrom(0, 1, 2), { minLength: 1, maxLength: 3 }), fc.constant('subject.roles')),
  ),
  condition(fc.constant('contains'), fc.constant('subject.roles'), fc.constantFrom('a', 'b', 'subject.id')),
  condition(fc.constant('contains'), ofUnknownType, nonEmpty),
  condition(fc.constant('starts_with'), ofTexts, fc.constantFrom('a', 'ab', 'resource.level')),
  condition(
    fc.constantFrom('greater_than', 'less_than'),
    ofUnknownType,
    fc.constantFrom(0, 1, 1.5, 'environment.time'),
  ),
)
const exists = fc.oneof(
  fc.record({ operator: fc.constant('exists'), attribute: anyPath, value: fc.boolean() }),
  fc.record({ operator: fc.constant('exists'), attribute: fc.constant('subject.roles') }),
)

function nested(leaf: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const { inner } = fc.letrec<{ inner: unknown }>((tie) => ({
    inner: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { weight: 4, arbitrary: leaf },
      { weight: 1, arbitrary: fc.array(tie('inner'), { minLength: 1, maxLength: 3 }).map((all) => ({ all })) },
      { weight: 1, arbitrary: fc.array(tie('inner'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })) },
      { weight: 1, arbitrary: tie('inner').map((not) => ({ not })) },
    ),
  }))
  return inner
}

function documents(leaf: fc.Arbitrary<unknown>, maxLength: number): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  return fc.record({
    version: fc.constant('1.0'),
    combining: fc.constantFrom('first-match', 'deny-overrides'),
    rules: fc.array(fc.record({ condition: nested(leaf), effect: fc.constantFrom('allow', 'deny') }), {
      maxLength,
      size: 'max',
    }),
  })
}

/** Documents without mistakes. */
export const anyDocument = documents(fc.oneof({ weight: 8, arbitrary: plain }, { weight: 1, arbitrary: exists }), 40)

/** The same without `exists`. */
export const withoutExists = documents(plain, 12)

const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(null, Number.NaN, {}, [1, 'a'], ['b', {}], [null], [['a']], [Number.NaN]),
  },
  { weight: 1, arbitrary: fc.array(text, { maxLength: 3 }) },
)

function group(known: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  return fc.record(known, { requiredKeys: [] })
}

const mostlyText = fc.oneof({ weight: 6, arbitrary: text }, { weight: 1, arbitrary: value })
const mostlyTexts = fc.oneof(
  { weight: 1, arbitrary: fc.array(fc.oneof(text, fc.constantFrom(1, null, {})), { maxLength: 3 }) },
  { weight: 4, arbitrary: fc.array(text, { maxLength: 3 }) },
  { weight: 1, arbitrary: value },
)

/** Requests of the names that those documents ask for; any of them may be missing or of a type that nobody expects. */
export const anyRequest = group({
  subject: fc.oneof(
    { weight: 9, arbitrary: group({ id: mostlyText, role: mostlyTexts, roles: mostlyTexts, level: value }) },
    { weight: 1, arbitrary: value },
  ),
  resource: group({ type: mostlyText, owner_id: mostlyText, level: value, tags: mostlyTexts }),
  action: group({ name: mostlyText, x: value }),
  environment: group({ time: value, deep: fc.oneof(group({ er: value }), value) }),
})
