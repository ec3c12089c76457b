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

/** Conditions of every operator that needs no clock and no network, which `anyIndexed` has; `exists` apart, since it alone asks what is missing. */
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
  return withRules(nested(leaf), 0, maxLength)
}

function withRules(condition: fc.Arbitrary<unknown>, minLength: number, maxLength: number) {
  return fc.record({
    version: fc.constant('1.0'),
    combining: fc.constantFrom('first-match', 'deny-overrides'),
    rules: fc.array(fc.record({ condition, effect: fc.constantFrom('allow', 'deny') }), {
      minLength,
      maxLength,
      size: 'max',
    }),
  })
}

/** Documents without mistakes. */
export const anyDocument = documents(fc.oneof({ weight: 8, arbitrary: plain }, { weight: 1, arbitrary: exists }), 40)

/** The same without `exists`. */
export const withoutExists = documents(plain, 12)

const prefix = fc.constantFrom('a', 'ab', 'abc', 'abd', 'b', 'ba', 'c', 'ca', 'cab')
const network = fc.constantFrom(
  '10.0.0.0/8',
  '10.1.0.0/16',
  '10.1.2.0/24',
  '10.1.2.3',
  '10.1.2.2/31',
  '0.0.0.0/0',
  '192.0.2.0/25',
  '::/0',
  '2001:db8::/32',
  '2001:db8::/33',
  '2001:db8:8000::/33',
  '2001:db8::1',
  '::ffff:10.1.0.0/112',
)
const threshold = fc.constantFrom(-1, 0, 1, 1.5, 2, 7, 1e308)
const clockTime = fc.constantFrom('00:00', '06:00', '09:00', '12:00', '22:00')
const owner = fc.constantFrom('resource.owner_id', 'resource.level')

/** What rules are put apart by, other than by values: one row for each way. */
// biome-ignore format: a table
const kinds: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  prefixes:   condition(fc.constant('starts_with'), fc.constant('resource.owner_id'), prefix),
  roles:      condition(fc.constant('starts_with'), fc.constant('subject.role'), prefix),
  unknown:    condition(fc.constant('starts_with'), fc.constant('resource.level'), prefix),
  networks:   condition(fc.constant('in_network'), fc.constantFrom('environment.ip', 'environment.ip', 'resource.level'),
                fc.oneof(network, fc.array(network, { minLength: 1, maxLength: 3 }))),
  numbers:    condition(fc.constantFrom('greater_than', 'less_than'), fc.constant('resource.size'), threshold),
  times:      condition(fc.constantFrom('greater_than', 'less_than', 'equals'), fc.constant('environment.time'), threshold),
  clocks:     fc.record({
                operator: fc.constant('between'),
                attribute: fc.constant('environment.time_of_day'),
                value: fc.tuple(clockTime, fc.oneof(clockTime, fc.constant('24:00'))).filter(([from, to]) => from !== to),
                zone: fc.constantFrom('UTC', 'Asia/Kolkata'),
              }),
  presence:   fc.record({ operator: fc.constant('exists'), attribute: fc.constantFrom('resource.size', 'subject.role'), value: fc.boolean() }),
  owners:     condition(fc.constantFrom('equals', 'not_equals'), fc.constant('subject.id'), owner),
  references: condition(fc.constantFrom('in', 'starts_with', 'contains'), fc.constant('resource.level'), fc.constantFrom({ ref: 'resource.tags' })),
  parts:      condition(fc.constant('contains'), fc.constantFrom('resource.owner_id', 'resource.tags'), prefix),
}

/** Documents of many rules that ask about the same thing in a few ways, so that each way of finding a rule has work to do. */
export const anyIndexed = fc
  .subarray(Object.values(kinds), { minLength: 1, maxLength: 3 })
  .chain((some) => withRules(grouped(fc.oneof(...some), fc.oneof(...some, plain, exists)), 6, 40))

/** One condition; two or three together, as rules mostly are; or anything. */
function grouped(often: fc.Arbitrary<unknown>, seldom: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const negated = fc.oneof({ weight: 4, arbitrary: often }, { weight: 1, arbitrary: often.map((not) => ({ not })) })
  const several = fc.array(fc.oneof({ weight: 3, arbitrary: negated }, { weight: 1, arbitrary: seldom }), {
    minLength: 2,
    maxLength: 3,
  })
  return fc.oneof(
    { weight: 3, arbitrary: negated },
    { weight: 3, arbitrary: several.map((all) => ({ all })) },
    { weight: 2, arbitrary: fc.array(negated, { minLength: 1, maxLength: 3 }).map((any) => ({ any })) },
    { weight: 1, arbitrary: nested(fc.oneof(often, seldom)) },
  )
}

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

const longText = fc.constantFrom('', 'a', 'ab', 'abc', 'abcd', 'abd', 'ba', 'bb', 'caba', 'd')
const address = fc.constantFrom(
  '10.1.2.3',
  '10.1.2.2',
  '10.1.2.4',
  '10.1.3.1',
  '10.2.0.1',
  '11.0.0.1',
  '192.0.2.127',
  '192.0.2.128',
  '::ffff:10.1.2.3',
  '::ffff:a01:203',
  '2001:db8::1',
  '2001:db8:8000::1%eth0',
  '2001:DB8:0::2',
  '2001:db9::',
  '::1',
  '10.1.2.3:80',
  '10.1.2.03',
  'fe80::1::2',
  '',
)
const number = fc.constantFrom<unknown>(
  -2,
  -1,
  -0,
  0,
  0.5,
  1,
  1.5,
  1.6,
  2,
  3,
  7,
  8,
  1e308,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
  '1',
)
const moment = fc.oneof(
  fc.integer({ min: 0, max: 48 * 60 }).map((minutes) => 1_750_000_000_000 + minutes * 60_000),
  // Where spans begin and end, in either zone.
  fc
    .tuple(fc.constantFrom(0, 6, 9, 12, 22, 24), fc.constantFrom(0, 330), fc.constantFrom(-1, 0, 59_999, 60_000))
    .map(([hour, ahead, off]) => 1_750_032_000_000 + hour * 3_600_000 - ahead * 60_000 + off),
  number,
)

function mostly(usual: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 8, arbitrary: usual }, { weight: 1, arbitrary: value })
}

/** Requests for documents of `anyIndexed`; what is missing or of another type is seldomer here. */
export const anyIndexedRequest = group({
  subject: group({
    id: mostly(longText),
    role: fc.oneof(mostly(longText), fc.array(longText, { maxLength: 4 }), mostlyTexts),
    level: value,
  }),
  resource: group({
    type: mostlyText,
    owner_id: mostly(longText),
    level: fc.oneof(longText, address, value),
    tags: mostlyTexts,
    size: mostly(number),
  }),
  action: group({ name: mostlyText, x: value }),
  environment: group({ time: mostly(moment), ip: mostly(address) }),
})
