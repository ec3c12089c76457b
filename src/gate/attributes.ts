import type { AttributeRequest } from '../authz/policy/policy.ts'
import { subjectOf } from '../authz/policy/subject.ts'
import type { Exchange } from './exchange.ts'

/**
 * What policies may ask about a request: who asks, for what, to do what, from where and when. Parameters of the path are
 * attributes of the resource by their own names: `/people/:owner_id/documents` says whose documents they are.
 */
export function attributesOf({ principal, request, params, route, client }: Exchange, nowMs: number): AttributeRequest {
  const { head, target, method } = request
  return {
    subject: subjectOf(principal),
    resource: { ...params, path: target.path, type: route.resource },
    action: { name: route.access.to === 'permission' ? route.access.permission : method.toLowerCase(), method },
    environment: { time: nowMs, ip: client, host: head.host, user_agent: head.userAgent },
  }
}
