import assert from 'node:assert/strict'
import { compilePolicy } from '../../../src/authz/policy/compile.ts'
import type { AttributeRequest, Policy } from '../../../src/authz/policy/policy.ts'

/** The policy of a document that has no mistakes. */
export function policyOf(document: unknown): Policy {
  const read = compilePolicy(document)
  if ('mistakes' in read) assert.fail(`${JSON.stringify(document)}\n${JSON.stringify(read.mistakes, undefined, 2)}`)
  return read.policy
}

/** A request of which only some is known. */
export function asking(known: Partial<AttributeRequest>): AttributeRequest {
  return { subject: {}, resource: {}, action: {}, environment: {}, ...known }
}

/** A policy of one rule. */
export function ruleOf(condition: unknown, effect: 'allow' | 'deny' = 'allow'): unknown {
  return { version: '1.0', rules: [{ condition, effect }] }
}
