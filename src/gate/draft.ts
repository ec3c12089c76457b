import type { Answerer } from './exchange.ts'
import type { Route } from './route.ts'

/** A route as it is laid out, before its stages are made. */
export interface RouteDraft extends Route {
  /** Who answers, when it leads to the house itself. */
  readonly answerer: Answerer | undefined
}
