import { oneLine } from '../../kernel/one-line.ts'
import { type Incident, reportDueAt, type TimelineEntry } from '../incident.ts'

interface BreachFacts {
  readonly incident: Incident
  readonly entries: readonly TimelineEntry[]
  readonly steps: readonly {
    readonly playbook: string
    readonly step: string
    readonly status: string
    readonly outcome: string
    readonly done_at: number | null
  }[]
  readonly now: number
}

const hourMs = 3_600_000

/**
 * What an authority has to be told of a breach of personal data, in Markdown (GDPR Art. 33 (3)): the facts that the house has,
 * and gaps where only people know.
 */
export function breachReport({ incident, entries, steps, now }: BreachFacts): string {
  const dueAt = reportDueAt(incident) ?? incident.detectedAt + 72 * hourMs
  const left = Math.floor((dueAt - now) / hourMs)
  const people = incident.targets.filter(({ type }) => type === 'user').length
  return [
    `# Report of a breach: ${plain(incident.title)}`,
    '',
    `- Incident ${incident.id}, ${incident.type}, ${incident.severity}`,
    `- Began ${time(incident.beganAt)}, noticed ${time(incident.detectedAt)}`,
    `- To be reported by **${time(dueAt)}** (Art. 33 (1), 72 hours): ${left >= 0 ? `${left} hours are left` : `${-left} hours over`}`,
    `- This text was made ${time(now)}`,
    '',
    '## What happened (Art. 33 (3) a)',
    '',
    plain(incident.description) || 'Nobody has described it yet.',
    '',
    `Known to be concerned: ${people} ${people === 1 ? 'account' : 'accounts'}, ${incident.targets.length} targets in all; found ${incident.occurrences} times.`,
    'To be added by hand: categories of data, and how many people and records are concerned.',
    '',
    '## Whom to ask (Art. 33 (3) b)',
    '',
    'To be added by hand: the data protection officer, or another contact.',
    '',
    '## What is likely to come of it (Art. 33 (3) c)',
    '',
    'To be added by hand.',
    '',
    '## What was done (Art. 33 (3) d)',
    '',
    ...(steps.length === 0 ? ['Nothing by playbook so far.'] : steps.map(stepLine)),
    '',
    '## Timeline',
    '',
    ...entries.map(({ at, actor, kind, text }) => `- ${time(at)} ${kind} (${plain(actor)}): ${plain(text)}`),
    '',
  ].join('\n')
}

function stepLine({ playbook, step, status, outcome, done_at }: BreachFacts['steps'][number]): string {
  const { do: name } = JSON.parse(step) as { do: string }
  const { told = '' } = JSON.parse(outcome) as { told?: string }
  return `- ${time(done_at ?? 0)} ${playbook}: \`${name}\` ${status}: ${plain(told)}`
}

function time(ms: number): string {
  return new Date(ms).toISOString()
}

/** One line, in which nothing is markup: names and reasons come from outside. */
function plain(text: string): string {
  return oneLine(text.slice(0, 4_000).toWellFormed())
    .replaceAll(/[\\`*_{}[\]<>#|!~&]/g, (sign) => `\\${sign}`)
    .replaceAll(/:(?=\/\/)|(?<=\bwww)\./gi, (sign) => `\\${sign}`) // an address is a link by itself
    .replace(/^(\s*\d*)([-+=.)])/, '$1\\$2') // at the beginning of a line it makes a list or a heading
}
