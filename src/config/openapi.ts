import { readFileSync } from 'node:fs'
import { type RouteOptions, routeOptions } from '../gate/routes.ts'
import type { Schema } from '../inspection/schema/compile.ts'
import { OpenApiMistake, parseOpenApi } from '../inspection/schema/openapi/document.ts'
import { type Operation, routesOfOpenApi } from '../inspection/schema/openapi.ts'
import type { OpenapiOptions } from '../inspection/schema/options.ts'

/** A document of OpenAPI, read: its operations as routes, and the schemas that they refer to. */
export interface ImportedDocument {
  readonly file: string
  /** What its routes are marked with, and its schemas begin with. */
  readonly name: string
  readonly routes: readonly RouteOptions[]
  readonly shared: Readonly<Record<string, Schema>>
  /** What of the document is not checked, or taken otherwise than it says: a line each. */
  readonly left: readonly string[]
}

/** Reads the documents that the configuration names. What is wrong with one stands at its place in the list. */
export function importDocuments(
  options: OpenapiOptions,
  tell: (mistake: { readonly path: string; readonly message: string }) => void,
): readonly ImportedDocument[] {
  return options.flatMap((one, index) => {
    try {
      return [importDocument(one, `api${index + 1}`)]
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (!(error instanceof OpenApiMistake) && code === undefined) throw error
      tell({
        path: `openapi[${index}].file`,
        message: `\`${one.file}\`: ${firstLine((error as Error).message)}`,
      })
      return []
    }
  })
}

function importDocument({ file, require, ...options }: OpenapiOptions[number], name: string): ImportedDocument {
  const { routes, schemas, left } = routesOfOpenApi(parseOpenApi(readFileSync(file, 'utf8')), {
    ...options,
    name,
    require: require === undefined ? undefined : (operation) => permissionOf(require, operation),
  })
  return {
    file,
    name,
    left,
    shared: schemas,
    routes: routes.map((route) => {
      const parsed = routeOptions.safeParse(route)
      if (!parsed.success)
        throw new OpenApiMistake('', `${route.methods.join('|')} ${route.path}: ${parsed.error.issues[0]?.message}`)
      return { ...parsed.data, document: name }
    }),
  }
}

/** `{tag}:{method}`, filled in. */
function permissionOf(template: string, { method, operationId, tags, path }: Operation): string {
  return template.replace(/\{(method|tag|operationId)\}/g, (_whole, name: string) => {
    if (name === 'method') return method
    const value = name === 'tag' ? tags[0] : operationId
    if (value === undefined)
      throw new OpenApiMistake(
        '',
        `${method} ${path} has no ${name === 'tag' ? 'tag' : 'operationId'}, which \`require\` asks for`,
      )
    return value.replace(/[^A-Za-z0-9_.-]+/g, '-')
  })
}

function firstLine(message: string): string {
  return message.split('\n')[0] as string
}
