/** An event that counts: its place in the chain, and when it took place. */
export interface Sighting {
  readonly seq: number
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Events of several nodes may come in another order than they took place, by so much. */
export const disorderMs = 60_000

/**
 * Puts a sighting among those of its key, which stand by time; the oldest goes where there are more than `most`. One that
 * is older by more than a minute says that the clock was put back: what was seen before counts as seen just now.
 */
export function insert(sightings: Sighting[], sighting: Sighting, most: number): void {
  const newest = sightings.at(-1)
  if (newest !== undefined && sighting.at < newest.at - disorderMs) {
    for (const [index, { seq, at }] of sightings.entries()) sightings[index] = { seq, at: Math.min(at, sighting.at) }
  }
  let place = sightings.length
  while (place > 0 && (sightings[place - 1] as Sighting).at > sighting.at) place--
  if (place === sightings.length) sightings.push(sighting)
  else sightings.splice(place, 0, sighting)
  if (sightings.length > most) sightings.shift()
}
