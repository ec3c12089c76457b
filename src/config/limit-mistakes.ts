import { builtInLimits, type LimitOptions, limitOptions } from '../limits/options.ts'
import type { Mistake, Settings } from './settings.ts'

/** Limits that routes name, and what a request of theirs costs: it can be paid, or nobody would ever come through. */
export function limitMistakes(
  routes: readonly Readonly<Record<string, unknown>>[],
  names: ReadonlySet<string>,
  { limits }: Settings,
): Mistake[] {
  if (limits === false) return []
  const strangers = limits?.['strangers']
  const early: Mistake[] =
    strangers && (strangers.algorithm === 'concurrency' || !isByAddress(strangers))
      ? [{ path: 'limits.strangers', message: 'counts whoever nobody knows: expected a window, and `by` address' }]
      : []
  const known = new Set([...Object.keys(builtInLimits), ...names])
  const list = [...known].map((name) => `\`${name}\``).join(', ')
  const named = routes.flatMap((route, index) => {
    const at = `routes[${index}].limit`
    const seen = new Set<string>()
    return [route['limit']].flat().flatMap((use): Mistake[] => {
      const { name, cost } = typeof use === 'string' ? { name: use, cost: 1 } : { cost: 1, ...(use as object as Use) }
      if (typeof name !== 'string') return []
      if (!known.has(name)) return [{ path: at, message: `no limit is called \`${name}\`; there are ${list}` }]
      if (seen.has(name)) return [{ path: at, message: `\`${name}\` is named twice` }]
      seen.add(name)
      const most = mostAtOnce(name, limits)
      return most !== undefined && typeof cost === 'number' && cost > most
        ? [
            {
              path: at,
              message: `\`${name}\` admits ${most} at once, and a request costs ${cost}: nobody would come through`,
            },
          ]
        : []
    })
  })
  return [...early, ...named]
}

/** Nobody may use it up for all others, nor have another budget for each name that they give themselves. */
function isByAddress({ by }: Pick<LimitOptions, 'by'>): boolean {
  return by.every((facts) => facts.includes('ip') && facts.every((fact) => fact === 'ip' || fact === 'route'))
}

interface Use {
  readonly name?: unknown
  readonly cost?: unknown
}

/** What a limit that nobody has used yet lets through; undefined where it is switched off, or not known for what it says. */
function mostAtOnce(name: string, limits: Settings['limits'] | undefined): number | undefined {
  const own = builtInLimits[name as keyof typeof builtInLimits]
  const options = (limits || undefined)?.[name] ?? (own && limitOptions.parse(own))
  if (!options) return undefined
  const { algorithm, limit, burst = limit } = options
  return algorithm === 'token-bucket' ? burst : Math.min(limit, burst)
}
