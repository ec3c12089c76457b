import type { AnswerSchemas } from './answer.ts'
import type { BodyType } from './body.ts'
import type { Schema } from './compile.ts'
import { answersOf, bodiesOf } from './openapi/bodies.ts'
import { type Document, OpenApiMistake, openDocument } from './openapi/document.ts'
import { requestSchemasOf } from './openapi/parameters.ts'
import { basePathOf, patternOf } from './openapi/paths.ts'
import { openConversion } from './openapi/schemas.ts'
import type { RequestSchemas } from './parameters.ts'
import { escapeToken, isObject } from './walk.ts'

export interface OpenApiOptions {
  /** The upstream, by name; left out where the house is embedded. */
  readonly to?: string | undefined
  /** What stands before each path, in place of the path of the first server. */
  readonly prefix?: string | undefined
  /** Keeps the schemas of several documents apart: letters and digits. */
  readonly name?: string
  /** Who may, for every operation; a sign-in, where neither this nor `require` says. */
  readonly access?: 'public' | 'authenticated' | undefined
  /** The permission that an operation demands. */
  readonly require?: ((operation: Operation) => string) | undefined
  /** Whether an operation with `security: []` is open here too. */
  readonly openOperations?: boolean
  readonly unknownQuery?: 'allow' | 'refuse'
  readonly answers?: 'off' | 'log' | 'refuse'
}

/** What a permission may be made of. */
export interface Operation {
  readonly method: string
  /** As the document writes it. */
  readonly path: string
  readonly operationId: string | undefined
  readonly tags: readonly string[]
}

/** A route as a configuration would say it. */
export interface RouteInput {
  readonly path: string
  readonly methods: readonly string[]
  readonly to?: string
  readonly access?: 'public' | 'authenticated'
  readonly require?: string
  readonly scope?: readonly string[]
  readonly requestSchemas?: RequestSchemas
  readonly bodyByType?: Readonly<Partial<Record<BodyType, Schema>>>
  /** Whether a request without a body is welcome too. */
  readonly bodyOptional?: boolean
  readonly answers?: { readonly schemas: AnswerSchemas; readonly mode: 'log' | 'refuse' }
}

export interface Imported {
  readonly routes: readonly RouteInput[]
  /** What the routes refer to: shared schemas, by name. */
  readonly schemas: Readonly<Record<string, Schema>>
  /** What of the document is not checked, or taken otherwise than it says: a line each. */
  readonly left: readonly string[]
}

/**
 * The routes of an API that a document of OpenAPI 3.0 or 3.1 describes, with the schemas of their requests and answers. It opens
 * nothing: without `access` or `require` each operation wants a sign-in, also one that the document calls open. Throws an
 * `OpenApiMistake` for what a route cannot say, and for references that lead out of the document.
 */
export function routesOfOpenApi(given: unknown, options: OpenApiOptions = {}): Imported {
  const document = openDocument(given)
  const left = new Set<string>()
  const leave = (what: string): void => void left.add(what)
  const conversion = openConversion(document, options.name ?? 'api', leave)
  const prefix = options.prefix ?? basePathOf(document)
  const routes: RouteInput[] = []
  const taken = new Map<string, string>()
  for (const [template, item] of Object.entries(isObject(document.root['paths']) ? document.root['paths'] : {})) {
    if (template.startsWith('x-')) continue
    const at = `/paths/${escapeToken(template)}`
    const pattern = patternOf(template, prefix, at)
    const followed = document.follow(item, at)
    for (const method of methods) {
      const operation = followed.value[method]
      if (operation === undefined) continue
      const place = `${followed.at}/${method}`
      if (!isObject(operation)) throw new OpenApiMistake(place, 'expected an operation')
      const route = `${method} ${pattern.path.replace(/:\w+/g, ':')}`
      const other = taken.get(route)
      if (other !== undefined)
        throw new OpenApiMistake(place, `expected a path that differs from \`${other}\` in more than names`)
      taken.set(route, template)
      if (routes.length === routesMax) throw new OpenApiMistake(place, `expected at most ${routesMax} operations`)
      const context = {
        document,
        conversion,
        names: pattern.parameters,
        unknownQuery: options.unknownQuery ?? 'allow',
        leave,
      } as const
      const requestSchemas = requestSchemasOf(
        [...listed(followed.value, followed.at), ...listed(operation, place)],
        context,
      )
      const bodies = bodiesOf(operation['requestBody'], `${place}/requestBody`, context)
      const answers = options.answers ?? 'off'
      const answerSchemas = answers === 'off' ? {} : answersOf(operation['responses'], `${place}/responses`, context)
      routes.push({
        path: pattern.path,
        methods: [method.toUpperCase()],
        ...(options.to === undefined ? {} : { to: options.to }),
        ...accessOf(operation, { template, method, place, document, options, leave }),
        ...(Object.keys(requestSchemas).length === 0 ? {} : { requestSchemas }),
        ...(bodies === undefined ? {} : { bodyByType: bodies.byType, bodyOptional: bodies.optional }),
        ...(answers === 'off' || Object.keys(answerSchemas).length === 0
          ? {}
          : { answers: { schemas: answerSchemas, mode: answers } }),
      })
    }
    if (followed.value['trace'] !== undefined) leave(`${at}/trace: no route answers TRACE`)
  }
  if (routes.length === 0) throw new OpenApiMistake('/paths', 'expected at least one operation')
  return { routes, schemas: Object.fromEntries(conversion.shared), left: [...left] }
}

const methods = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'] as const
const routesMax = 5000

function listed(
  value: Readonly<Record<string, unknown>>,
  at: string,
): readonly { readonly value: unknown; readonly at: string }[] {
  const { parameters } = value
  return Array.isArray(parameters)
    ? parameters.map((value: unknown, index) => ({ value, at: `${at}/parameters/${index}` }))
    : []
}

/** Who may. What the document says of scopes is kept where there is one way in; of several, one would be closed to the others. */
function accessOf(
  operation: Readonly<Record<string, unknown>>,
  {
    template,
    method,
    place,
    document,
    options,
    leave,
  }: {
    readonly template: string
    readonly method: string
    readonly place: string
    readonly document: Document
    readonly options: OpenApiOptions
    readonly leave: (what: string) => void
  },
): Pick<RouteInput, 'access' | 'require' | 'scope'> {
  const security = operation['security'] ?? document.root['security']
  const ways = Array.isArray(security) ? security.filter(isObject) : []
  const open = Array.isArray(security) && ways.every((way) => Object.keys(way).length === 0)
  if (open && options.openOperations === true) return { access: 'public' }
  if (open && options.access !== 'public') leave(`${place}: the document leaves it open, and it wants a sign-in here`)
  if (options.access === 'public') return { access: 'public' }
  const scopes = new Set(ways.flatMap((way) => Object.values(way).flat()).map(String))
  if (scopes.size > 0 && ways.length > 1) leave(`${place}: scopes of one way in among several are not asked for`)
  const scope = ways.length === 1 && scopes.size > 0 ? { scope: [...scopes] } : {}
  if (options.require === undefined) return { access: 'authenticated', ...scope }
  const permission = options.require({
    method,
    path: template,
    operationId: typeof operation['operationId'] === 'string' ? operation['operationId'] : undefined,
    tags: Array.isArray(operation['tags']) ? operation['tags'].map(String) : [],
  })
  return { require: permission, ...scope }
}
