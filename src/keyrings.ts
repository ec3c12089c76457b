import { idTokenTtlMs } from './authn/token/id-token.ts'
import type { Environment, Settings } from './config/settings.ts'
import { Fault } from './kernel/error.ts'
import { type Keyring, type KeyringPlace, openKeyring } from './keys/keyring.ts'
import { secretOf } from './people.ts'

/** The keys of access tokens, and those of what others verify too: the same, unless only we can verify the first. */
export async function openKeyrings(
  { tokens, oauth }: Settings,
  {
    environment,
    ...place
  }: Pick<KeyringPlace, 'clock' | 'random' | 'root' | 'db'> & { readonly environment: Environment },
): Promise<readonly [keyring: Keyring, idKeyring: Keyring]> {
  const { algorithm, rotation, accessTtl } = tokens
  const shared = { ...place, rotation, tokenTtlMs: oauth === undefined ? accessTtl : Math.max(accessTtl, idTokenTtlMs) }
  const previousSecrets = tokens.previousSecrets.map((reference, index) => {
    const secret = secretOf(reference, environment)
    if (secret === undefined) throw new Fault('unavailable', `tokens.previousSecrets[${index}] cannot be had`)
    return secret
  })
  const keyring = await openKeyring({
    ...shared,
    algorithm,
    secret: secretOf(tokens.secret, environment),
    previousSecrets,
  })
  if (algorithm !== 'HS256') return [keyring, keyring]
  return [keyring, await openKeyring({ ...shared, algorithm: 'EdDSA', secret: undefined })]
}
