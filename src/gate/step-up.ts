import type { Principal } from '../authn/principal.ts'
import { levelOf } from '../authn/proof.ts'
import { type Refusal, refuse } from '../kernel/error.ts'
import { challengeField, type Scheme } from './challenge.ts'
import type { StepUp } from './route.ts'

/**
 * Whether the sign-in is recent and strong enough for the route, or the challenge that says what would be (RFC 9470 §3).
 * A credential that was no sign-in never is.
 */
export function stepUpFor(
  { credential }: Principal,
  demanded: StepUp,
  nowMs: number,
  scheme: Scheme = 'Bearer',
): Refusal | undefined {
  const proof = 'proof' in credential ? credential.proof : undefined
  const { withinMs, multiFactor } = demanded
  const recent = withinMs === undefined || (proof !== undefined && nowMs - proof.at <= withinMs)
  const strong = !multiFactor || (proof !== undefined && levelOf(proof.methods) === 'aal2')
  if (recent && strong) return undefined
  const maxAge = withinMs === undefined ? undefined : Math.floor(withinMs / 1000)
  return refuse('step-up-required', {
    detail: strong ? 'The sign-in is too old for this' : 'A second factor is required for this',
    extensions: {
      ...(multiFactor ? { acr_values: ['aal2'] } : {}),
      ...(maxAge === undefined ? {} : { max_age: maxAge }),
    },
    headers: [
      'WWW-Authenticate',
      challengeField(scheme, {
        error: 'insufficient_user_authentication',
        error_description: 'A more recent or stronger sign-in is required',
        acr_values: multiFactor ? 'aal2' : undefined,
        max_age: maxAge === undefined ? undefined : String(maxAge),
      }),
    ],
  })
}
