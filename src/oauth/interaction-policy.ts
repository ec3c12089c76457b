import type { interactionPolicy as Policy } from 'oidc-provider'

/** When a person has to be asked: the library's own rules, and a second factor where the client wants one (RFC 9470 §4). */
export function policyOf({ interactionPolicy }: { readonly interactionPolicy: typeof Policy }): Policy.DefaultPolicy {
  const policy = interactionPolicy.base()
  policy.get('login')?.checks.add(
    new interactionPolicy.Check('acr_values', 'a stronger sign-in was asked for', ({ oidc }) => {
      const wanted = String(oidc.params?.['acr_values'] ?? '').split(' ')
      // A wish, not a demand (OpenID Connect Core §3.1.2.1): whoever has been asked once goes on with what they have.
      return wanted.includes('aal2') && oidc.acr !== 'aal2' && oidc.result?.login === undefined
    }),
  )
  return policy
}
