import { z } from 'zod'
import type { SecretRef } from '../../kernel/secret.ts'
import { duration, secretRef } from '../../kernel/shape.ts'
import { isAddress } from '../../mail/options.ts'
import { severities } from '../finding.ts'

const minSeverity = z.enum(severities, { error: `expected ${severities.map((one) => `\`${one}\``).join(', ')}` })

/** Of what every channel is told. */
const which = {
  minSeverity: minSeverity.default('medium'),
  /** Types of incidents; all of them where it is left out. */
  types: z.array(z.string().min(1).max(64)).min(1).optional(),
  /** Also that an incident is resolved. */
  resolved: z.boolean().default(false),
  /** Nothing but what `escalate` sends there. */
  onlyEscalated: z.boolean().default(false),
  /** Messages at most. Where there is more to tell, the last one of a minute tells it together. */
  perMinute: z.int().min(1).max(600).default(10),
}

const address = z.string().refine((text) => URL.canParse(text), 'expected an address such as `https://…`')

const webhook = z
  .strictObject({
    kind: z.literal('webhook'),
    /** Of some receivers the address is the secret itself: then by `env()` or `file()`. */
    url: z
      .union([address, secretRef], { error: "expected an address such as `https://…`, or `env('NAME')`" })
      .optional(),
    /** `slack` is read by Slack, Mattermost and others; `pagerduty` is Events API v2. */
    body: z.enum(['gatehouse', 'slack', 'pagerduty']).default('gatehouse'),
    /** Signs each message. */
    secret: secretRef.optional(),
    /** Of PagerDuty's integration. */
    routingKey: secretRef.optional(),
    timeout: duration.refine((ms) => ms >= 100 && ms <= 30_000, 'expected `100ms` to `30s`').default(10_000),
    /** Allows `http://` to other machines. */
    insecure: z.boolean().default(false),
    ...which,
  })
  .superRefine(({ url, body, routingKey, insecure }, context) => {
    const issue = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
    if (url === undefined && body !== 'pagerduty') issue('url', 'is missing')
    if (typeof url === 'string' && URL.canParse(url)) {
      const problem = urlProblem(url, insecure)
      if (problem !== undefined) issue('url', problem)
    }
    if ((body === 'pagerduty') !== (routingKey !== undefined))
      issue(
        'routingKey',
        body === 'pagerduty' ? 'is missing: PagerDuty knows its receivers by it' : 'belongs to `pagerduty`',
      )
  })

const email = z.strictObject({
  kind: z.literal('email'),
  to: z.array(z.string().refine(isAddress, 'expected an e-mail address')).min(1).max(20),
  language: z
    .string()
    .regex(/^[a-z]{2,3}$/, 'expected a language such as `de`')
    .optional(),
  ...which,
})

const printed = z.strictObject({
  kind: z.literal('console'),
  format: z.enum(['text', 'json']).default('text'),
  ...which,
})

export const channelOptions = z.discriminatedUnion('kind', [webhook, email, printed], {
  error: 'expected `kind`: `webhook`, `email` or `console`',
})

const channelName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected a name of letters, digits, `_` and `-`')

/** Who is told of incidents. */
export const alertOptions = z.record(channelName, channelOptions)

/** Who is told as well when nobody has acknowledged an incident after a while. */
export const escalationOptions = z
  .array(
    z.strictObject({
      after: duration.refine((ms) => ms >= 1_000 && ms <= 7 * 86_400_000, 'expected `1s` to `7d`'),
      to: z.array(channelName).min(1).max(20),
      minSeverity: minSeverity.default('high'),
    }),
  )
  .max(10)

export type AlertOptions = z.output<typeof alertOptions>
export type ChannelOptions = z.output<typeof channelOptions>
export type WebhookOptions = Extract<ChannelOptions, { kind: 'webhook' }>
export type EmailOptions = Extract<ChannelOptions, { kind: 'email' }>
export type ConsoleOptions = Extract<ChannelOptions, { kind: 'console' }>
export type EscalationOptions = z.output<typeof escalationOptions>

/** The secrets of a channel, by the option that names each. */
export function secretsOf(channel: ChannelOptions): readonly (readonly [member: string, secret: SecretRef])[] {
  if (channel.kind !== 'webhook') return []
  const { url, secret, routingKey } = channel
  return Object.entries({ url, secret, routingKey }).flatMap(([member, value]) =>
    typeof value === 'object' ? [[member, value] as const] : [],
  )
}

/** What a configuration says of alerts that cannot be: names that nobody has, and letters without mail. */
export function alertProblems(
  alerts: AlertOptions,
  escalate: EscalationOptions,
  hasMail: boolean,
): readonly { readonly path: string; readonly message: string }[] {
  const names = Object.keys(alerts).map((name) => `\`${name}\``)
  const there = names.length === 0 ? 'there are none' : `there is ${names.join(', ')}`
  return [
    ...Object.entries(alerts).flatMap(([name, { kind }]) =>
      kind === 'email' && !hasMail
        ? [{ path: `incidents.alerts.${name}`, message: 'expected `mail` beside it, by which letters are sent' }]
        : [],
    ),
    ...escalate.flatMap(({ to }, index) =>
      to.flatMap((name, at) =>
        Object.hasOwn(alerts, name)
          ? []
          : [
              {
                path: `incidents.escalate[${index}].to[${at}]`,
                message: `no channel of \`alerts\` is called \`${name}\`; ${there}`,
              },
            ],
      ),
    ),
  ]
}

/** Why nothing is sent to an address, in half a sentence: everybody on the way would read it. */
export function urlProblem(url: string, insecure: boolean): string | undefined {
  const { protocol, hostname, username, password } = new URL(url)
  const local = hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
  if (protocol !== 'https:' && protocol !== 'http:') return 'expected `https://…`'
  if (protocol === 'http:' && !local && !insecure) return 'expected `https://…`; or say `insecure: true`'
  return username !== '' || password !== '' ? 'expected no name or password in an address' : undefined
}
