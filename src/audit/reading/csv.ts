import type { ChainedEvent } from '../follow/follower.ts'

/** The columns, always these: what is added to events later is added behind them. */
// biome-ignore format: a table of name and value
const columns: readonly (readonly [name: string, value: (chained: ChainedEvent) => string])[] = [
  ['seq',           ({ seq }) => String(seq)],
  ['at',            ({ event }) => new Date(event.at).toISOString()],
  ['type',          ({ event }) => event.type],
  ['action',        ({ event }) => event.action],
  ['result',        ({ event }) => event.result],
  ['actor_type',    ({ event }) => event.actor.type],
  ['actor',         ({ event }) => event.actor.id],
  ['address',       ({ event }) => event.address],
  ['resource_type', ({ event }) => event.resource.type],
  ['resource',      ({ event }) => event.resource.id],
  ['request_id',    ({ event }) => event.request_id],
  ['user_agent',    ({ event }) => event.user_agent],
  ['details',       ({ event }) => JSON.stringify(event.details)],
  ['private',       ({ event }) => (event.private === undefined ? '' : JSON.stringify(event.private))],
  ['id',            ({ event }) => event.id],
  ['hash',          ({ hash }) => hash],
]

/** The line of the names (RFC 4180 §2.3). */
export const csvHead = `${columns.map(([name]) => name).join(',')}\r\n`

/** An event as a line of CSV (RFC 4180). */
export function csvLine(chained: ChainedEvent): string {
  return `${columns.map(([, value]) => cell(value(chained))).join(',')}\r\n`
}

/**
 * What a spreadsheet would take for a formula gets an apostrophe in front, as OWASP has it for CSV injection: anybody can write
 * `=HYPERLINK(…)` into their user agent.
 */
function cell(text: string): string {
  const harmless = formula.test(text) ? `'${text}` : text
  return special.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

/** The wide forms of East Asian typing are read as the plain ones. */
const formula = /^[=+\-@\t\r\n＝＋－＠]/
const special = /[",\r\n]/
