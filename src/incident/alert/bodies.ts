import type { Secret } from '../../kernel/secret.ts'
import type { Severity } from '../finding.ts'
import { headline, type Message, type Told, toldMax, worstOf } from './told.ts'

/** How receivers want to be told, by name. What comes from outside is data in each of them, and never markup. */
export interface BodyParts {
  readonly siteName: string
  readonly publicUrl: string | undefined
  /** PagerDuty’s. */
  readonly routingKey?: Secret | undefined
}

export type Body = (message: Message, parts: BodyParts) => unknown

export const bodies: Readonly<Record<'gatehouse' | 'slack' | 'pagerduty', Body>> = { gatehouse, slack, pagerduty }

/** Ours: the incident as the API tells of it. */
function gatehouse(message: Message, { siteName }: BodyParts): unknown {
  const { id, at, told } = message
  return {
    version: 1,
    id,
    at: new Date(at).toISOString(),
    site: siteName,
    event: told.length === 1 ? `incident.${told[0].occasion}` : 'incident.many',
    summary: headline(message),
    count: told.length,
    incidents: told.slice(0, toldMax),
  }
}

/**
 * An incoming webhook of Slack. Blocks are plain text, in which nothing is markup; `text` is what notifications show, and is markup:
 * there `&`, `<` and `>` are escaped, so that nobody writes `<!channel>` or a link into it.
 */
function slack(message: Message, { siteName }: BodyParts): unknown {
  const { told } = message
  const line = headline(message)
  const facts = told.length === 1 ? factsOf(told[0]) : told.slice(0, toldMax).map(lineOf)
  const rest = told.length > toldMax ? [`… and ${told.length - toldMax} more`] : []
  return {
    text: escaped(`${siteName}: ${line}`),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: plainText(line, 150) },
      { type: 'section', text: plainText([...facts, ...rest].join('\n'), 3_000) },
    ],
  }
}

function plainText(text: string, lengthMax: number): unknown {
  return { type: 'plain_text', text: text.slice(0, lengthMax).toWellFormed(), emoji: false }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Events API v2. All that becomes of one incident is one alert of theirs: it has the incident's id for its key. */
function pagerduty(message: Message, { siteName, publicUrl, routingKey }: BodyParts): unknown {
  const { id, at, told } = message
  const [first] = told
  const action =
    told.length > 1
      ? 'trigger'
      : first.occasion === 'acknowledged'
        ? 'acknowledge'
        : first.occasion === 'resolved'
          ? 'resolve'
          : 'trigger'
  const key = { routing_key: routingKey?.reveal() ?? '', dedup_key: told.length > 1 ? id : first.id }
  if (action !== 'trigger') return { ...key, event_action: action }
  return {
    ...key,
    event_action: action,
    client: 'Gatehouse',
    ...(publicUrl === undefined ? {} : { client_url: publicUrl }),
    payload: {
      summary: headline(message).slice(0, 1_024).toWellFormed(),
      source: siteName,
      severity: urgencies[worstOf(told)],
      timestamp: told.length > 1 ? new Date(at).toISOString() : first.detected_at,
      component: 'gatehouse',
      class: told.length > 1 ? 'many' : first.type,
      custom_details: told.length > 1 ? { incidents: told.slice(0, toldMax).map(lineOf) } : first,
    },
  }
}

const urgencies: Readonly<Record<Severity, 'critical' | 'error' | 'warning' | 'info'>> = {
  critical: 'critical',
  high: 'error',
  medium: 'warning',
  low: 'info',
}

/** What a person wants to know of one incident, a line each. */
export function factsOf(told: Told): readonly string[] {
  return [
    ...(told.description === '' ? [] : [told.description, '']),
    `type: ${told.type}`,
    `severity: ${told.severity}`,
    `noticed: ${told.detected_at}`,
    ...(told.report_due === undefined ? [] : [`the authority has to be told until: ${told.report_due}`]),
    ...told.targets.map(({ type, id }) => `${type}: ${id}`),
    `more: gatehouse incident show ${told.id}`,
  ]
}

export function lineOf({ severity, title, id }: Told): string {
  return `[${severity}] ${title} (${id})`
}
