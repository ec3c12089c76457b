import { readFileSync } from 'node:fs'
import { Reader } from 'mmdb-lib'
import { GenerationCache } from '../../kernel/cache.ts'
import { Fault } from '../../kernel/error.ts'
import { parseAddress } from '../../kernel/ip.ts'

/** Where addresses are, by a file. */
export interface Geolocation {
  /** Undefined for an address that the file does not know. */
  place(address: string): Place | undefined
}

export interface Place {
  /** ISO 3166-1, two letters; '' where it is not known. */
  readonly country: string
  readonly city: string
  /** Degrees; undefined in files of countries. */
  readonly latitude: number | undefined
  readonly longitude: number | undefined
}

/** Reads a MaxMind DB file, whole, into memory. Throws a Fault where it is none, or not of cities or countries. */
export function openGeolocation(path: string): Geolocation {
  const trouble = (what: string, cause?: unknown): Fault =>
    new Fault('unavailable', `incidents.detection.geolocation: \`${path}\` ${what}`, cause)
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw trouble(`cannot be read: ${(error as Error).message}`, error)
  }
  let reader: Reader<never>
  try {
    reader = new Reader<never>(bytes)
  } catch (error) {
    throw trouble('is no MaxMind DB file (`.mmdb`)', error)
  }
  const { databaseType, searchTreeSize } = reader.metadata
  if (!(searchTreeSize < bytes.length)) throw trouble('is cut short')
  if (!/city|country|enterprise/i.test(databaseType))
    throw trouble(`is a file of \`${databaseType}\`: expected one of cities or countries`)
  const known = new GenerationCache<string, Place | null>(placesMax)
  return {
    place(address) {
      const before = known.get(address)
      if (before !== undefined) return before ?? undefined
      const place = look(reader, address) ?? null
      known.set(address, place)
      return place ?? undefined
    },
  }
}

const placesMax = 10_000

/** Nothing of a file that is damaged in the middle: an address of which it cannot tell is not known. */
function look(reader: Reader<never>, address: string): Place | undefined {
  if (parseAddress(address) === undefined) return undefined
  let found: unknown
  try {
    found = reader.get(address)
  } catch {
    return undefined
  }
  if (found === null || typeof found !== 'object') return undefined
  const location = memberOf(found, 'location')
  const [latitude, longitude] = [memberOf(location, 'latitude'), memberOf(location, 'longitude')]
  const isPlaced = isWithin(latitude, 90) && isWithin(longitude, 180)
  return {
    country: textOf(memberOf(memberOf(found, 'country'), 'iso_code')),
    city: textOf(memberOf(memberOf(memberOf(found, 'city'), 'names'), 'en')),
    latitude: isPlaced ? latitude : undefined,
    longitude: isPlaced ? longitude : undefined,
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 100) : ''
}

function isWithin(value: unknown, degrees: number): value is number {
  return typeof value === 'number' && Math.abs(value) <= degrees
}
