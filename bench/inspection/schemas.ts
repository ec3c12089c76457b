import type { Schema } from '../../src/inspection/schema/compile.ts'
import type { Kind } from './bodies.ts'

const uuid = { type: 'string', format: 'uuid' }
const words = (maxLength: number): Schema => ({ type: 'string', minLength: 1, maxLength })
const object = (properties: Record<string, Schema>, optional: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
})

const order = object({
  id: uuid,
  created_at: { type: 'string', format: 'date-time' },
  updated_at: { type: 'string', format: 'date-time' },
  status: { enum: ['open', 'paid', 'sent', 'returned'] },
  customer: object({
    first_name: words(100),
    country: { type: 'string', pattern: '^[A-Z]{2}$' },
    member: { type: 'boolean' },
  }),
  lines: {
    type: 'array',
    minItems: 1,
    items: object({
      sku: { type: 'string', pattern: '^[A-Z]{3}-[0-9]{2}-[A-Z]{2}$' },
      title: words(200),
      quantity: { type: 'integer', minimum: 1, maximum: 100 },
      price: { type: 'number', minimum: 0, multipleOf: 0.01 },
      image: { type: 'string', format: 'uri' },
    }),
  },
  note: { type: ['string', 'null'], maxLength: 500 },
  tags: { type: 'array', items: words(40), maxItems: 10 },
  checksum: { type: 'string', pattern: '^[0-9a-f]{64}$' },
  weight_kg: { type: 'number', minimum: 0 },
  gift: { type: 'boolean' },
})

/** What a route would say of its bodies. */
export const schemas: Readonly<Record<Kind, Schema>> = {
  prose: object({ id: uuid, title: words(200), summary: words(1_000), text: words(1_000_000) }),
  html: object({ id: uuid, title: words(200), summary: words(1_000), comment: words(1_000_000) }),
  json: object({
    page: { type: 'integer', minimum: 1 },
    total: { type: 'integer', minimum: 0 },
    next: { type: 'string', maxLength: 200 },
    orders: { type: 'array', items: order },
  }),
  markdown: object({ path: words(200), title: words(200), content: words(1_000_000) }),
  chat: object({
    model: { enum: ['gpt-oss-120b', 'gpt-oss-20b'] },
    temperature: { type: 'number', minimum: 0, maximum: 2 },
    stream: { type: 'boolean' },
    user: uuid,
    messages: {
      type: 'array',
      minItems: 1,
      items: object({ role: { enum: ['system', 'user', 'assistant'] }, content: words(100_000) }),
    },
  }),
  planted: object({ id: uuid, title: words(200), value: words(100), prompt: words(1_000), text: words(1_000_000) }),
}
