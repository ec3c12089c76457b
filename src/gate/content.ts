import { z } from 'zod'
import type { InspectedRoute, RouteInspection } from '../inspection/inspections.ts'
import { inspectionOptions } from '../inspection/options.ts'
import { openAnswerCheck } from '../inspection/schema/answer.ts'
import { type BodyCheck, type BodyType, checkByType, isJson } from '../inspection/schema/body.ts'
import type { Schema, Schemas } from '../inspection/schema/compile.ts'
import {
  answerOptions,
  bodyByTypeOptions,
  bodyTypeOptions,
  requestSchemaOptions,
} from '../inspection/schema/options.ts'
import { openRequestCheck } from '../inspection/schema/parameters.ts'
import type { Route, TakenBody } from './route.ts'

/** What a route says of what it takes and gives: schemas, and what is looked for. */
export const contentOptions = {
  /** JSON Schema (2020-12) that the body has to fit. */
  body: z.record(z.string(), z.unknown()).optional(),
  /** The kinds of body that `body` is for. */
  bodyTypes: bodyTypeOptions,
  /** Schemas by kind of body, where they differ. */
  bodyByType: bodyByTypeOptions,
  /** Whether a request without a body is welcome too. */
  bodyOptional: z.boolean().optional(),
  /** What query, path, headers and cookies have to fit. */
  requestSchemas: requestSchemaOptions.optional(),
  /** What the answers of the API behind it have to fit. */
  answers: answerOptions.optional(),
  /** What is looked for here that is not looked for elsewhere, or otherwise. */
  inspection: inspectionOptions.optional(),
} as const

export type ContentOptions = z.output<z.ZodObject<typeof contentOptions>>

/** What is wrong between members of one route. */
export function contentProblem({ body, bodyTypes, bodyByType, bodyOptional }: ContentOptions):
  | {
      readonly path: 'bodyTypes' | 'bodyByType' | 'bodyOptional'
      readonly message: string
    }
  | undefined {
  if (body !== undefined && bodyByType !== undefined)
    return { path: 'bodyByType', message: 'expected either `body` or `bodyByType`, not both' }
  if (bodyTypes !== undefined && body === undefined)
    return { path: 'bodyTypes', message: 'says which bodies `body` is for, and there is none' }
  if (bodyOptional !== undefined && body === undefined && bodyByType === undefined)
    return { path: 'bodyOptional', message: 'expected a `body` or `bodyByType` that may be left out' }
  return undefined
}

/** What compiling needs to know of the rest of the configuration. */
export interface ContentParts {
  /** Those of the configuration, or of a document by its name. */
  readonly schemasOf: (document: string | undefined) => Schemas
  readonly inspectionOf: (route: InspectedRoute) => RouteInspection
}

/** Throws a `SchemaMistake` for a schema that is none. */
export function compileContent(
  options: ContentOptions,
  name: string,
  schemas: Schemas,
  inspectionOf: ContentParts['inspectionOf'],
): Pick<Route, 'body' | 'parameters' | 'inspection'> {
  const { answers, requestSchemas, inspection } = options
  return {
    body: compileBody(options, schemas),
    parameters: requestSchemas === undefined ? undefined : openRequestCheck(requestSchemas, schemas),
    inspection: inspectionOf({
      name,
      inspection,
      schema: options.body ?? options.bodyByType?.json,
      answers: answers && openAnswerCheck(answers.schemas, schemas),
      refusesBrokenAnswers: answers?.mode === 'refuse',
      answerMax: answers?.answerMax,
    }),
  }
}

export function compileBody(options: ContentOptions, schemas: Schemas): TakenBody | undefined {
  const byType = bodiesOf(options)
  return byType && { check: checkByType(byType, schemas), optional: options.bodyOptional ?? false }
}

function bodiesOf({
  body,
  bodyTypes = ['json'],
  bodyByType,
}: ContentOptions): Readonly<Partial<Record<BodyType, Schema>>> | undefined {
  if (body === undefined) return bodyByType
  return Object.fromEntries(bodyTypes.map((type) => [type, body]))
}

/** A body of ours: JSON, and held against a shape of the contract. */
export function ownBody(check: BodyCheck): TakenBody {
  return {
    optional: false,
    check: {
      expected: 'application/json',
      of: (contentType) =>
        contentType !== undefined && isJson((contentType.split(';')[0] as string).trim().toLowerCase())
          ? check
          : undefined,
    },
  }
}

/** Of routes that nobody configures: their answers are ours, and what they take has shapes of ours. */
export const ownContent = {
  parameters: undefined,
  inspection: { inspector: undefined, answers: undefined },
} as const satisfies Pick<Route, 'parameters' | 'inspection'>
