import { z } from 'zod'
import { size } from '../../kernel/shape.ts'
import { bodyTypes } from './body.ts'

/** A JSON Schema (2020-12). It is compiled where everything that it may refer to is known. */
const schema = z.union([z.record(z.string(), z.unknown()), z.boolean()], {
  error: 'expected a JSON Schema: an object, `true` or `false`',
})

/** Schemas that others refer to by name, `{ "$ref": "Task" }`, for all routes. */
export const sharedSchemas = z.record(
  z.string().regex(/^[A-Za-z][A-Za-z0-9._-]{0,99}$/, 'expected a name of letters, digits, `.`, `_` and `-`'),
  schema,
)

/** What a route says of the parts of its requests beside the body, each as the schema of an object of names and values. */
export const requestSchemaOptions = z.strictObject({
  query: schema.optional(),
  path: schema.optional(),
  headers: schema.optional(),
  cookies: schema.optional(),
})

/** The kinds of body that a route takes: JSON alone, where it is left out. */
export const bodyTypeOptions = z
  .array(z.enum(bodyTypes, { error: 'expected `json`, `form` or `multipart`' }))
  .min(1)
  .optional()

/** Schemas by kind of body, where they differ; in the place of `body`. */
export const bodyByTypeOptions = z.partialRecord(z.enum(bodyTypes), schema).optional()

/** Schemas of the answers of a route, and what is done about one that does not fit. */
export const answerOptions = z.strictObject({
  schemas: z.record(
    z
      .string()
      .regex(
        /^(?:[1-5][0-9]{2}|[1-5][Xx]{2}|default)$/,
        'expected a status such as `200`, a class such as `4XX`, or `default`',
      ),
    schema,
  ),
  mode: z.enum(['log', 'refuse'], { error: 'expected `log` or `refuse`' }).default('log'),
  /** The largest answer that is looked at; a larger one is refused, where anything may be. */
  answerMax: size.optional(),
})

export type AnswerOptions = z.output<typeof answerOptions>

/** OpenAPI documents whose operations become routes. */
export const openapiOptions = z.array(
  z
    .strictObject({
      /** A document of OpenAPI 3.0 or 3.1, JSON or YAML. */
      file: z.string().min(1),
      /** The upstream, by name; left out where the house is embedded. */
      to: z.string().min(1).optional(),
      /** What stands before the paths of the document; the path of its first server, where it is left out. */
      prefix: z
        .string()
        .regex(/^(?:\/[A-Za-z0-9._~-]+)*$/, 'expected a path such as `/v1`, without a slash at its end')
        .optional(),
      access: z.enum(['public', 'authenticated']).optional(),
      /** The permission of each operation: `{method}`, `{tag}` and `{operationId}` are replaced. */
      require: z.string().min(1).optional(),
      /** Whether an operation that the document calls open (`security: []`) is open here too. */
      openOperations: z.boolean().default(false),
      /** Whether parameters of the query that the document does not know are refused. */
      unknownQuery: z.enum(['allow', 'refuse']).default('allow'),
      answers: z.enum(['off', 'log', 'refuse']).default('off'),
    })
    .refine(
      ({ access, require }) => access === undefined || require === undefined,
      'expected either `access` or `require`, not both',
    ),
)

export type OpenapiOptions = z.output<typeof openapiOptions>
