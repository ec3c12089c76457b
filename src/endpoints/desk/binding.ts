import { type Binding, unbound } from '../../authn/token/binding.ts'
import type { OauthRefusal, TokenRequest } from '../../oauth/counter.ts'

/** The key that a proof of possession shows at an endpoint, such as `/token`; undefined where no proof came. */
export type Proven = (
  proof: string | undefined,
  endpoint: string,
) => Promise<{ readonly keyThumbprint: string | undefined } | OauthRefusal>

/**
 * What the access tokens of a request are bound to: the certificate of its connection, for a client that was made so (RFC 8705
 * §3.4); else the key that it proves, where it proves one (RFC 9449 §5). A certificate that merely is there binds nothing,
 * and a client of certificates that proves a key too is told so: its token would have to be read in two ways.
 */
export async function bindingOf(
  { client, proof, certificate }: TokenRequest,
  proven: Proven,
): Promise<Binding | OauthRefusal> {
  if (client.bindsCertificates) {
    if (proof !== undefined)
      return no('invalid_request', 'tokens of this client are bound to its certificate: send no `DPoP` proof beside it')
    if (certificate === undefined)
      return no('invalid_request', 'this client has to show its certificate on the connection (RFC 8705, 3)')
    return { ...unbound, certificateThumbprint: certificate.thumbprint }
  }
  const shown = await proven(proof, '/token')
  if ('error' in shown) return shown
  if (client.bindsKeys && shown.keyThumbprint === undefined)
    return no('invalid_dpop_proof', 'this client has to prove a key with each request')
  return { ...unbound, keyThumbprint: shown.keyThumbprint }
}

function no(error: OauthRefusal['error'], description: string): OauthRefusal {
  return { error, description }
}
