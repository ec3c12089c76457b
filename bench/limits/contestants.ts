/** How a limit is counted. */
export const algorithms = ['token-bucket', 'sliding', 'fixed'] as const
export type Algorithm = (typeof algorithms)[number]

/** Where it is counted. */
export type Store = 'memory' | 'redis'

/** What one is measured with. */
export interface Trial {
  readonly store: Store
  readonly algorithm: Algorithm
  /** Callers, who take turns. */
  readonly keys: number
  /** Of the database, where there is one; what a run writes there begins with `prefix`. */
  readonly redis: { readonly url: string; readonly prefix: string }
}

/** One that counts. `leases`: it takes units of hot keys in advance. */
export interface Contestant {
  readonly name: string
  readonly title: string
  /** The file beside this one that is the contestant; it exports `ready`. */
  readonly file: string
  readonly store: Store
  readonly algorithms: readonly Algorithm[]
  readonly leases?: true
}

/** Makes a limit of so many in an hour. */
export type Ready = (trial: Trial, contestant: Pick<Contestant, 'leases'>) => Promise<Decider>

export interface Decider {
  /** Counts a request of the caller of that number, and tells whether it is within the limit. */
  readonly take: (limit: 'ample' | 'five', caller: number) => boolean | Promise<boolean>
  readonly close: () => Promise<void>
}

/** The limit by which it is seen that limits hold, and, for so many callers, one that nobody reaches: less for each, the more they are. */
export const five = 5
export const ampleFor = (keys: number): number => Math.floor(1_000_000_000 / keys)

// biome-ignore format: a table
export const contestants: readonly Contestant[] = [
  { name: 'gatehouse',        title: '**Gatehouse**',                    file: 'gatehouse.ts',  store: 'memory', algorithms },
  { name: 'flexible',         title: 'rate-limiter-flexible',            file: 'flexible.mjs',  store: 'memory', algorithms: ['fixed'] },
  { name: 'gatehouse-redis',  title: '**Gatehouse**',                    file: 'gatehouse.ts',  store: 'redis',  algorithms },
  { name: 'gatehouse-leases', title: '**Gatehouse**, with leases',       file: 'gatehouse.ts',  store: 'redis',  algorithms, leases: true },
  { name: 'flexible-redis',   title: 'rate-limiter-flexible',            file: 'flexible.mjs',  store: 'redis',  algorithms: ['fixed'] },
]
