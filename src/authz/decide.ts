import type { Principal } from '../authn/principal.ts'
import type { AccessRequest, ClientTerms, Decision, DecisionPoint, Lack } from './decision.ts'
import { covers } from './permissions.ts'
import type { RoleTable } from './role/table.ts'

/**
 * Decides by permission (NIST RBAC): what the caller's roles hold against what is demanded. A client of other people needs
 * to have been lent it, and may nothing that its person may not.
 */
export function decisionPoint(roles: RoleTable): DecisionPoint {
  return {
    decide({ principal, permission, ofClients = noTerms }) {
      if (principal.type === 'anonymous') return deny('the caller is not known', { kind: 'identity' })
      if (principal.client !== undefined) return ofClient(principal, permission, ofClients)
      if (permission === undefined) return signedIn
      const names = principal.roles.join(', ')
      return covers(principal.permissions, permission)
        ? permit(`roles ${names} hold \`${permission}\``)
        : deny(`roles ${names || '(none)'} do not hold \`${permission}\``, { kind: 'permission', permission })
    },
  }

  function ofClient(
    principal: Principal,
    permission: AccessRequest['permission'],
    { scopes, welcome, offered }: ClientTerms,
  ): Decision {
    const needed = new Set(scopes)
    const lent = permission === undefined || covers(principal.permissions, permission)
    if (permission !== undefined) {
      const alone = principal.type === 'service'
      if (!alone && !roles.personHolds(principal, permission))
        return deny(`the person does not hold \`${permission}\``, { kind: 'permission', permission })
      const lenders = roles.lendersOf(permission).filter((scope) => offered?.has(scope) !== false)
      const lender = lenders.find((scope) => principal.scopes.has(scope)) ?? lenders[0]
      if (lender === undefined)
        return deny(
          `no scope lends \`${permission}\` here`,
          alone ? { kind: 'permission', permission } : { kind: 'own-sign-in' },
        )
      needed.add(lender)
    }
    if (needed.size === 0) {
      return welcome
        ? permit('the client is known, and more is not asked')
        : deny('no scope lets a client in here', { kind: 'own-sign-in' })
    }
    const missing = [...needed].filter((scope) => !principal.scopes.has(scope))
    return lent && missing.length === 0
      ? permit(`the client was granted ${[...needed].join(' ')}`)
      : deny(`the client was not granted ${missing.join(' ')}`, { kind: 'scopes', scopes: [...needed] })
  }
}

const signedIn: Decision = { effect: 'permit', because: 'the caller is known, and more is not asked' }
const noTerms: ClientTerms = { scopes: [], welcome: false }

function permit(because: string): Decision {
  return { effect: 'permit', because }
}

function deny(because: string, lacks: Lack): Decision {
  return { effect: 'deny', because, lacks }
}
