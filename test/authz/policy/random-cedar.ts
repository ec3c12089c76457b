import fc from 'fast-check'

// What both languages can say. Left out, since Cedar cannot: fractions (its numbers are whole), the beginning or a part of a text
// that another attribute holds (its patterns are literals), the beginning of one of several roles (no loop over a set), zones
// other than UTC (no clocks of places), IPv4 addresses within IPv6 ones and zones of addresses (it refuses them), lists of
// lists. A list without an item can be said, but not written as a value of ours.

const text = fc.constantFrom('a', 'b', 'ab', 'a*', 'ä"\\', '')
const long = fc.constantFrom(-1, 0, 1, 2, 9_007_199_254_740_991)
const scalar = fc.oneof(text, long, fc.boolean())
const ofTexts = fc.constantFrom('subject.id', 'resource.owner_id', 'resource.type')
const ofAnyType = fc.constantFrom('resource.level', 'subject.level', 'resource.tags')
const reference = (paths: fc.Arbitrary<string>) => paths.map((ref) => ({ ref }))
const listOf = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 3 })
const clock = fc.constantFrom('00:00', '06:30', '12:00', '22:15')
const network = fc.constantFrom(
  '10.0.0.0/8',
  '10.1.0.0/16',
  '10.1.2.3',
  '0.0.0.0/0',
  '::/0',
  '2001:db8::/32',
  '2001:db8::1',
)

function row(operators: readonly string[], attribute: fc.Arbitrary<string>, value: fc.Arbitrary<unknown>) {
  return fc
    .record({ operator: fc.constantFrom(...operators), attribute, value })
    .filter(({ attribute, value }) => JSON.stringify(value) !== JSON.stringify({ ref: attribute }))
}

// biome-ignore format: a table
const plain: fc.Arbitrary<unknown> = fc.oneof(
  row(['equals', 'not_equals'],       ofTexts,                      fc.oneof(text, reference(fc.oneof(ofTexts, ofAnyType)))),
  row(['equals', 'not_equals'],       ofAnyType,                    fc.oneof(scalar, listOf(text), listOf(long), reference(ofAnyType))),
  row(['equals', 'not_equals'],       fc.constant('subject.role'),  text),
  row(['equals', 'not_equals'],       fc.constant('subject.roles'), listOf(text)),
  row(['in'],                         ofTexts,                      fc.oneof(listOf(text), reference(ofAnyType))),
  row(['in'],                         ofAnyType,                    fc.oneof(listOf(text), listOf(long), listOf(fc.boolean()), reference(fc.constant('subject.roles')))),
  row(['in'],                         fc.constant('subject.role'),  listOf(text)),
  row(['contains'],                   ofTexts,                      text.filter((one) => one !== '')),
  row(['contains'],                   ofAnyType,                    scalar.filter((one) => one !== '')),
  row(['contains'],                   fc.constant('subject.roles'), fc.oneof(text.filter((one) => one !== ''), reference(ofTexts))),
  row(['greater_than', 'less_than'],  ofAnyType,                    fc.oneof(long, reference(ofAnyType), reference(fc.constant('environment.time')))),
  row(['greater_than', 'less_than'],  fc.constant('environment.time'), fc.constantFrom(0, 1_750_000_000_000)),
  row(['starts_with'],                fc.oneof(ofTexts, ofAnyType), text.filter((one) => one !== '')),
  row(['in_network'],                 fc.constant('environment.ip'), fc.oneof(network, listOf(network))),
  row(['exists'],                     fc.oneof(ofTexts, ofAnyType, fc.constant('environment.ip')), fc.boolean()),
  row(['between'],                    fc.constant('environment.time_of_day'), fc.tuple(clock, clock).filter(([from, to]) => from !== to)),
)

const { condition } = fc.letrec<{ condition: unknown }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    { weight: 4, arbitrary: plain },
    { weight: 2, arbitrary: listOf(tie('condition')).map((all) => ({ all })) },
    { weight: 1, arbitrary: listOf(tie('condition')).map((any) => ({ any })) },
    { weight: 1, arbitrary: tie('condition').map((not) => ({ not })) },
  ),
}))

/** Documents under either combining rule. */
export const anyCedarDocument = fc.record({
  version: fc.constant('1.0'),
  combining: fc.constantFrom('first-match', 'deny-overrides'),
  rules: fc.array(fc.record({ condition, effect: fc.constantFrom('allow', 'allow', 'deny') }), {
    minLength: 1,
    maxLength: 9,
    size: 'max',
  }),
})

const anything = fc.oneof(
  { weight: 3, arbitrary: scalar },
  { weight: 2, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>({}, null) },
)

function mostly(usual: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 6, arbitrary: usual }, { weight: 1, arbitrary: anything })
}

function group(known: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  return fc.record(known, { requiredKeys: [] })
}

const texts = fc.array(text, { maxLength: 3 })
const moment = fc.integer({ min: -2_880, max: 2_880 }).map((minutes) => 1_750_032_000_000 + minutes * 60_000)
const address = fc.constantFrom(
  '10.1.2.3',
  '10.1.9.9',
  '10.9.0.1',
  '192.0.2.1',
  '2001:db8::1',
  '2001:db8:1::',
  '::1',
  'home',
)

/** Requests with what those documents ask for, and now and then without it, or with something else in its place. */
export const anyCedarRequest = fc.record({
  subject: group({ id: mostly(text), role: mostly(fc.oneof(text, texts)), roles: mostly(texts), level: anything }),
  resource: group({ owner_id: mostly(text), type: mostly(text), level: anything, tags: mostly(texts) }),
  action: fc.constant({}),
  environment: group({
    time: fc.oneof(
      { weight: 6, arbitrary: moment },
      { weight: 1, arbitrary: fc.constantFrom<unknown>(null, 'noon', true) },
    ),
    ip: mostly(address),
  }),
})
