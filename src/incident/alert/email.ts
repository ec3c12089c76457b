import type { LetterFacts } from '../../mail/letters.ts'
import type { Outbox } from '../../mail/outbox.ts'
import type { Channel } from './channel.ts'
import type { EmailOptions } from './options.ts'
import { type Message, worstOf } from './told.ts'

/** Writes letters into the house's own outbox, in the transaction that says so: from there on they are tried like all others. */
export function openEmail({ to, language }: EmailOptions, outbox: Outbox, siteName: string): Channel {
  return {
    kind: 'posts',
    async post(trx, message) {
      const letter = letterOf(message)
      const facts = { ...letter.facts, site: siteName }
      for (const reader of to)
        await outbox.post(trx, {
          to: reader,
          kind: letter.kind,
          facts,
          ...(language === undefined ? {} : { language }),
        })
    },
  }
}

function letterOf({ at, told }: Message): {
  readonly kind: 'incident' | 'incident-escalated' | 'incident-over' | 'incident-due' | 'incidents'
  readonly facts: Omit<LetterFacts, 'site'>
} {
  const [first] = told
  if (told.length > 1)
    return {
      kind: 'incidents',
      facts: { count: String(told.length), severity: worstOf(told), time: new Date(at).toISOString() },
    }
  const { id, type, severity, title, detected_at, report_due } = first
  const facts = { incident: title, id, type, severity, time: detected_at }
  switch (first.occasion) {
    case 'opened':
    case 'worse':
    case 'reopened':
      return report_due === undefined
        ? { kind: 'incident', facts }
        : { kind: 'incident-due', facts: { ...facts, due: report_due } }
    case 'escalated':
      return { kind: 'incident-escalated', facts }
    case 'acknowledged':
    case 'resolved':
      return { kind: 'incident-over', facts }
  }
}
