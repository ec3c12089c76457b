import type { Clock } from '../../kernel/clock.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import type { Database } from '../../store/database.ts'
import { type Severity, severities } from '../finding.ts'
import type { Incident } from '../incident.ts'
import type { AlertOptions, ChannelOptions, EscalationOptions } from './options.ts'
import { toldOf } from './told.ts'

/** Who is to be told of what becomes of an incident. It is written down in the transaction in which it becomes so. */
export interface AlertPlan {
  opened(trx: Database, incident: Incident): Promise<void>
  /** A playbook wants everybody to hear of it: also the channels that would not by themselves. Answers those that had not heard yet. */
  everybody(trx: Database, incident: Incident): Promise<readonly string[]>
  /** Its severity rose. */
  worse(trx: Database, incident: Incident): Promise<void>
  acknowledged(trx: Database, incident: Incident): Promise<void>
  resolved(trx: Database, incident: Incident): Promise<void>
  reopened(trx: Database, incident: Incident): Promise<void>
}

interface AlertPlanParts {
  readonly alerts: AlertOptions
  readonly escalate: EscalationOptions
  readonly clock: Clock
  readonly random: Random
}

export function alertPlan({ alerts, escalate, clock, random }: AlertPlanParts): AlertPlan {
  const channels = Object.entries(alerts)

  return {
    async opened(trx, incident) {
      await tell(trx, incident, 'opened', concerned(incident))
      await escalations(trx, incident)
    },

    async everybody(trx, incident) {
      const rows = await trx
        .selectFrom('alerts')
        .select('channel')
        .where('incident_id', '=', incident.id)
        .where('occasion', '=', 'opened')
        .execute()
      const names = channels.map(([name]) => name).filter((name) => rows.every(({ channel }) => channel !== name))
      await tell(trx, incident, 'opened', names)
      return names
    },

    async worse(trx, incident) {
      await tell(trx, incident, `worse ${incident.severity}`, concerned(incident))
      if (incident.status === 'active') await escalations(trx, incident)
    },

    async acknowledged(trx, incident) {
      await forget(trx, incident, 'escalated %')
      const told = await toldBefore(trx, incident)
      const names = channels.filter(([name, channel]) => isPagerDuty(channel) && told.has(name)).map(([name]) => name)
      await tell(trx, incident, `acknowledged ${incident.version}`, names)
    },

    async resolved(trx, incident) {
      // Nobody is woken up by what is over. What is being told at this moment is told, and its end after it.
      await forget(trx, incident, '%')
      const told = await toldBefore(trx, incident)
      const names = channels
        .filter(([name, channel]) => (channel.resolved || isPagerDuty(channel)) && told.has(name))
        .map(([name]) => name)
      await tell(trx, incident, `resolved ${incident.version}`, names)
    },

    async reopened(trx, incident) {
      await forget(trx, incident, 'resolved %')
      const told = await toldBefore(trx, incident, 'resolved %')
      const names = channels.filter(([name]) => told.has(name)).map(([name]) => name)
      await tell(trx, incident, `reopened ${incident.version}`, names)
    },
  }

  /** The channels that want to hear of an incident by themselves. */
  function concerned({ severity, type }: Incident): readonly string[] {
    return channels
      .filter(
        ([, { onlyEscalated, minSeverity, types }]) =>
          !onlyEscalated && reaches(severity, minSeverity) && (types === undefined || types.includes(type)),
      )
      .map(([name]) => name)
  }

  async function escalations(trx: Database, incident: Incident): Promise<void> {
    for (const [index, { after, to, minSeverity }] of escalate.entries())
      if (reaches(incident.severity, minSeverity))
        await tell(trx, incident, `escalated ${index + 1}`, to, clock.now() + after)
  }

  /** Each occasion once to each channel, whoever comes to say so again. */
  async function tell(
    trx: Database,
    incident: Incident,
    occasion: string,
    names: readonly string[],
    dueAt = clock.now(),
  ): Promise<void> {
    if (names.length === 0) return
    const content = JSON.stringify(toldOf(incident, occasion))
    await trx
      .insertInto('alerts')
      .values(
        names.map((channel) => ({
          id: uuidv7(clock.now(), random),
          incident_id: incident.id,
          channel,
          occasion,
          version: incident.version,
          content,
          due_at: dueAt,
          first_due_at: dueAt,
          tries: 0,
          tried_at: null,
          message: null,
          sent_at: null,
          given_up_at: null,
          problem: null,
        })),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
}

/** What was not begun to be told is not told any more. */
async function forget(trx: Database, { id }: Incident, occasion: string): Promise<void> {
  await trx
    .deleteFrom('alerts')
    .where('incident_id', '=', id)
    .where('occasion', 'like', occasion)
    .where('tries', '=', 0)
    .execute()
}

/** The channels that know of an incident, or may. */
async function toldBefore(trx: Database, { id }: Incident, occasion = '%'): Promise<ReadonlySet<string>> {
  const rows = await trx
    .selectFrom('alerts')
    .select('channel')
    .distinct()
    .where('incident_id', '=', id)
    .where('occasion', 'like', occasion)
    .where('tries', '>', 0)
    .execute()
  return new Set(rows.map(({ channel }) => channel))
}

function isPagerDuty(channel: ChannelOptions): boolean {
  return channel.kind === 'webhook' && channel.body === 'pagerduty'
}

function reaches(severity: Severity, least: Severity): boolean {
  return severities.indexOf(severity) >= severities.indexOf(least)
}
