import { Fault } from '../../kernel/error.ts'
import { resolveSecret, Secret, type SecretRef } from '../../kernel/secret.ts'
import type { Moderator } from './moderator.ts'
import { openOpenaiModerator } from './openai.ts'
import type { ModerationOptions, ProviderOptions } from './options.ts'
import { openWordModerator } from './words.ts'

/** Those whom the configuration names; the list of words where it names nobody. Throws a Fault where a key cannot be had. */
export function openModerators(
  options: ModerationOptions,
  environment: Readonly<Record<string, string | undefined>>,
): readonly Moderator[] {
  const { providers, atOnce = 8 } = options
  if (providers === undefined) return [openWordModerator('words')]
  return providers.map((provider) => openModerator(provider, environment, atOnce))
}

function openModerator(
  provider: ProviderOptions,
  environment: Readonly<Record<string, string | undefined>>,
  connections: number,
): Moderator {
  switch (provider.kind) {
    case 'words':
      return openWordModerator(provider.name, provider.own as Parameters<typeof openWordModerator>[1])
    case 'openai': {
      const { name, url, model, batch, threshold, key } = provider
      return openOpenaiModerator({
        name,
        url,
        model,
        batch,
        threshold,
        connections,
        key: key && keyOf(name, key, environment),
      })
    }
    default:
      return provider satisfies never
  }
}

function keyOf(name: string, reference: SecretRef, environment: Readonly<Record<string, string | undefined>>): Secret {
  const secret = resolveSecret(reference, environment)
  if (secret instanceof Secret) return secret
  throw new Fault('unavailable', `moderation \`${name}\`: ${secret.problem}`)
}
