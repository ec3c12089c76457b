import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkByType } from '../../../src/inspection/schema/body.ts'
import { openSchemas, type Schema } from '../../../src/inspection/schema/compile.ts'

const schemas = openSchemas()

interface Case {
  readonly schema: Schema
  /** A body with nothing wrong in it. */
  readonly good: Readonly<Record<string, unknown>>
  /** Members that fit in the place of its own. */
  readonly fits: readonly Readonly<Record<string, unknown>>[]
  /** Members that do not, and what is told of them. */
  readonly breaks: readonly (readonly [
    Readonly<Record<string, unknown>>,
    Readonly<Record<string, string | readonly string[]>>,
  ])[]
}

const letters = (count: number): string => 'x'.repeat(count)

const metadata = {
  type: 'object',
  maxProperties: 20,
  propertyNames: { type: 'string', maxLength: 50 },
  additionalProperties: {
    anyOf: [
      { type: 'string', maxLength: 1000 },
      { type: ['number', 'boolean', 'null'] },
      { type: 'array', maxItems: 20, items: { type: 'string', maxLength: 100 } },
    ],
  },
} as const

/** What five systems say of what they take. */
const systems: Readonly<Record<string, Case>> = {
  'a task': {
    schema: {
      type: 'object',
      properties: {
        title: { type: 'string', minLength: 3, maxLength: 100 },
        description: { type: 'string', minLength: 10, maxLength: 1000, 'x-role': 'prose' },
        priority: { type: 'string', enum: ['low', 'medium', 'high', 'critical'] },
        model: { type: 'string', enum: ['gpt-oss-120b', 'gpt-oss-20b'] },
      },
      required: ['title', 'description'],
      additionalProperties: false,
    },
    good: { title: 'Tidy up', description: 'Select a plan, or update it.', priority: 'low', model: 'gpt-oss-20b' },
    fits: [
      { title: letters(3) },
      { title: letters(100) },
      { title: '😀😀😀' },
      { description: letters(10) },
      { description: letters(1000) },
      { priority: 'critical' },
      { model: 'gpt-oss-120b' },
    ],
    breaks: [
      [{ title: letters(2) }, { title: 'must have at least 3 characters, got 2' }],
      [{ title: letters(101) }, { title: 'must have at most 100 characters, got 101' }],
      [{ title: 7 }, { title: 'must be a string' }],
      [{ title: undefined }, { title: 'is required' }],
      [{ description: letters(9) }, { description: 'must have at least 10 characters, got 9' }],
      [{ description: letters(1001) }, { description: 'must have at most 1000 characters, got 1001' }],
      [{ priority: 'urgent' }, { priority: 'must be one of low, medium, high, critical' }],
      [{ model: 'gpt-4' }, { model: 'must be one of gpt-oss-120b, gpt-oss-20b' }],
      [{ owner: 'root' }, { owner: 'is not a known field' }],
    ],
  },
  'a widget': {
    schema: {
      type: 'object',
      properties: {
        name: { type: 'string', minLength: 1, maxLength: 100, pattern: '^[a-zA-Z0-9\\s\\-_]+$' },
        description: { type: 'string', maxLength: 500, 'x-role': 'prose' },
        size: { type: 'string', enum: ['small', 'medium', 'large', 'extra_large'] },
      },
      required: ['name'],
      additionalProperties: false,
    },
    good: { name: 'My widget_1', description: '', size: 'extra_large' },
    fits: [
      { name: 'x' },
      { name: letters(100) },
      { name: 'a-b c\td' },
      { description: letters(500) },
      { description: undefined },
      { size: 'small' },
    ],
    breaks: [
      [{ name: '' }, { name: ['must have at least 1 character, got 0', 'must match `^[a-zA-Z0-9\\s\\-_]+$`'] }],
      [{ name: letters(101) }, { name: 'must have at most 100 characters, got 101' }],
      [{ name: 'a<b' }, { name: 'must match `^[a-zA-Z0-9\\s\\-_]+$`' }],
      [{ name: 'größe' }, { name: 'must match `^[a-zA-Z0-9\\s\\-_]+$`' }],
      [{ description: letters(501) }, { description: 'must have at most 500 characters, got 501' }],
      [{ size: 'extra large' }, { size: 'must be one of small, medium, large, extra_large' }],
    ],
  },
  'a message': {
    schema: {
      type: 'object',
      properties: {
        content: { type: 'string', minLength: 1, maxLength: 10_000, 'x-role': 'prose' },
        type: { type: 'string', enum: ['text', 'image', 'document'] },
        metadata,
        attachments: {
          type: 'array',
          maxItems: 10,
          items: {
            type: 'object',
            properties: {
              name: { type: 'string', minLength: 1, maxLength: 255 },
              size: { type: 'integer', minimum: 0, maximum: 10_485_760 },
            },
            required: ['name'],
            additionalProperties: false,
          },
        },
      },
      required: ['content'],
      additionalProperties: false,
    },
    good: {
      content: 'Hello',
      type: 'text',
      metadata: { topic: 'plans', words: 3, tags: ['a'] },
      attachments: [{ name: 'a.pdf', size: 0 }],
    },
    fits: [
      { content: 'x' },
      { content: letters(10_000) },
      { type: 'document' },
      { metadata: { note: letters(1000) } },
      { metadata: { [letters(50)]: null } },
      { metadata: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`key${index}`, true])) },
      { attachments: Array.from({ length: 10 }, () => ({ name: letters(255), size: 10_485_760 })) },
    ],
    breaks: [
      [{ content: '' }, { content: 'must have at least 1 character, got 0' }],
      [{ content: letters(10_001) }, { content: 'must have at most 10000 characters, got 10001' }],
      [{ type: 'video' }, { type: 'must be one of text, image, document' }],
      [{ metadata: { note: letters(1001) } }, { 'metadata.note': 'must have at most 1000 characters, got 1001' }],
      [
        { metadata: { note: { deep: 1 } } },
        { 'metadata.note': 'must be a string, a number, a boolean, null or an array' },
      ],
      [
        { metadata: { tags: Array.from({ length: 21 }, () => 'a') } },
        { 'metadata.tags': 'must have at most 20 items, got 21' },
      ],
      [{ metadata: { tags: [letters(101)] } }, { 'metadata.tags.0': 'must have at most 100 characters, got 101' }],
      [
        { metadata: { [letters(51)]: 1 } },
        { [`metadata.${letters(51)}`]: 'has a name that must have at most 50 characters, got 51' },
      ],
      [
        { metadata: Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`key${index}`, true])) },
        { metadata: 'must have at most 20 fields, got 21' },
      ],
      [
        { attachments: Array.from({ length: 11 }, () => ({ name: 'x' })) },
        { attachments: 'must have at most 10 items, got 11' },
      ],
      [{ attachments: [{ name: 'x' }, { size: 1 }] }, { 'attachments.1.name': 'is required' }],
      [{ attachments: [{ name: 'x', size: 10_485_761 }] }, { 'attachments.0.size': 'must be at most 10485760' }],
      [{ attachments: [{ name: 'x', size: 0.5 }] }, { 'attachments.0.size': 'must be an integer' }],
    ],
  },
  'input of a user': {
    schema: {
      type: 'object',
      properties: {
        username: { type: 'string', minLength: 3, maxLength: 20, pattern: '^[a-zA-Z0-9_-]+$' },
        email: { type: 'string', format: 'email', maxLength: 254 },
      },
      required: ['username', 'email'],
      additionalProperties: false,
    },
    good: { username: 'ann_1', email: 'ann@example.com' },
    fits: [
      { username: letters(3) },
      { username: letters(20) },
      { username: 'A-b_9' },
      { email: "o'brien@example.com" },
    ],
    breaks: [
      [{ username: letters(2) }, { username: 'must have at least 3 characters, got 2' }],
      [{ username: letters(21) }, { username: 'must have at most 20 characters, got 21' }],
      [{ username: 'ann 1' }, { username: 'must match `^[a-zA-Z0-9_-]+$`' }],
      [{ username: 'ann_1\n' }, { username: 'must match `^[a-zA-Z0-9_-]+$`' }],
      [{ email: 'ann' }, { email: 'must be an e-mail address' }],
      [{ email: `${letters(250)}@a.example` }, { email: 'must have at most 254 characters, got 260' }],
      [{ email: undefined }, { email: 'is required' }],
    ],
  },
  'a question of analytics': {
    schema: {
      type: 'object',
      properties: {
        metrics: {
          type: 'array',
          minItems: 1,
          maxItems: 10,
          uniqueItems: true,
          items: { type: 'string', enum: ['revenue', 'orders', 'visitors'] },
        },
        start_date: { type: 'string', format: 'date' },
        end_date: { type: 'string', format: 'date', formatExclusiveMinimum: { $data: '1/start_date' } },
      },
      required: ['metrics', 'start_date', 'end_date'],
      additionalProperties: false,
    },
    good: { metrics: ['revenue'], start_date: '2026-01-01', end_date: '2026-02-01' },
    fits: [
      { end_date: '2026-01-02' },
      { start_date: '1969-12-31', end_date: '1970-01-01' },
      { start_date: '2024-02-28', end_date: '2024-02-29' },
      { metrics: ['orders', 'visitors', 'revenue'] },
    ],
    breaks: [
      [{ end_date: '2026-01-01' }, { end_date: 'must be later than `start_date`' }],
      [{ end_date: '2025-12-31' }, { end_date: 'must be later than `start_date`' }],
      [{ start_date: '2026-02-01', end_date: '2026-02-29' }, { end_date: 'must be a date such as `2026-12-31`' }],
      [{ start_date: '1.1.2026' }, { start_date: 'must be a date such as `2026-12-31`' }],
      [{ start_date: undefined }, { start_date: 'is required' }],
      [{ metrics: [] }, { metrics: 'must have at least 1 item, got 0' }],
      [{ metrics: ['revenue', 'revenue'] }, { metrics: 'must not hold the same item twice (0 and 1)' }],
      [{ metrics: ['users'] }, { 'metrics.0': 'must be one of revenue, orders, visitors' }],
    ],
  },
}

for (const [name, { schema, good, fits, breaks }] of Object.entries(systems)) {
  const check = checkByType({ json: schema }, schemas).of('application/json')
  const judge = (members: Readonly<Record<string, unknown>>): ReturnType<NonNullable<typeof check>> | undefined =>
    check?.(Buffer.from(JSON.stringify({ ...good, ...members })))

  test(`CT1: ${name} is taken up to its bounds`, () => {
    for (const members of [{}, ...fits]) {
      const verdict = judge(members)
      assert.ok(verdict !== undefined && 'value' in verdict, JSON.stringify([members, verdict]).slice(0, 300))
    }
  })

  test(`CT1: ${name} is refused beyond them, with what is wrong by field`, () => {
    for (const [members, told] of breaks) {
      const verdict = judge(members)
      assert.ok(verdict !== undefined && 'errors' in verdict, JSON.stringify(members).slice(0, 300))
      assert.deepEqual(
        verdict.errors,
        Object.fromEntries(Object.entries(told).map(([field, message]) => [field, [message].flat()])),
      )
    }
  })
}
