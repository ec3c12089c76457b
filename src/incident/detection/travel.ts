import type { Geolocation, Place } from './geolocation.ts'
import { KeyTable } from './key-table.ts'
import { capacityOf, type Watch } from './watch.ts'

export interface TravelTerms {
  readonly kmPerHour: number
  readonly kmMin: number
  readonly windowMs: number
}

interface State {
  readonly place: Place
  readonly seq: number
  readonly at: number
}

/** Two places that nobody gets from one to the other in the time between. Where an address is not known to be, nothing is said. */
export function travelWatch({ kmPerHour, kmMin, windowMs }: TravelTerms, geolocation: Geolocation | undefined): Watch {
  const keys = new KeyTable<State>(capacityOf(1), () => false)
  return {
    pastMs: windowMs,
    see({ address, at }, seq, key) {
      const place = address === '' ? undefined : geolocation?.place(address)
      if (place?.latitude === undefined || place.longitude === undefined) return undefined
      const before = keys.get(key)
      keys.set(key, { place, seq, at })
      if (before === undefined) return undefined
      const betweenMs = Math.abs(at - before.at)
      if (betweenMs >= windowMs) return undefined
      const km = distanceKm(before.place, place)
      if (km < kmMin || km <= (kmPerHour * betweenMs) / 3_600_000) return undefined
      return {
        sightings: [
          { seq: before.seq, at: before.at },
          { seq, at },
        ],
        count: 2,
        text: `${Math.round(km)} km in ${Math.round(betweenMs / 60_000)} minutes, from ${nameOf(before.place)} to ${nameOf(place)}`,
      }
    },
    forgive: (key) => keys.delete(key),
    clear: () => keys.clear(),
    get size() {
      return keys.size
    },
  }
}

/** Along the surface of a sphere (haversine): within half a percent of the earth. */
export function distanceKm(
  { latitude: a = 0, longitude: b = 0 }: Place,
  { latitude: c = 0, longitude: d = 0 }: Place,
): number {
  const radians = Math.PI / 180
  const [across, along] = [Math.sin(((c - a) * radians) / 2), Math.sin(((d - b) * radians) / 2)]
  const h = across * across + Math.cos(a * radians) * Math.cos(c * radians) * along * along
  return 2 * earthKm * Math.asin(Math.min(1, Math.sqrt(h)))
}

const earthKm = 6371

function nameOf({ city, country }: Place): string {
  return city === '' ? country || 'somewhere' : `${city} (${country})`
}
