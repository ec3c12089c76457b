import type { Area, Check, Finding } from './check.ts'
import { checklists, type System } from './checklists.ts'
import { checks } from './checks/all.ts'
import type { Facts } from './facts.ts'

/** A line of the checklist, answered. */
export interface PostureLine extends Omit<Check, 'look'>, Finding {
  /** The requirements that it answers. */
  readonly rows: readonly string[]
  /** The systems whose requirements those are. */
  readonly systems: readonly System[]
}

export interface Posture {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Whether every `must` holds, as far as it can be known. */
  readonly sound: boolean
  readonly counts: Readonly<Record<Finding['outcome'], number>>
  readonly lines: readonly PostureLine[]
}

/** Answers every line of the checklist, or those of one area. */
export function examine(facts: Facts, area?: Area): Posture {
  const lines = checks
    .filter((check) => area === undefined || check.area === area)
    .map(({ look, ...check }) => ({ ...check, ...rowsOf(check.id), ...look(facts) }))
  const count = (outcome: Finding['outcome']): number => lines.filter((line) => line.outcome === outcome).length
  return {
    at: facts.now,
    sound: !lines.some(({ level, outcome }) => level === 'must' && outcome === 'fails'),
    counts: { holds: count('holds'), fails: count('fails'), unknown: count('unknown') },
    lines,
  }
}

/** The same, as the API and `--json` tell of it: a stable shape. */
export function postureOf({ at, sound, counts, lines }: Posture): Record<string, unknown> {
  return {
    at: new Date(at).toISOString(),
    sound,
    counts,
    checks: lines.map(({ id, title, area, level, outcome, found, mend, rows, systems, owasp }) => ({
      id,
      title,
      area,
      level,
      outcome,
      found,
      ...(mend === undefined ? {} : { mend }),
      rows,
      systems,
      owasp,
    })),
  }
}

function rowsOf(id: string): Pick<PostureLine, 'rows' | 'systems'> {
  const own = Object.entries(checklists).filter(([, { checks }]) => checks.includes(id))
  return { rows: own.map(([row]) => row), systems: [...new Set(own.flatMap(([, { from }]) => from))].toSorted() }
}
