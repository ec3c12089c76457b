import type { Decision, DecisionPoint } from './decision.ts'
import { covers } from './roles.ts'

const signedIn: Decision = { effect: 'permit', because: 'the caller is known, and more is not asked' }
const stranger: Decision = { effect: 'deny', because: 'the caller is not known', missing: undefined }

/** Decides by permission (NIST RBAC): what the caller's roles hold against what is demanded. */
export function decisionPoint(): DecisionPoint {
  return {
    decide({ principal, permission }) {
      if (principal.type === 'anonymous')
        return permission === undefined ? stranger : { ...stranger, missing: permission }
      if (permission === undefined) return signedIn
      if (covers(principal.permissions, permission))
        return { effect: 'permit', because: `roles ${principal.roles.join(', ')} hold \`${permission}\`` }
      return {
        effect: 'deny',
        because: `roles ${principal.roles.join(', ') || '(none)'} do not hold \`${permission}\``,
        missing: permission,
      }
    },
  }
}
