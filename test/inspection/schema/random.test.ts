import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { openSchemas, type Schema } from '../../../src/inspection/schema/compile.ts'

const names = ['a', 'b', 'constructor', '__proto__', 'a/b']
const plainNames = ['a', 'b', 'constructor', 'a/b']

const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(
      null,
      true,
      false,
      0,
      1,
      -1,
      2.5,
      1e300,
      '',
      'a',
      'ab',
      'aab',
      '2026-01-01',
      '😀',
      '\ud800',
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.constantFrom(...names), tie('value')), { maxLength: 4 })
      .map(
        (members) =>
          JSON.parse(
            `{${[...new Map(members)].map(([name, member]) => `${JSON.stringify(name)}:${JSON.stringify(member)}`).join()}}`,
          ) as unknown,
      ),
  ),
})).value

const schema = fc.letrec<{ schema: Schema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4 },
    fc.boolean(),
    fc.constantFrom<Schema>(
      {},
      { type: 'string' },
      { type: ['integer', 'null'] },
      { const: 1 },
      { enum: ['a', null, { a: 1 }] },
      { type: 'string', minLength: 1, maxLength: 2 },
      { type: 'string', pattern: '^a+b?$' },
      { type: 'number', minimum: 0, exclusiveMaximum: 2 },
      { type: 'string', format: 'date' },
      { type: 'integer', multipleOf: 2 },
      { $ref: '#/$defs/shared' },
      { $ref: '#' },
    ),
    fc.tuple(tie('schema'), tie('schema')).map(([one, other]) => ({ anyOf: [one, other] })),
    fc.tuple(tie('schema'), tie('schema')).map(([one, other]) => ({ oneOf: [one, other] })),
    fc.tuple(tie('schema'), tie('schema')).map(([one, other]) => ({ allOf: [one, other] })),
    tie('schema').map((not) => ({ not })),
    fc.tuple(tie('schema'), tie('schema'), tie('schema')).map(([one, two, three]) =>
      Object.fromEntries([
        ['if', one],
        ['then', two],
        ['else', three],
      ]),
    ),
    fc
      .tuple(tie('schema'), fc.nat(2), fc.boolean())
      .map(([items, minItems, uniqueItems]) => ({ type: 'array', items, minItems, uniqueItems })),
    fc.tuple(tie('schema'), tie('schema')).map(([first, items]) => ({ type: 'array', prefixItems: [first], items })),
    tie('schema').map((contains) => ({ type: 'array', contains })),
    fc
      .tuple(
        fc.constantFrom(...plainNames),
        tie('schema'),
        fc.constantFrom(...plainNames),
        fc.oneof(fc.constant(undefined), tie('schema')),
      )
      .map(([name, property, required, additional]) => ({
        type: 'object',
        properties: { [name]: property },
        required: [required],
        ...(additional === undefined ? {} : { additionalProperties: additional }),
      })),
    tie('schema').map((property) => ({
      type: 'object',
      anyOf: [{ properties: { a: property } }, { properties: { b: true } }],
      unevaluatedProperties: false,
    })),
    tie('schema').map((propertyNames) => ({ type: 'object', propertyNames })),
    fc.constant<Schema>({
      type: 'object',
      dependentRequired: { a: ['b'] },
      patternProperties: { '^a': { type: 'integer' } },
      maxProperties: 2,
    }),
  ),
})).schema

const document = fc.tuple(schema, schema).map(([one, shared]) => ({ allOf: [one], $defs: { shared } }))

/** Ajv as it comes follows such a reference until its stack ends, before it has seen any value. */
function refersToItselfAlone({ $defs }: { readonly $defs: { readonly shared: Schema } }): boolean {
  return typeof $defs.shared === 'object' && $defs.shared['$ref'] === '#/$defs/shared'
}

/** Ajv as it comes takes the names that every object has for evaluated: the same, with names that no object has, is what it is asked. */
function withPlainNames<T>(json: T): T {
  const text = JSON.stringify(json)
    .replaceAll('"constructor"', '"konstructor"')
    .replaceAll('"__proto__"', '"__plain__"')
  return JSON.parse(text) as T
}

test('CT1: of random schemas and values our verdict is that of Ajv as it comes', () => {
  let fits = 0
  let breaks = 0
  let endless = 0
  const ours = openSchemas({ typesOptional: true })
  const theirs = new Ajv2020({
    strict: false,
    ownProperties: true,
    multipleOfPrecision: 6,
    logger: false,
    formats: { date: (text: string) => /^\d{4}-\d\d-\d\d$/.test(text) },
  })
  fc.assert(
    fc.property(document, fc.array(value, { minLength: 1, maxLength: 8 }), (schema, values) => {
      let expected: readonly (boolean | 'endless')[]
      fc.pre(!refersToItselfAlone(schema))
      const validate = theirs.compile(withPlainNames(schema))
      expected = values.map((one) => {
        try {
          return validate(withPlainNames(one)) as boolean
        } catch (error) {
          assert.ok(error instanceof RangeError, String(error))
          return 'endless' // a schema that is itself, of the same value
        }
      })
      const check = ours.compile(schema)
      for (const [index, one] of values.entries()) {
        const broken = check(one, 100)
        if (expected[index] === 'endless') {
          endless++
          assert.notEqual(broken, undefined)
          continue
        }
        if (expected[index]) fits++
        else breaks++
        assert.equal(broken === undefined, expected[index], JSON.stringify({ schema, one }))
        assert.ok(
          broken === undefined || broken.violations.length > 0,
          `${JSON.stringify({ schema, one })} is told why`,
        )
      }
    }),
    { numRuns: 200 },
  )
  assert.ok(fits > 50 && breaks > 50, `${fits} fit, ${breaks} do not, ${endless} are endless`)
})
