import { existsSync } from 'node:fs'
import type { AuditEvent } from '../audit/event.ts'
import { readFindings, type ToldFinding } from '../inspection/finding.ts'
import { type Family, families } from '../inspection/injection/detector.ts'
import { usualThreshold } from '../inspection/injection/injection.ts'
import { together } from '../inspection/verdict.ts'
import { durationMs } from '../kernel/duration.ts'
import { oneLine } from '../kernel/one-line.ts'
import { type Terminal, Usage } from './command.ts'
import { exported, type Numbered, recorded } from './recorded-events.ts'
import { visit } from './visit.ts'

interface ReplayValues {
  readonly config?: string | undefined
  readonly data: string
  readonly since?: string | undefined
  readonly threshold?: string | undefined
  readonly family?: readonly string[] | undefined
  readonly export?: string | undefined
  readonly json?: boolean | undefined
}

/** Weighs what the record holds of earlier requests by other thresholds. */
export async function replayInspection(values: ReplayValues, terminal: Terminal): Promise<boolean> {
  const sinceMs = durationMs(values.since ?? '7d')
  if (sinceMs === undefined) throw new Usage(`--since: expected a duration such as \`7d\`, got \`${values.since}\``)
  if (values.export !== undefined && !existsSync(values.export)) throw new Usage(`no export at \`${values.export}\``)
  const scale: Scale = {
    threshold: shareOf('--threshold', values.threshold ?? String(usualThreshold)),
    families: new Map((values.family ?? []).map(familyOf)),
  }
  const replayed =
    values.export === undefined
      ? await visit(values, terminal, async (house) => {
          await house.audit.flush()
          return weigh(recorded(house, terminal.clock.now() - sinceMs), scale)
        })
      : await weigh(exported(values.export), scale)
  show(replayed, terminal, values.json === true)
  return true
}

interface Scale {
  readonly threshold: number
  readonly families: ReadonlyMap<string, number>
}

interface Replayed {
  readonly requests: number
  readonly withFindings: number
  readonly refusedThen: number
  readonly refusedNow: number
  /** Refused by these thresholds and let on before, and the other way round: by route and rule. */
  readonly newly: ReadonlyMap<string, number>
  readonly noMore: ReadonlyMap<string, number>
}

async function weigh(events: AsyncIterable<Numbered>, scale: Scale): Promise<Replayed> {
  const newly = new Map<string, number>()
  const noMore = new Map<string, number>()
  let requests = 0
  let withFindings = 0
  let refusedThen = 0
  let refusedNow = 0
  for await (const { event } of events) {
    if (event.action !== 'request' && event.action !== 'refused') continue
    requests++
    const told = injectionsOf(event)
    if (told.length === 0) continue
    withFindings++
    const then = event.details['because'] === 'injection-detected'
    const now = isRefused(told, scale)
    if (then) refusedThen++
    if (now) refusedNow++
    if (then === now) continue
    const [surest] = told.toSorted((a, b) => b.confidence - a.confidence)
    const line = `${event.resource.id}: ${surest?.rule} at ${surest?.place}`
    const lines = now ? newly : noMore
    lines.set(line, (lines.get(line) ?? 0) + 1)
  }
  return { requests, withFindings, refusedThen, refusedNow, newly, noMore }
}

function injectionsOf({ details }: AuditEvent): readonly ToldFinding[] {
  const { findings } = details
  return typeof findings === 'string' ? readFindings(findings).filter(({ what }) => what in families) : []
}

/** As `openInjection` weighs them: field by field, families with a threshold of their own alone. */
function isRefused(told: readonly ToldFinding[], { threshold, families: own }: Scale): boolean {
  return [...Map.groupBy(told, ({ place }) => place).values()].some((field) => {
    if (together(field.filter(({ what }) => !own.has(what))) >= threshold) return true
    return [...own].some(([family, least]) => {
      const its = field.filter(({ what }) => what === family)
      return its.length > 0 && together(its) >= least
    })
  })
}

function shareOf(option: string, text: string): number {
  const share = Number(text)
  if (!(share > 0 && share <= 1)) throw new Usage(`${option}: expected a number above 0 and up to 1, got \`${text}\``)
  return share
}

function familyOf(text: string): readonly [Family, number] {
  const [name = '', share = ''] = text.split('=')
  if (!(name in families))
    throw new Usage(`--family: expected one of ${Object.keys(families).join(', ')}, got \`${name}\``)
  return [name as Family, shareOf(`--family ${name}`, share)]
}

function show(replayed: Replayed, terminal: Terminal, json: boolean): void {
  const { requests, withFindings, refusedThen, refusedNow, newly, noMore } = replayed
  if (json) {
    const lists = { newly: Object.fromEntries(newly), noMore: Object.fromEntries(noMore) }
    terminal.out(JSON.stringify({ requests, withFindings, refusedThen, refusedNow, ...lists }))
    return
  }
  terminal.out(
    `${requests} requests, ${withFindings} with findings of injection: ${refusedThen} were refused, ${refusedNow} would be`,
  )
  list('would be refused, and went on:', newly, terminal)
  list('would go on, and were refused:', noMore, terminal)
}

const linesMax = 40

function list(title: string, lines: ReadonlyMap<string, number>, terminal: Terminal): void {
  if (lines.size === 0) return
  terminal.out(title)
  const sorted = [...lines].toSorted(([, a], [, b]) => b - a)
  for (const [line, count] of sorted.slice(0, linesMax))
    terminal.out(oneLine(`  ${String(count).padStart(6)}  ${line}`))
  if (sorted.length > linesMax) terminal.out(`  and ${sorted.length - linesMax} more`)
}
