import type { KeyedHash } from '../../kernel/keyed-hash.ts'
import type { Limit } from '../limiter.ts'
import type { TableName } from './counter-memory.ts'
import { logSizes } from './log.ts'
import { slots } from './sliding.ts'
import type { Plan, Table } from './table.ts'

const logMax = logSizes[3]
/** What slots of 16 bits count to. */
const narrowMax = 0xffff
const unitsMax = 1_000_000_000

/** Works a limit out; one that cannot be counted is a mistake of ours. */
export function planOf(limit: Limit, hash: KeyedHash, tables: Readonly<Record<TableName, Table>>): Plan {
  const { name, algorithm, limit: units, windowMs, burst } = limit
  check(limit)
  hash.of(JSON.stringify([name, algorithm, units, windowMs, burst]))
  const common = {
    limit,
    high: hash.high,
    low: hash.low,
    units,
    most: units,
    intervalMs: windowMs / units,
    burstMs: (windowMs / units) * burst,
    windowMs,
    slotMs: windowMs / slots,
    keepMs: windowMs,
  }
  switch (algorithm) {
    case 'token-bucket':
      return { ...common, table: tables[algorithm], units: burst, most: burst, keepMs: common.burstMs }
    case 'sliding':
      return {
        ...common,
        table: tables[units <= narrowMax ? 'sliding' : 'sliding-wide'],
        most: Math.min(units, burst),
        keepMs: windowMs + common.slotMs,
      }
    case 'log':
      return { ...common, table: tables[`log-${logSizes.find((size) => units <= size) ?? logMax}`] }
    case 'fixed':
    case 'concurrency':
      return { ...common, table: tables[algorithm] }
    default:
      return algorithm satisfies never
  }
}

function check({ name, algorithm, limit, windowMs, burst }: Limit): void {
  const most = algorithm === 'log' ? logMax : unitsMax
  if (!isWithin(limit, most)) throw new Error(`limit \`${name}\`: expected 1 to ${most} units, got \`${limit}\``)
  if (!isWithin(burst, unitsMax)) {
    throw new Error(`limit \`${name}\`: expected a burst of 1 to ${unitsMax} units, got \`${burst}\``)
  }
  if (algorithm !== 'concurrency' && !(windowMs > 0 && windowMs < Number.POSITIVE_INFINITY)) {
    throw new Error(`limit \`${name}\`: expected a window of some milliseconds, got \`${windowMs}\``)
  }
}

function isWithin(units: number, most: number): boolean {
  return Number.isInteger(units) && units >= 1 && units <= most
}
