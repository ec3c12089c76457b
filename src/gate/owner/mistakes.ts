import type { RouteOptions } from '../routes.ts'
import { type OwnerOptions, parametersIn } from './options.ts'
import type { ResourceOptions } from './resources.ts'

/** The rest of a configuration, as far as owners depend on it. */
export interface OwnersDependOn {
  readonly upstreams: ReadonlySet<string>
  readonly policies: ReadonlySet<string>
  /** Whether an account can have no address but one that has answered. */
  readonly emailsAnswer: boolean
  /** Whether tokens say the address. */
  readonly emailsAreClaimed: boolean
}

/**
 * What is wrong with owners and resource types, each with its path: an owner that a route cannot find, or that could be told
 * nobody apart. Routes and types that have mistakes of their own are undefined.
 */
export function ownerMistakes(
  routes: readonly (RouteOptions | undefined)[],
  resources: ResourceOptions,
  known: OwnersDependOn,
): { readonly path: string; readonly message: string }[] {
  const types = new Map(Object.entries(resources))
  return [
    ...[...types].flatMap(([name, { owner, policy = [] }]) => [
      ...policy.flatMap((one) =>
        known.policies.has(one)
          ? []
          : [{ path: `resources.${name}.policy`, message: `no policy is called \`${one}\`` }],
      ),
      ...(owner === undefined ? [] : ofOwner(owner, `resources.${name}.owner`, policy, known)),
    ]),
    ...routes.flatMap((route, index) => {
      if (route === undefined) return []
      const at = `routes[${index}]`
      const type = route.resource === undefined ? undefined : types.get(route.resource)
      const policies = [...(route.policy ?? []), ...(type?.policy ?? [])]
      const { owner } = route
      if (owner === false || (owner === undefined && type?.owner === undefined))
        return route.access === 'public' && (type?.policy ?? []).length > 0
          ? [
              {
                path: `${at}.resource`,
                message: `the policies of \`${route.resource}\` ask nothing of a route that is public`,
              },
            ]
          : []
      if (owner !== undefined)
        return [
          ...ofOwner(owner, `${at}.owner`, policies, known),
          ...onRoute(owner, route, (name) => `${at}.owner.${name}`),
        ]
      return onRoute(type?.owner as OwnerOptions, route, () => `${at}.resource`).map(({ path, message }) => ({
        path,
        message: `the owner of \`${route.resource}\`: ${message}; or \`owner: false\`, where the route is about none in particular`,
      }))
    }),
  ]
}

/** What is wrong with an owner wherever it is asked for. */
function ofOwner(
  { rule, source }: OwnerOptions,
  at: string,
  policies: readonly string[],
  known: OwnersDependOn,
): { readonly path: string; readonly message: string }[] {
  const mistakes: { readonly path: string; readonly message: string }[] = []
  if (source.by === 'lookup' && source.to !== undefined && !known.upstreams.has(source.to))
    mistakes.push({ path: `${at}.to`, message: `no upstream is called \`${source.to}\`` })
  if (rule.decidedBy === 'policy' && policies.length === 0)
    mistakes.push({ path: `${at}.decidedBy`, message: 'expected a `policy` beside it, which decides' })
  if (rule.claim === 'email' && !known.emailsAnswer)
    mistakes.push({
      path: `${at}.claim`,
      message: "expected `identity.verification: 'required'`: who registers could choose whose things are theirs",
    })
  if (rule.claim === 'email' && !known.emailsAreClaimed)
    mistakes.push({ path: `${at}.claim`, message: 'expected `email` among `tokens.claims`: tokens do not say it' })
  return mistakes
}

/** What is wrong with an owner on one route. */
function onRoute(
  { source }: OwnerOptions,
  route: RouteOptions,
  at: (name: string) => string,
): { readonly path: string; readonly message: string }[] {
  const mistakes: { readonly path: string; readonly message: string }[] = []
  if (route.access === 'public')
    mistakes.push({ path: at(source.by), message: 'asks nothing of a route that is public' })
  if (source.by === 'answer') {
    if (route.to === undefined)
      mistakes.push({ path: at('answer'), message: 'expected `to`: the host’s answer is not seen' })
    if (route.websocket) mistakes.push({ path: at('answer'), message: 'a WebSocket has no answer to look at' })
    if (route.methods === undefined || route.methods.some((method) => method !== 'GET' && method !== 'HEAD'))
      mistakes.push({
        path: at('answer'),
        message: 'expected `methods` of GET and HEAD alone: what others do is done before there is an answer',
      })
    return mistakes
  }
  const has = parametersIn(route.path)
  for (const name of source.by === 'param' ? [source.param] : parametersIn(source.path))
    if (!has.includes(name))
      mistakes.push({ path: at(source.by), message: `\`${route.path}\` has no parameter \`:${name}\`` })
  if (source.by === 'lookup' && source.to === undefined && route.to === undefined)
    mistakes.push({ path: at('to'), message: 'expected the upstream that is asked' })
  return mistakes
}
