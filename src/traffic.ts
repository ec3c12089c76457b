import type { Environment, Settings } from './config/settings.ts'
import type { Gauges } from './gate/meters.ts'
import { base64url } from './kernel/bytes.ts'
import type { Clock } from './kernel/clock.ts'
import type { Random } from './kernel/id.ts'
import type { Log } from './kernel/log.ts'
import type { RootKey } from './keys/root.ts'
import type { CounterMemory } from './limits/counters/counter-memory.ts'
import { openCounters } from './limits/counters/counters.ts'
import type { Limiter } from './limits/limiter.ts'
import { loadOptions } from './limits/load/options.ts'
import { type LoadShift, Shedder } from './limits/load/shedder.ts'
import type { LinkState } from './limits/shared/link.ts'
import { openShared, type SharedLimiter } from './limits/shared/shared.ts'
import { secretOf } from './people.ts'
import { BlockBook } from './shield/block-book.ts'
import type { BlockMemory } from './shield/block-memory.ts'
import { BlockStore } from './shield/block-store.ts'
import { openShield, type Shield } from './shield/shield.ts'
import type { Database } from './store/database.ts'

/** The rooms that know how much comes, and from where: the same for as long as the house stands. */
export interface Traffic {
  /** Counts in the memory of this process, or, where the configuration says so, for all nodes. */
  readonly limiter: Limiter
  /** The count of all nodes; undefined where this one counts for itself. */
  readonly shared: SharedLimiter | undefined
  /** Refuses what is too much for this thread, or for an upstream. */
  readonly shedder: Shedder
  readonly blockStore: BlockStore
  readonly blockBook: BlockBook
  /** What one configuration asks of addresses; throws a `Fault` where a list of its cannot be read. */
  shieldOf(options: Settings['shield']): Promise<Shield>
  close(): void
}

interface TrafficParts {
  readonly settings: Settings
  readonly environment: Environment
  readonly root: RootKey
  readonly memory: { readonly counters: CounterMemory; readonly blocks: BlockMemory }
  /** What this process is called among the nodes: its threads are one. */
  readonly node: string
  /** Whether no other thread counts in this memory. */
  readonly alone: boolean
  /** Whether requests are served: whoever only looks in counts nothing, and asks no other node. */
  readonly serves: boolean
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly db: Database
  /** The count of all nodes is out of reach, or is there again. */
  readonly noteShared: (state: LinkState) => void
  /** More is asked for than can be answered, or no more is. */
  readonly noteShed: (shift: LoadShift) => void
}

export async function openTraffic(parts: TrafficParts): Promise<Traffic> {
  const { settings, environment, root, memory, clock, random, log } = parts
  const local = openCounters(memory.counters, clock, { alone: parts.alone })
  const shared =
    settings.shared && parts.serves
      ? await openShared(settings.shared, {
          local,
          clock,
          random,
          password: secretOf(settings.shared.password, environment),
          salt: base64url(root.derive('limits in redis')),
          node: parts.node,
          onChange: (state) => {
            if (state.reachable) log.info({ ...state }, 'the count of all nodes is there again')
            else
              log.error(
                { ...state },
                'the count of all nodes is out of reach: each limit does what its `whenDown` says',
              )
            parts.noteShared(state)
          },
        })
      : undefined
  const limiter = shared ?? local
  const shedder = new Shedder(settings.shield.load || loadOptions.parse({}), clock, (shift) => {
    const more = shift.state === 'over' ? 'no more' : 'more'
    log.warn({ ...shift }, `${more} is asked for than can be answered`)
    parts.noteShed(shift)
  })
  const blockStore = new BlockStore({ clock })
  const blockBook = new BlockBook({ store: blockStore, memory: memory.blocks, clock, random, log })
  await blockBook.hear(parts.db)
  return {
    limiter,
    shared,
    shedder,
    blockStore,
    blockBook,
    // Of addresses the thresholds are counted here, without a wait: they are asked before anything else.
    shieldOf: (options) => openShield({ options, blocks: blockBook, limiter: local, clock, random, log }),
    close() {
      shedder.close()
      shared?.close()
    },
  }
}

/** What there is to know of it from outside. */
export function trafficGauges({
  shared,
  shedder,
  blockBook,
}: Pick<Traffic, 'shared' | 'shedder' | 'blockBook'>): Gauges {
  return {
    gatehouse_address_blocks_displaced_total: {
      help: 'Blocks of addresses that were forgotten for want of room',
      read: () => blockBook.displaced,
      shared: true,
    },
    gatehouse_shed_total: { help: 'Requests refused because there were too many', read: () => shedder.refused },
    gatehouse_upstream_waiting: {
      help: 'Requests that wait for the head of an answer',
      read: () => sum(shedder, 'waiting'),
    },
    gatehouse_upstream_places: {
      help: 'Requests that may wait for an upstream, over all of them',
      read: () => sum(shedder, 'limit'),
    },
    ...(shared && {
      gatehouse_shared_reachable: {
        help: 'Threads that reach the count of all nodes',
        read: () => (shared.figures.reachable ? 1 : 0),
      },
      gatehouse_shared_takes_total: { help: 'Requests counted over all nodes', read: () => shared.figures.takes },
      gatehouse_shared_denied_here_total: {
        help: 'Refused without a round trip',
        read: () => shared.figures.deniedHere,
      },
      gatehouse_shared_leased_total: { help: 'Admitted without a round trip', read: () => shared.figures.leased },
      gatehouse_shared_faults_total: { help: 'Round trips without an answer', read: () => shared.figures.faults },
      gatehouse_shared_fallbacks_total: {
        help: 'Requests for which the count of all nodes could not be asked',
        read: () => shared.figures.fallbacks,
      },
    }),
  }
}

function sum({ upstreams }: Shedder, what: 'waiting' | 'limit'): number {
  return [...upstreams.values()].reduce((all, load) => all + load[what], 0)
}
