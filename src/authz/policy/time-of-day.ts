import { GenerationCache } from '../../kernel/cache.ts'
import type { Span } from './condition.ts'
import type { Truth } from './policy.ts'

/** Reads `09:00`, and as an end `24:00`, as the minute of the day. */
export function minuteOfDay(text: string): number | undefined {
  const [, hours, minutes] = clockTime.exec(text) ?? []
  if (hours === undefined || minutes === undefined) return undefined
  return Number(hours) * 60 + Number(minutes)
}

/** A time zone of the IANA database, `UTC` or `Europe/Berlin`, that this machine knows. */
export function isZone(name: string): boolean {
  // An offset such as `+02:00` would be one too, but no place keeps to an offset all year.
  if (!zoneName.test(name)) return false
  try {
    clockOf(name)
    return true
  } catch {
    return false
  }
}

/** Whether a moment, in milliseconds since the epoch, lies in the span by the clocks of the zone. */
export function timeOfDayTest({ fromMinute, toMinute }: Span, zone: string): (time: unknown) => Truth {
  const clock = clockOf(zone)
  return (time) => {
    const now = clock(time)
    if (now === undefined) return undefined
    return fromMinute < toMinute ? now >= fromMinute && now < toMinute : now >= fromMinute || now < toMinute
  }
}

/** Tells the minute of the day in the zone; undefined for what is no moment. All that ask about one zone share its clock. */
export function clockOf(zone: string): Clock {
  const known = clocks.get(zone)
  if (known !== undefined) return known
  const clock = newClock(zone)
  clocks.set(zone, clock)
  return clock
}

export type Clock = (time: unknown) => number | undefined

const clocks = new GenerationCache<string, Clock>(1_000)

function newClock(zone: string): Clock {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  // The clocks of the world agree on when a minute begins: within one of them the answer stays.
  let known = { minute: Number.NaN, ofDay: 0 }
  return (time) => {
    if (typeof time !== 'number' || !(Math.abs(time) <= timeMax)) return undefined
    const minute = Math.floor(time / 60_000)
    if (minute !== known.minute) {
      const ofDay = minuteOfDay(format.format(minute * 60_000))
      if (ofDay === undefined) return undefined
      known = { minute, ofDay }
    }
    return known.ofDay
  }
}

const clockTime = /^([01][0-9]|2[0-3]|24(?=:00$)):([0-5][0-9])$/
const zoneName = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/

/** The last millisecond that ECMAScript can date (§21.4.1.1), less a minute. */
const timeMax = 8.64e15 - 60_000
