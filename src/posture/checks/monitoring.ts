import { type Check, either, fails, inData, none, unknown } from '../check.ts'
import { dayMs, hourMs, minuteMs, spanText } from '../spans.ts'

/** What is remembered, what is noticed, and who hears of it. */
export const monitoringChecks: readonly Check[] = [
  {
    id: 'record-grows',
    title: 'What happens is remembered',
    area: 'monitoring',
    level: 'must',
    owasp: ['API8'],
    look: inData(({ record: { events, outbox } }) =>
      either(
        events + outbox > 0,
        `${events} events, ${outbox} wait to be chained`,
        'the record is empty',
        'gatehouse start: it writes down its own start',
      ),
    ),
  },
  {
    id: 'record-flows',
    title: 'Events are chained as they come',
    area: 'monitoring',
    level: 'must',
    owasp: ['API8'],
    look: inData(({ record: { outbox } }) =>
      either(
        outbox < 1_000,
        `${outbox} wait`,
        `${outbox} wait`,
        'see the log of the house for `the audit chain cannot be extended`',
      ),
    ),
  },
  {
    id: 'record-gaps',
    title: 'No access was lost in the last 30 days',
    area: 'monitoring',
    level: 'should',
    owasp: ['API8'],
    look: inData(({ record: { gaps } }) =>
      either(
        gaps === 0,
        'none was',
        `${gaps} gaps`,
        'gatehouse audit search --action audit-gap; a faster disk for the store',
      ),
    ),
  },
  {
    id: 'record-down',
    title: 'Without a record nothing is served',
    area: 'monitoring',
    level: 'should',
    owasp: ['API8'],
    look: ({ settings: { audit } }) =>
      either(
        audit.whenDown === 'refuse',
        'audit.whenDown is `refuse`',
        'audit.whenDown is `serve`: ordinary requests go through, and what is lost is counted',
        "audit.whenDown: 'refuse'",
      ),
  },
  {
    id: 'checkpoints-often',
    title: 'The record is signed every five minutes at least',
    area: 'monitoring',
    level: 'should',
    owasp: ['API8'],
    look: ({ settings: { audit } }) =>
      either(
        audit.checkpoint <= 5 * minuteMs,
        `every ${spanText(audit.checkpoint)}`,
        `every ${spanText(audit.checkpoint)}`,
        "audit.checkpoint: '1m'",
      ),
  },
  {
    id: 'checkpoint-fresh',
    title: 'All but the newest events are under a signed checkpoint',
    area: 'monitoring',
    level: 'must',
    owasp: ['API8'],
    look: inData(({ record: { events, checkpoint, firstAt, lastAt } }, { now, settings }) => {
      if (events === 0) return unknown('the record is empty')
      // What came after the last checkpoint may have come within its interval; three of them are a standstill.
      const patienceMs = 3 * settings.audit.checkpoint + minuteMs
      if (checkpoint === undefined && now - (firstAt ?? 0) <= patienceMs)
        return unknown(`${events} events, the first within ${spanText(patienceMs)}: a checkpoint is still to come`)
      if (checkpoint === undefined) return fails(`${events} events, and no checkpoint`, 'gatehouse audit checkpoint')
      const behind = events - checkpoint.size
      const found = `${checkpoint.size} of ${events} events, signed ${spanText(Math.max(0, now - checkpoint.at))} ago`
      const late = behind > 0 && (lastAt ?? now) - checkpoint.at > patienceMs
      return either(!late, found, found, 'gatehouse audit checkpoint')
    }),
  },
  {
    id: 'record-verified',
    title: 'The chain of events is whole',
    area: 'monitoring',
    level: 'should',
    owasp: ['API8'],
    look: inData(({ record: { scrub } }) =>
      scrub === undefined
        ? unknown('no walk through the whole record has ended yet: `gatehouse audit verify` is one')
        : either(
            scrub.found === null,
            `${scrub.events} events were as they had been written, at ${new Date(scrub.at).toISOString()}`,
            `the last walk found it ${scrub.found}`,
            'keep the store as it is, for it is evidence, and run `gatehouse audit verify`',
          ),
    ),
  },
  {
    id: 'record-sent',
    title: 'The record is sent to another place',
    area: 'monitoring',
    level: 'should',
    owasp: ['API8'],
    look: ({ settings: { audit } }) => {
      const sinks = audit.sinks.length
      return either(
        sinks > 0,
        `${sinks} sinks`,
        'no sink is configured',
        "audit.sinks: [{ kind: 'file', path: '/mnt/elsewhere/audit.jsonl' }]",
      )
    },
  },
  {
    id: 'record-anchored',
    title: 'Checkpoints are kept where the house cannot change them',
    area: 'monitoring',
    level: 'should',
    owasp: ['API8'],
    look: ({ settings: { audit } }) => {
      const anchors = audit.anchors.length
      return either(
        anchors > 0,
        `${anchors} anchors`,
        'none are configured: whoever has store and key can write another past',
        "audit.anchors: [{ file: '/mnt/elsewhere/audit.checkpoints' }]",
      )
    },
  },
  {
    id: 'sinks-take',
    title: 'Whoever reads the record keeps up with it',
    area: 'monitoring',
    level: 'must',
    owasp: ['API8'],
    look: inData(({ record: { followers } }, { now }) =>
      none(
        followers.flatMap(({ name, failingSince }) =>
          failingSince !== undefined && now - failingSince > 10 * minuteMs ? [name] : [],
        ),
        followers.map(({ name, behind }) => `${name}: ${behind} behind`).join('; ') || 'nobody reads along',
        'failing for more than ten minutes',
        'GET /api/admin/reviews names the problem of each; look at the other end',
      ),
    ),
  },
  {
    id: 'attacks-noticed',
    title: 'Attacks are noticed by rules',
    area: 'monitoring',
    level: 'should',
    owasp: ['API2', 'API6', 'API8'],
    look: ({ settings: { incidents } }) => {
      const { rules } = incidents.detection
      return either(
        rules.length > 0,
        `${rules.length} rules`,
        'no rule is on',
        "incidents.detection.presets: ['standard']",
      )
    },
  },
  {
    id: 'alerts',
    title: 'Somebody is told of incidents',
    area: 'monitoring',
    level: 'should',
    owasp: ['API8'],
    look: ({ settings: { incidents } }) => {
      const alerts = Object.keys(incidents.alerts).length
      return either(
        alerts > 0,
        `${alerts} ways`,
        'nobody is',
        "incidents.alerts: { desk: { kind: 'email', to: ['security@example.com'] } }",
      )
    },
  },
  {
    id: 'alerts-arrive',
    title: 'Alerts arrive',
    area: 'monitoring',
    level: 'must',
    owasp: ['API8'],
    look: inData(({ alerts: { givenUp, late } }) =>
      either(
        givenUp + late === 0,
        'none waits or was given up',
        `${givenUp} were given up, ${late} are late`,
        'gatehouse incident list; look at the other end of incidents.alerts',
      ),
    ),
  },
  {
    id: 'playbooks',
    title: 'What is done about an incident is written down beforehand',
    area: 'monitoring',
    level: 'should',
    owasp: ['API8'],
    look: ({ settings: { incidents } }) => {
      const playbooks = incidents.playbooks.size
      return either(playbooks > 0, `${playbooks} playbooks`, 'no playbook is configured', 'incidents.playbooks')
    },
  },
  {
    id: 'incidents-seen',
    title: 'Every incident was looked at within a day',
    area: 'monitoring',
    level: 'must',
    owasp: ['API8'],
    look: inData(({ incidents: { open, unacknowledged, oldestUnacknowledgedAt } }, { now }) => {
      const age = now - (oldestUnacknowledgedAt ?? now)
      return either(
        age <= dayMs,
        `${open} open, ${unacknowledged} not acknowledged`,
        `${unacknowledged} of ${open} open ones are not acknowledged, the oldest for ${spanText(age)}`,
        'gatehouse incident list --status active; gatehouse incident acknowledge ID',
      )
    }),
  },
  {
    id: 'letters-leave',
    title: 'Letters leave',
    area: 'monitoring',
    level: 'must',
    owasp: ['API8'],
    look: inData(({ letters: { waiting, oldestAt, givenUp } }, { now }) => {
      const age = now - (oldestAt ?? now)
      return either(
        age <= hourMs && givenUp === 0,
        `${waiting} wait`,
        `${waiting} wait, the oldest for ${spanText(age)}; ${givenUp} were given up`,
        'look at mail.smtp, and at the log of the house',
      )
    }),
  },
  {
    id: 'metrics-closed',
    title: 'Metrics are for named addresses',
    area: 'monitoring',
    level: 'must',
    owasp: ['API8', 'API9'],
    look: ({ settings: { metrics } }) =>
      none(
        metrics.allow.filter((network) => /\/0$/.test(network)),
        ['this machine', ...metrics.allow].join(', '),
        'open to everybody',
        "metrics.allow: ['10.0.0.0/8']",
      ),
  },
  {
    id: 'clock',
    title: 'The clock agrees with the record',
    area: 'monitoring',
    level: 'must',
    owasp: ['API2', 'API8'],
    look: inData(({ record: { lastAt } }, { now }) =>
      lastAt === undefined
        ? unknown('the record is empty')
        : either(
            lastAt <= now + 5 * minuteMs,
            `the last event was ${spanText(Math.max(0, now - lastAt))} ago`,
            `the last event is ${spanText(lastAt - now)} ahead of this clock`,
            'set the clock by NTP, on every node',
          ),
    ),
  },
  {
    id: 'reviews-made',
    title: 'Somebody reviews what happened, once in 35 days at least',
    area: 'compliance',
    level: 'should',
    owasp: ['API9'],
    look: inData(({ reviewAt }, { now }) =>
      reviewAt === undefined
        ? fails('no review was ever made', 'gatehouse review monthly')
        : either(
            now - reviewAt <= 35 * dayMs,
            `${spanText(Math.max(0, now - reviewAt))} ago`,
            `the last was ${spanText(now - reviewAt)} ago`,
            'gatehouse review monthly',
          ),
    ),
  },
  {
    id: 'client-reports',
    title: 'Clients can report what they notice, and not too often',
    area: 'monitoring',
    level: 'should',
    owasp: ['API4'],
    look: ({ settings: { limits } }) =>
      either(
        limits !== false &&
          (limits['reports'] !== false || Object.values(limits).some((one) => one !== false && one.everywhere)),
        'POST /api/monitoring/security-events, under a limit',
        'POST /api/monitoring/security-events is under no limit',
        "limits.reports: { limit: 20, window: '1m', by: ['principal', 'ip'] }",
      ),
  },
  {
    id: 'places-known',
    title: 'It can be told from which country somebody signs in',
    area: 'monitoring',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings: { incidents } }) =>
      either(
        incidents.detection.geolocation !== undefined,
        'by a database file',
        'no database is named: impossible journeys are not noticed',
        'incidents.detection.geolocation: a MaxMind DB file',
      ),
  },
]
