import { createHash } from 'node:crypto'
import { parseConfig } from '../config/parse.ts'
import { type Environment, ownUrl, type Settings } from '../config/settings.ts'
import type { Crowd } from '../endpoints/crowd.ts'
import { openSharedCrowd } from '../endpoints/shared-crowd.ts'
import type { SharedMemory } from '../memory.ts'
import { Usage } from './command.ts'
import { settled } from './load.ts'

/** Where to listen, as far as the command line says so. */
export interface Where {
  readonly port?: number
  readonly host?: string
}

/**
 * The settings of a house that is started as a process. Throws a `Usage` with every mistake. All threads make them of the same
 * text: what was parsed holds functions, which do not cross from one to another.
 */
export function startable(raw: unknown, environment: Environment, where: Where, from: string): Settings {
  const settings = served(settled(parseConfig(raw, environment), from), from)
  const listen = { ...settings.listen, ...where }
  // The configuration was checked by itself: where to listen is said by the command line.
  if (listen.https !== undefined && settings.publicUrl === undefined && ownUrl(listen) === undefined)
    throw new Usage(
      '`listen.https` sends callers to `publicUrl`, which is missing: there is no address to send them to',
    )
  return { ...settings, listen }
}

/** Whether two threads made the same of one configuration: it may name files, and files change between two looks. */
export function fingerprintOf(settings: Settings): string {
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex')
}

/** What one of `threads` listeners on one port listens to: a share of all connections. */
export function placeOf(listen: Settings['listen'], threads: number): Settings['listen'] & { reusePort: boolean } {
  return { ...listen, connections: Math.ceil(listen.connections / threads), reusePort: threads > 1 }
}

/** Who counts the connections of each address, over all threads. */
export function crowdOf({ connectionsPerAddress }: Settings['listen'], memory: SharedMemory): Crowd {
  return openSharedCrowd(connectionsPerAddress, memory.connections, new Uint8Array(memory.hashKey))
}

/** A route without an upstream waits for the host of an embedded house. Here is none: it would lead nowhere. */
function served(settings: Settings, from: string): Settings {
  const mistakes = settings.routes.flatMap(({ to }, index) =>
    to === undefined
      ? [{ path: `routes[${index}].to`, message: 'expected an upstream: only an embedded house does without' }]
      : [],
  )
  return mistakes.length === 0 ? settings : settled({ mistakes }, from)
}
