import { type ContentOptions, compileBody } from '../gate/content.ts'
import { openAnswerCheck } from '../inspection/schema/answer.ts'
import { openSchemas, type Schemas } from '../inspection/schema/compile.ts'
import { openRequestCheck } from '../inspection/schema/parameters.ts'
import { SchemaMistake } from '../inspection/schema/walk.ts'
import type { Mistake, Settings } from './settings.ts'

/** Schemas that are none, by the member that is wrong: found once it is known what they may refer to. */
export function schemaMistakes({ routes, schemas: shared, documents }: Settings): Mistake[] {
  const mistakes: Mistake[] = []
  for (const [index, { routes: imported, shared: own }] of documents.entries()) {
    const at = `openapi[${index}].file`
    const ofDocument = attempt(at, mistakes, () => openSchemas({ shared: own, typesOptional: true }))
    if (ofDocument === undefined) continue
    for (const route of imported)
      attempt(at, mistakes, () => {
        compileBody(route, ofDocument)
        if (route.requestSchemas !== undefined) openRequestCheck(route.requestSchemas, ofDocument)
        if (route.answers !== undefined) openAnswerCheck(route.answers.schemas, ofDocument)
      })
  }
  const schemas = attempt('schemas', mistakes, () => openSchemas({ shared: shared ?? {} }))
  if (schemas === undefined) return mistakes
  for (const [index, route] of (routes ?? []).entries())
    if (route !== undefined) routeMistakes(route, `routes[${index}]`, schemas, mistakes)
  return mistakes
}

function routeMistakes(route: ContentOptions, at: string, schemas: Schemas, mistakes: Mistake[]): void {
  const { requestSchemas, answers, body } = route
  attempt(`${at}.${body === undefined ? 'bodyByType' : 'body'}`, mistakes, () => compileBody(route, schemas))
  if (requestSchemas !== undefined)
    attempt(`${at}.requestSchemas`, mistakes, () => openRequestCheck(requestSchemas, schemas))
  if (answers !== undefined) attempt(`${at}.answers.schemas`, mistakes, () => openAnswerCheck(answers.schemas, schemas))
}

function attempt<Made>(path: string, mistakes: Mistake[], make: () => Made): Made | undefined {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof SchemaMistake)) throw error
    mistakes.push({ path, message: `is not a JSON Schema: ${error.message}` })
    return undefined
  }
}
