/**
 * How many times as long a call takes on four times as much: about 4 where time is in proportion, 16 where it is in its square.
 * Of the processor, so that neighbours count less; the best of several turns, and no more of them than it takes to be content.
 */
export function growthOf(quarter: () => void, whole: () => void): number {
  quarter()
  const best = new Best()
  while (best.goesOn) best.turn(timeOf(quarter), timeOf(whole))
  return best.ratio
}

/** The same of calls that are waited for. */
export async function growthOfLate(quarter: () => Promise<unknown>, whole: () => Promise<unknown>): Promise<number> {
  await quarter()
  const best = new Best()
  while (best.goesOn) best.turn(await lateTimeOf(quarter), await lateTimeOf(whole))
  return best.ratio
}

/** What grows with the square is beyond it, whoever shares the machine; what is in proportion is below it in one of its turns. */
export const linearMax = 9

const turnsMax = 12
/** Below some milliseconds the collector is all that is measured. */
const floorMs = 15

class Best {
  #quarter = Number.POSITIVE_INFINITY
  #whole = Number.POSITIVE_INFINITY
  #turns = 0

  turn(quarter: number, whole: number): void {
    this.#turns++
    this.#quarter = Math.min(this.#quarter, quarter)
    this.#whole = Math.min(this.#whole, whole)
  }

  get ratio(): number {
    return this.#whole / Math.max(this.#quarter, floorMs)
  }

  get goesOn(): boolean {
    return this.#turns === 0 || (this.#turns < turnsMax && this.ratio > linearMax - 3)
  }
}

function timeOf(run: () => void): number {
  const before = process.cpuUsage()
  run()
  return since(before)
}

async function lateTimeOf(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await run()
  return since(before)
}

function since(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
