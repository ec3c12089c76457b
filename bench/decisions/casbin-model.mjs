// What casbin is asked with: texts alone, which it compares soonest, and which its cache takes.
import { newModelFromString } from 'casbin'

const models = {
  role: { request: 'act, type', policy: 'act, type', matcher: 'r.type == p.type && r.act == p.act' },
  owner: { request: 'sub, type, owner', policy: 'type', matcher: 'r.type == p.type && r.sub == r.owner' },
  path: { request: 'path', policy: 'path', matcher: 'keyMatch(r.path, p.path)' },
}

export function modelOf(shape) {
  const { request, policy, matcher } = models[shape]
  return newModelFromString(`
[request_definition]
r = ${request}
[policy_definition]
p = ${policy}
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = ${matcher}
`)
}

export function policyOf(shape, { action, type, prefix }) {
  return { role: [action, type], owner: [type], path: [`${prefix}*`] }[shape]
}

export function requestOf(shape, { user, action, type, owner, path }) {
  return { role: [action, type], owner: [user, type, owner], path: [path] }[shape]
}
