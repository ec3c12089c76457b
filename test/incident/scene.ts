// Nodes of one house, as far as incidents are concerned: each with its own connection to one store.
import type { TestContext } from 'node:test'
import { Alerts } from '../../src/incident/alert/alerts.ts'
import { openChannels } from '../../src/incident/alert/open.ts'
import { changeIncident, type IncidentChange } from '../../src/incident/changes.ts'
import type { Finding, Report } from '../../src/incident/finding.ts'
import type { Incident } from '../../src/incident/incident.ts'
import type { IncidentBook } from '../../src/incident/incidents.ts'
import { openIncidents } from '../../src/incident/open.ts'
import { type IncidentOptions, incidentOptions } from '../../src/incident/options.ts'
import { type Noticed, reporter } from '../../src/incident/report.ts'
import type { Refusal } from '../../src/kernel/error.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { type TestClock, testClock } from '../support/clock.ts'

export type FreshStore = (context: TestContext) => Promise<string>

export interface Node {
  readonly store: Store
  readonly book: IncidentBook
  readonly alerts: Alerts
  readonly report: Report
  /** What it wrote into the record. */
  readonly noted: { readonly action: string; readonly details: Noticed['details'] }[]
  /** What it printed. */
  readonly printed: string[]
  /** Reports in a transaction of its own. */
  found(more?: Partial<Finding>): Promise<void>
  change(id: string, change: Omit<IncidentChange, 'actor'>): Promise<Incident | Refusal>
  /** The incidents there are, the newest first. */
  all(): Promise<readonly Incident[]>
}

export const startMs = Date.UTC(2026, 0, 1)

export const finding: Finding = {
  type: 'brute-force',
  severity: 'high',
  cause: 'brute-force 203.0.113.9',
  title: 'Somebody guesses passwords',
  description: '5 wrong passwords within a minute',
  details: { rule: 'brute-force' },
  targets: [{ type: 'address', id: '203.0.113.9' }],
  events: [3, 4, 5],
  beganAt: startMs - 60_000,
  lastAt: startMs - 1_000,
  count: 5,
}

/** As many nodes as are wanted, on one store. */
export async function nodes(
  context: TestContext,
  url: string,
  count: number,
  incidents: unknown = {},
  {
    clock = testClock(startMs),
    environment = {},
  }: { readonly clock?: TestClock; readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<{ readonly nodes: readonly [Node, Node]; readonly clock: TestClock }> {
  const options: IncidentOptions = incidentOptions.parse(incidents)
  const all: Node[] = []
  for (let number = 0; number < count; number++) {
    const store = await openStore(url)
    const { incidentBook: book, alertPlan } = openIncidents({ options, clock, random: systemRandom, onOpened: [] })
    const noted: { action: string; details: Noticed['details'] }[] = []
    const printed: string[] = []
    const note = async (_: unknown, { action, details }: (typeof noted)[number]): Promise<void> =>
      void noted.push({ action, details })
    const lines = openChannels(options.alerts, {
      environment,
      siteName: 'Example',
      publicUrl: undefined,
      outbox: undefined,
      print: (line) => void printed.push(line),
      clock,
    })
    const alerts = new Alerts({ lines, store, book, note, clock, random: systemRandom, log: silent })
    const report = reporter({ book, note })
    context.after(async () => {
      await alerts.close()
      await store.close()
    })
    all.push({
      store,
      book,
      alerts,
      report,
      noted,
      printed,
      found: (more) => store.transaction((trx) => report(trx, { ...finding, ...more })),
      change: (id, change) =>
        store.transaction((trx) =>
          changeIncident(trx, { book, alerts: alertPlan, clock }, id, { ...change, actor: 'ada' }),
        ),
      all: async () => (await book.page(store.db, { limit: 200 })).incidents,
    })
  }
  return { nodes: all as unknown as [Node, Node], clock }
}
