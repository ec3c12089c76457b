import type { OauthRefusal } from './counter.ts'
import type { Resource, Resources } from './resources.ts'

/** What a person, or an operator, has allowed: scopes, and the resources that were named with them. */
export interface Allowed {
  readonly scopes: readonly string[]
  /** Identifiers. */
  readonly resources: readonly string[]
}

/** The one resource that a token is for (RFC 8707 §2.2): of those that were granted, where a person granted some. */
export function targetOf(
  resources: Resources,
  named: readonly string[],
  granted: Allowed | undefined,
): Resource | OauthRefusal {
  if (named.length > 1) return no('a token is for one resource: name one')
  const found = granted?.resources.flatMap((one) => resources.find(one) ?? [])
  const open = found && [...new Set(found)].filter((one) => isOpened(resources, one, granted?.scopes ?? []))
  const [wanted] = named
  if (wanted !== undefined) {
    const resource = resources.find(wanted)
    return resource !== undefined && open?.includes(resource) !== false ? resource : foreign
  }
  if (open === undefined || open.includes(resources.own)) return resources.own
  const [only, ...others] = open
  if (only === undefined) return foreign
  return others.length === 0 ? only : no('more than one resource was granted: name one')
}

/** Whether scopes say anything at a resource. A part of the house lets its tokens in by their audience: none is given for nothing. */
export function isOpened(resources: Resources, resource: Resource, scopes: readonly string[]): boolean {
  return resource === resources.own || scopes.some((scope) => resource.scopes.has(scope))
}

function no(description: string): OauthRefusal {
  return { error: 'invalid_target', description }
}

const foreign = no('the resource is none of ours, or was not granted')
