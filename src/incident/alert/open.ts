import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/error.ts'
import { resolveSecret, Secret, type SecretRef } from '../../kernel/secret.ts'
import type { Outbox } from '../../mail/outbox.ts'
import type { AlertLine } from './alerts.ts'
import type { Channel } from './channel.ts'
import { openEmail } from './email.ts'
import { type AlertOptions, type ChannelOptions, urlProblem } from './options.ts'
import { openConsole } from './print.ts'
import { openWebhook, pagerdutyUrl } from './webhook.ts'

interface ChannelParts {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly siteName: string
  readonly publicUrl: string | undefined
  /** Undefined where no mail is configured. */
  readonly outbox: Outbox | undefined
  /** Writes a line on standard output. */
  readonly print: (line: string) => void
  readonly clock: Clock
}

/** Opens the channels of a configuration. Throws a Fault for a secret that cannot be had. */
export function openChannels(alerts: AlertOptions, parts: ChannelParts): readonly AlertLine[] {
  return Object.entries(alerts).map(([name, options]) => ({
    name,
    perMinute: options.perMinute,
    channel: channelOf(name, options, parts),
  }))
}

function channelOf(name: string, options: ChannelOptions, parts: ChannelParts): Channel {
  const { siteName, outbox, print } = parts
  switch (options.kind) {
    case 'webhook': {
      const secretOf = (member: string, reference: SecretRef | undefined): Secret | undefined =>
        reference && secretAt(`incidents.alerts.${name}.${member}`, reference, parts)
      const url =
        typeof options.url === 'object' ? (secretOf('url', options.url)?.reveal() ?? '') : (options.url ?? pagerdutyUrl)
      const problem = URL.canParse(url) ? urlProblem(url, options.insecure) : 'expected an address'
      if (problem !== undefined) throw new Fault('unavailable', `incidents.alerts.${name}.url: ${problem}`)
      return openWebhook({
        ...parts,
        options,
        url,
        secret: secretOf('secret', options.secret),
        routingKey: secretOf('routingKey', options.routingKey),
      })
    }
    case 'email':
      if (outbox === undefined)
        throw new Fault('unavailable', `incidents.alerts.${name}: expected \`mail\`, by which letters are sent`)
      return openEmail(options, outbox, siteName)
    case 'console':
      return openConsole(options, print)
  }
}

function secretAt(path: string, reference: SecretRef, { environment }: ChannelParts): Secret {
  const secret = resolveSecret(reference, environment)
  if (secret instanceof Secret) return secret
  throw new Fault('unavailable', `${path}: ${secret.problem}`)
}
