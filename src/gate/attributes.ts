import type { AttributeRequest } from '../authz/policy/policy.ts'
import { subjectOf } from '../authz/policy/subject.ts'
import type { Exchange } from './exchange.ts'

/**
 * What policies may ask about a request: who asks, for what, to do what, from where and when. Parameters of the path are
 * attributes of the resource by their own names: `/people/:owner_id/documents` says whose documents they are, unless the
 * route finds the owner elsewhere.
 */
export function attributesOf(exchange: Exchange, nowMs: number): AttributeRequest {
  const { principal, request, params, route, client, owner } = exchange
  const { head, target, method } = request
  return {
    subject: subjectOf(principal),
    resource: {
      ...params,
      ...(route.owner === undefined ? undefined : { owner_id: owner }), // also where it was not found: nobody else says it
      path: target.path,
      type: route.resource,
    },
    action: { name: route.access.to === 'permission' ? route.access.permission : method.toLowerCase(), method },
    environment: { time: nowMs, ip: client, host: head.host, user_agent: head.userAgent },
  }
}
