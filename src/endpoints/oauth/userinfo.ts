import type { Accounts } from '../../authn/account/accounts.ts'
import type { Answerer } from '../../gate/exchange.ts'
import { refuse } from '../../kernel/error.ts'
import type { Database } from '../../store/database.ts'
import type { Endpoint } from '../../wire/shapes.ts'
import { json } from '../api/reply.ts'
import { claimsOf } from '../desk/issuing.ts'

/** Who the token speaks of (OpenID Connect Core §5.3), as far as its scopes go. */
export function userinfoEndpoint(
  path: string,
  { accounts, db }: { readonly accounts: Accounts; readonly db: Database },
): { readonly endpoints: readonly Endpoint[]; readonly answerer: Answerer } {
  const endpoint = {
    path: `${path}/userinfo`,
    summary: 'Who the token speaks of',
    access: 'authenticated',
    limit: 'general',
    delegable: true,
    scope: ['openid'],
    cors: 'open',
  } as const
  return {
    endpoints: [
      { ...endpoint, method: 'GET' },
      { ...endpoint, method: 'POST' },
    ],
    async answerer({ principal }) {
      const account = await accounts.byId(db, principal.id)
      if (account === undefined) return refuse('not-found', { detail: 'the account is gone' })
      const scopes = principal.client === undefined ? everything : [...principal.scopes]
      return json(200, { sub: account.id, ...claimsOf(account, scopes) })
    },
  }
}

/** Our own sign-in asks for the person themself. */
const everything = ['profile', 'email']
