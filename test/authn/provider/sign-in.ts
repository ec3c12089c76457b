import assert from 'node:assert/strict'
import type { z } from 'zod'
import type { Send } from '../../../src/authn/provider/bounded-fetch.ts'
import { providersOptions } from '../../../src/authn/provider/options.ts'
import type { ProviderProblem } from '../../../src/authn/provider/problem.ts'
import { type Begun, openProviders, type Providers } from '../../../src/authn/provider/providers.ts'
import type { ProviderIdentity } from '../../../src/authn/provider/vouched.ts'
import { systemRandom } from '../../../src/kernel/id.ts'
import { Secret } from '../../../src/kernel/secret.ts'
import { type TestClock, testClock } from '../../support/clock.ts'
import { redirectUri } from '../../support/providers.ts'

export type Written = z.input<typeof providersOptions>[string]

export const secretRef = { env: 'UNUSED' }

/** Providers with one entry, sent back to one address. */
export function open(
  name: string,
  written: Written,
  more: { readonly secret?: string; readonly clock?: TestClock; readonly send?: Send } = {},
): Providers {
  const { secret = 'unused', clock = testClock(), send } = more
  return openProviders({
    options: providersOptions.parse({ [name]: written }),
    secrets: new Map(written.clientSecret === undefined ? [] : [[name, new Secret(secret)]]),
    redirectUri: () => redirectUri,
    clock,
    random: systemRandom,
    ...(send === undefined ? {} : { send }),
  })
}

export function begun(outcome: Begun | ProviderProblem): Begun {
  assert.ok('url' in outcome, JSON.stringify(outcome))
  return outcome
}

export function identity(outcome: ProviderIdentity | ProviderProblem): ProviderIdentity {
  assert.ok('subject' in outcome, JSON.stringify(outcome))
  return outcome
}

export function problemIn(outcome: object): string {
  assert.ok('problem' in outcome, JSON.stringify(outcome))
  return String(outcome.problem)
}
