import type { Database } from '../store/database.ts'
import type { IncidentsTable } from '../store/schema-incidents.ts'

/** How long something took, over a number of incidents: milliseconds. */
export interface Spread {
  readonly count: number
  readonly medianMs: number
  /** Nine of ten took no longer. */
  readonly p90Ms: number
}

/** The incidents that were noticed within a period. */
export interface IncidentMetrics {
  readonly count: number
  readonly byType: Readonly<Record<string, number>>
  readonly bySeverity: Readonly<Record<string, number>>
  readonly byStatus: Readonly<Record<string, number>>
  /** From its first event to when it was noticed. */
  readonly toDetect: Spread | undefined
  /** From when it was noticed. */
  readonly toAcknowledge: Spread | undefined
  readonly toContain: Spread | undefined
  readonly toResolve: Spread | undefined
}

/** Reads page by page: nobody else waits for it. */
export async function incidentMetrics(db: Database, fromMs: number, toMs: number): Promise<IncidentMetrics> {
  const byType = new Map<string, number>()
  const bySeverity = new Map<string, number>()
  const byStatus = new Map<string, number>()
  const took: Record<'detect' | 'acknowledge' | 'contain' | 'resolve', number[]> = {
    detect: [],
    acknowledge: [],
    contain: [],
    resolve: [],
  }
  let count = 0
  for await (const row of rowsOf(db, fromMs, toMs)) {
    count++
    raise(byType, row.type)
    raise(bySeverity, row.severity)
    raise(byStatus, row.status)
    took.detect.push(Math.max(0, row.detected_at - row.began_at))
    for (const [name, at] of [
      ['acknowledge', row.acknowledged_at],
      ['contain', row.contained_at],
      ['resolve', row.resolved_at],
    ] as const)
      if (at !== null) took[name].push(Math.max(0, at - row.detected_at))
  }
  return {
    count,
    byType: Object.fromEntries(byType),
    bySeverity: Object.fromEntries(bySeverity),
    byStatus: Object.fromEntries(byStatus),
    toDetect: spreadOf(took.detect),
    toAcknowledge: spreadOf(took.acknowledge),
    toContain: spreadOf(took.contain),
    toResolve: spreadOf(took.resolve),
  }
}

type Measured = Pick<
  IncidentsTable,
  | 'id'
  | 'type'
  | 'severity'
  | 'status'
  | 'began_at'
  | 'detected_at'
  | 'acknowledged_at'
  | 'contained_at'
  | 'resolved_at'
>

async function* rowsOf(db: Database, fromMs: number, toMs: number): AsyncGenerator<Measured> {
  let last = { detected_at: fromMs, id: '' }
  for (;;) {
    const { detected_at, id } = last
    const page: Measured[] = await db
      .selectFrom('incidents')
      .select([
        'id',
        'type',
        'severity',
        'status',
        'began_at',
        'detected_at',
        'acknowledged_at',
        'contained_at',
        'resolved_at',
      ])
      .where('detected_at', '<', toMs)
      .where((is) =>
        is.or([is('detected_at', '>', detected_at), is.and([is('detected_at', '=', detected_at), is('id', '>', id)])]),
      )
      .orderBy('detected_at')
      .orderBy('id')
      .limit(pageMax)
      .execute()
    yield* page
    const end = page.at(-1)
    if (end === undefined || page.length < pageMax) return
    last = end
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function raise(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

/** By the nearest rank: what is answered did take so long, once. */
function spreadOf(times: number[]): Spread | undefined {
  if (times.length === 0) return undefined
  times.sort((a, b) => a - b)
  const at = (share: number): number => times[Math.max(0, Math.ceil(times.length * share) - 1)] ?? 0
  return { count: times.length, medianMs: at(0.5), p90Ms: at(0.9) }
}

const pageMax = 500
