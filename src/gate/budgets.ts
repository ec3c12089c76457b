import type { OwnLimit } from '../authn/holder.ts'
import type { Principal } from '../authn/principal.ts'
import type { RawHeaders } from '../http/raw-headers.ts'
import type { Claim, Limit, WhenDown } from '../limits/limiter.ts'
import { type Fact, isEarly, type LimitOptions } from '../limits/options.ts'

/** What limits may know of a request. */
export interface Caller {
  /** The client as limits know it: IPv6 counts by /64. */
  readonly callerAddress: string
  readonly principal: Principal
  readonly route: { readonly name: string }
  readonly request: { readonly headers: RawHeaders }
}

/** A limit of the configuration, and how it tells callers apart. */
export interface Budget {
  readonly limit: Limit
  /** Whether it is known whose it is before anybody has shown who they are: it is asked then, and taken later with the others. */
  readonly early: boolean
  /** Whether it counts on every route. */
  readonly everywhere: boolean
  /** Whose budget it is; undefined: the limit does not count this request. */
  keyOf(caller: Caller): string | undefined
}

/** A budget as one route draws on it. */
export interface RouteBudget {
  readonly budget: Budget
  /** Units that one request costs. */
  readonly cost: number
}

export function compileBudget(name: string, options: LimitOptions, whenDown: WhenDown = 'local'): Budget {
  const { algorithm, limit, window = 0, burst = limit } = options
  return {
    limit: { name, algorithm, limit, windowMs: window, burst, whenDown: options.whenDown ?? whenDown },
    early: isEarly(options),
    everywhere: options.everywhere,
    keyOf: keyBy(options.by),
  }
}

/** What one request draws on of these. */
export function claimsOn(budgets: readonly RouteBudget[], caller: Caller): Claim[] {
  const claims: Claim[] = []
  for (const { budget, cost } of budgets) {
    const key = budget.keyOf(caller)
    if (key !== undefined) claims.push({ limit: budget.limit, key, cost })
  }
  return claims
}

/** What the credential brings: its own limit, and that of whoever it belongs to. */
export function ownClaims(principal: Principal, whenDown: WhenDown): Claim[] {
  const claims: Claim[] = []
  for (let own = principal.limit; own !== undefined; own = own.within)
    claims.push({ limit: ownLimit(own, whenDown), key: ownKeyOf(own, principal), cost: 1 })
  return claims
}

type KeyOf = Budget['keyOf']

function keyBy(alternatives: readonly (readonly Fact[])[]): KeyOf {
  const [first = []] = alternatives
  if (first[0] === 'none') return () => undefined
  // What every request has needs no second choice.
  if (first.every((fact) => always.has(fact))) return keyOfFacts(first)
  const end = alternatives.findIndex(([fact]) => fact === 'none')
  const keys = (end < 0 ? alternatives : alternatives.slice(0, end)).map(keyOfFacts)
  return (caller) => {
    for (const keyOf of keys) {
      const key = keyOf(caller)
      if (key !== undefined) return key
    }
    return end < 0 ? addressKey(caller) : undefined
  }
}

const always: ReadonlySet<Fact> = new Set(['ip', 'route', 'global'])

/** The key of facts that count together; undefined where one of them is not known. Each says what it is: no name that somebody chose reads as another. */
function keyOfFacts(facts: readonly Fact[]): (caller: Caller) => string | undefined {
  const readers = facts.map(readerOf)
  const [only] = readers
  if (only !== undefined && readers.length === 1) return only
  return (caller) => {
    let key: string | undefined
    for (const read of readers) {
      const part = read(caller)
      if (part === undefined) return undefined
      key = key === undefined ? part : `${key}\n${part}` // which no part holds
    }
    return key
  }
}

function readerOf(fact: Fact): (caller: Caller) => string | undefined {
  switch (fact) {
    case 'ip':
      return addressKey
    case 'route':
      return ({ route }) => `route ${route.name}`
    case 'global':
      return () => 'global'
    case 'none':
      return () => undefined
    case 'principal':
      return ({ principal }) => principalKey(principal)
    case 'key':
      return ({ principal: { credential } }) => (credential.kind === 'api-key' ? `key ${credential.id}` : undefined)
    case 'client':
      return ({ principal: { client } }) => (client === undefined ? undefined : `client ${encodeURIComponent(client)}`)
  }
  const name = fact.slice(fact.indexOf(':') + 1)
  if (fact.startsWith('attribute:')) {
    return ({ principal: { attributes } }) => {
      const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined
      const isSaid = value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0)
      return isSaid ? `${fact} ${JSON.stringify(value)}` : undefined
    }
  }
  const lower = name.toLowerCase()
  return ({ request: { headers } }) => {
    let said: string | undefined
    for (let at = 0; at < headers.length; at += 2) {
      if (headers[at]?.toLowerCase() === lower)
        said = said === undefined ? headers[at + 1] : `${said}, ${headers[at + 1]}`
    }
    return said === undefined || said === '' ? undefined : `header ${lower} ${said}`
  }
}

function addressKey({ callerAddress }: Caller): string {
  return `ip ${callerAddress}`
}

function principalKey({ type, id, client }: Principal): string | undefined {
  if (type === 'anonymous') return undefined
  return type === 'service' && client !== id ? `service ${id}` : `principal ${id}`
}

/**
 * The keys of a family count together, and so does all that a service shows. No limit of the configuration has such a key, be it
 * called `own` as well.
 */
function ownKeyOf({ by }: OwnLimit, { id }: Principal): string {
  return by === undefined ? `own service ${id}` : `own key ${by}`
}

const compiled = new WeakMap<object, Limit>()

function ownLimit(own: OwnLimit, whenDown: WhenDown): Limit {
  let limit = compiled.get(own)
  if (limit === undefined) {
    const { limit: units, windowMs } = own
    limit = { name: 'own', algorithm: 'sliding', limit: units, windowMs, burst: units, whenDown }
    compiled.set(own, limit)
  }
  return limit
}
