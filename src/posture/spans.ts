export const minuteMs = 60_000
export const hourMs = 3_600_000
export const dayMs = 86_400_000

/** A span as people say it, in its largest whole unit: `15 min`, `30 d`. */
export function spanText(ms: number): string {
  if (ms >= 2 * dayMs) return `${Math.round(ms / dayMs)} d`
  if (ms >= 2 * hourMs) return `${Math.round(ms / hourMs)} h`
  if (ms >= 2 * minuteMs) return `${Math.round(ms / minuteMs)} min`
  return `${Math.round(ms / 1000)} s`
}
