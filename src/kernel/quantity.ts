/**
 * Reads a whole number with its unit, `15m` or `64kb`, into the smallest unit; undefined when it is written in any
 * other way, or is too large to be counted exactly. There is one spelling: no sign, fraction, space or leading zero.
 */
export function quantity(text: string, units: Units): number | undefined {
  const written = numberAndUnit.exec(text)
  if (written === null) return undefined
  const unit = units.get(written[2] as string)
  if (unit === undefined) return undefined
  const amount = Number(written[1]) * unit
  return Number.isSafeInteger(amount) ? amount : undefined
}

/** How much of the smallest unit each unit stands for. */
export type Units = ReadonlyMap<string, number>

const numberAndUnit = /^(0|[1-9][0-9]{0,15})([a-z]{1,2})$/
