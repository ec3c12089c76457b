import type { Clock } from '../../kernel/clock.ts'

/** Seconds since the epoch, of a text that is their one spelling: no sign, no leading zero, no exponent, no white space. */
export function secondsOf(text: string): number | undefined {
  return /^(?:0|[1-9]\d{0,11})$/.test(text) ? Number(text) : undefined
}

/** Whether a time is near enough to ours, in either direction. */
export function isWithin(seconds: number, windowMs: number, clock: Clock): boolean {
  return Math.abs(clock.now() - seconds * 1000) <= windowMs
}

/**
 * Until when a signature has to be remembered: for as long as some node could take it, where the clocks of nodes are apart
 * by less than a minute.
 */
export function rememberUntilMs(seconds: number, windowMs: number): number {
  return seconds * 1000 + windowMs + 60_000
}
