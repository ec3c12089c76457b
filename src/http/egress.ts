import { Resolver } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import { Client, type Dispatcher } from 'undici'
import { GenerationCache } from '../kernel/cache.ts'
import type { Clock } from '../kernel/clock.ts'
import { type Address, addressText, limitKey, parseAddress } from '../kernel/ip.ts'
import { fetchProblem } from './fetchable.ts'
import { specialPurpose } from './special-purpose.ts'

/** The way out to addresses that strangers name (INVARIANTS A31). It answers what was there, or one public sentence. */
export interface Egress {
  /** Why an address is not even tried, in half a sentence; undefined for one that is. */
  problemOf(address: string): string | undefined
  fetch(address: string, asked?: Asked): Promise<Fetched | NotFetched>
  /** For libraries that want the platform's `fetch`: a GET of JSON, and the same rules. It rejects where those say no. */
  asFetch(): (address: string | URL | Request, init?: RequestInit) => Promise<Response>
}

export interface Asked {
  readonly maxBytes?: number
  readonly timeoutMs?: number
  /** Whether nothing but JSON will do. */
  readonly accept?: 'json' | 'any'
  readonly signal?: AbortSignal | undefined
}

export interface Fetched {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
}

export interface NotFetched {
  /** One public sentence. It does not tell what a name resolves to, or who listens there. */
  readonly problem: string
  /** For the log. */
  readonly reason: string
}

export interface EgressParts {
  readonly clock: Clock
  /** All addresses of a name; asked of the machine's name servers, where it is left out. */
  readonly resolve?: (hostname: string, signal: AbortSignal) => Promise<readonly string[]>
  readonly limits?: Partial<EgressLimits>
  /** Ports beside 443. */
  readonly ports?: readonly number[]
  /** Certificates that are trusted instead of the machine's. */
  readonly ca?: string
  /** Addresses that may be connected to although they are not public. */
  readonly allowAddress?: (address: string) => boolean
}

export interface EgressLimits {
  readonly bytesMax: number
  readonly timeoutMs: number
  /** Within a minute: to one host and port, to one site (`*.example.com`), to one address (IPv6 by /64), and in all. */
  readonly perOrigin: number
  readonly perSite: number
  readonly perAddress: number
  readonly inAll: number
  /** Under way at one moment, to one site and in all. */
  readonly atOncePerSite: number
  readonly atOnce: number
}

/**
 * Fetches over https what a stranger has named, and is not led elsewhere: a name is resolved once, all of its addresses have
 * to be public, and the connection goes to one of those that were looked at. It follows no redirect, knows no proxy, sends
 * no cookie, and stops at a number of bytes, at a moment, and at a budget.
 */
export function openEgress(parts: EgressParts): Egress {
  const { ca, ports = [], resolve = everyAddress, allowAddress = () => false } = parts
  const limits: EgressLimits = { ...usual, ...parts.limits }
  const budget = new Budget(parts.clock)
  const underWay = new Places()

  function problemOf(address: string): string | undefined {
    return fetchProblem(address, { ports: [443, ...ports] })
  }

  async function fetch(address: string, asked: Asked = {}): Promise<Fetched | NotFetched> {
    const wrong = problemOf(address)
    if (wrong !== undefined) return { problem: `the address cannot be fetched: ${wrong}`, reason: wrong }
    const { origin, hostname } = new URL(address)
    const site = siteOf(hostname)
    // The widest budget last: what one site has spent of its own is not taken from all.
    const affordable =
      budget.takes(origin, limits.perOrigin) && budget.takes(site, limits.perSite) && budget.takes('', limits.inAll)
    if (!affordable) return busy('the budget is spent')
    if (!underWay.take(site, limits.atOncePerSite, limits.atOnce)) return busy('too many are under way')
    const deadline = AbortSignal.timeout(asked.timeoutMs ?? limits.timeoutMs)
    const signal = asked.signal === undefined ? deadline : AbortSignal.any([deadline, asked.signal])
    try {
      const checked = await addressesOf(hostname, signal)
      if ('problem' in checked) return checked
      if (!checked.every((one) => budget.takes(limitKey(addressText(one)), limits.perAddress)))
        return busy('the budget of its address is spent')
      return await get(new URL(address), checked, asked, signal)
    } catch (error) {
      return nothing(signal.aborted ? 'it took too long' : (error as Error).message)
    } finally {
      underWay.leave(site)
    }
  }

  return { problemOf, fetch, asFetch: () => asPlatformFetch(fetch) }

  /** Resolved once; one address that is not public among them, and none is good: nobody means both by one name. */
  async function addressesOf(hostname: string, signal: AbortSignal): Promise<readonly Address[] | NotFetched> {
    const literal = parseAddress(hostname.replace(/^\[(.*)\]$/, '$1'))
    const texts = literal === undefined ? await within(signal, resolve(hostname, signal)) : [addressText(literal)]
    const addresses: Address[] = []
    for (const text of texts.slice(0, addressesMax)) {
      const parsed = parseAddress(text)
      const purpose = parsed === undefined ? 'no address' : specialPurpose(parsed)
      if (parsed === undefined || (purpose !== undefined && !allowAddress(text)))
        return nothing(`\`${hostname}\` is at \`${text}\`: ${purpose}`)
      addresses.push(parsed)
    }
    return addresses.length === 0 ? nothing(`\`${hostname}\` has no address`) : addresses
  }

  async function get(
    url: URL,
    addresses: readonly Address[],
    asked: Asked,
    signal: AbortSignal,
  ): Promise<Fetched | NotFetched> {
    const maxBytes = Math.min(asked.maxBytes ?? limits.bytesMax, limits.bytesMax)
    // A client of its own for each: no connection is there for another name to be sent on.
    const client = new Client(url.origin, {
      pipelining: 0,
      allowH2: false,
      maxHeaderSize: 16_384,
      connect: { lookup: pinned(addresses), autoSelectFamily: true, ...(ca === undefined ? {} : { ca }) },
    })
    try {
      const answer = await client.request({
        method: 'GET',
        path: url.pathname + url.search,
        headers: {
          accept: asked.accept === 'json' ? 'application/json' : '*/*',
          'accept-encoding': 'identity',
          'user-agent': 'gatehouse',
        },
        signal,
      })
      return await read(answer, maxBytes, asked)
    } finally {
      await client.destroy()
    }
  }
}

/** What egress does where nothing else is said. */
const usual: EgressLimits = {
  bytesMax: 65_536,
  timeoutMs: 5_000,
  perOrigin: 30,
  perSite: 60,
  perAddress: 60,
  inAll: 300,
  atOncePerSite: 4,
  atOnce: 32,
}

/** Those of a name beyond it are neither looked at nor connected to. */
const addressesMax = 16
const minuteMs = 60_000

/**
 * Asks the name servers themselves: neither the machine's own list of hosts nor its search list has a say in what a stranger
 * means by a name, and a server that is slow on purpose holds no thread that others wait for.
 */
async function everyAddress(hostname: string, signal: AbortSignal): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  const cancel = (): void => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

/** What belongs to one owner, as far as a name tells: its last two labels. */
function siteOf(hostname: string): string {
  const literal = parseAddress(hostname.replace(/^\[(.*)\]$/, '$1'))
  return literal === undefined ? `*.${hostname.split('.').slice(-2).join('.')}` : limitKey(addressText(literal))
}

/** What a socket is told when it asks for the name again: whatever it asks, what was looked at. */
function pinned(addresses: readonly Address[]): LookupFunction {
  const found = addresses.map((one) => ({ address: addressText(one), family: one.family }))
  return (_hostname, options, callback) => {
    const [first] = found
    if (options.all === true) callback(null, found)
    else callback(null, first?.address ?? '', first?.family)
  }
}

async function read(answer: Dispatcher.ResponseData, maxBytes: number, asked: Asked): Promise<Fetched | NotFetched> {
  const headers = new Headers()
  for (const [name, value] of Object.entries(answer.headers))
    for (const one of [value].flat()) if (one !== undefined) headers.append(name, one)
  const status = answer.statusCode
  const wrong = headProblem(status, headers, maxBytes, asked)
  if (wrong !== undefined) {
    answer.body.destroy()
    answer.body.on('error', () => {}) // nobody waits for what was not read
    return { problem: wrong, reason: `${status}: ${wrong}` }
  }
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of answer.body as AsyncIterable<Buffer>) {
    length += piece.byteLength
    if (length > maxBytes) return tooLong(maxBytes)
    pieces.push(piece)
  }
  return { status, headers, body: Buffer.concat(pieces) }
}

function headProblem(status: number, headers: Headers, maxBytes: number, { accept }: Asked): string | undefined {
  if (status >= 300 && status < 400) return 'the answer leads elsewhere, and no redirect is followed'
  const encoding = headers.get('content-encoding') ?? 'identity'
  if (encoding.toLowerCase() !== 'identity') return 'the answer is compressed, and was not asked to be'
  if (Number(headers.get('content-length') ?? 0) > maxBytes) return tooLong(maxBytes).problem
  const type = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (accept === 'json' && status === 200 && !/^application\/(?:json|[a-z0-9.-]+\+json)$/.test(type))
    return 'the answer is not JSON by its content type'
  return undefined
}

function asPlatformFetch(fetch: Egress['fetch']): ReturnType<Egress['asFetch']> {
  return async (asked, init) => {
    const method = init?.method ?? (asked instanceof Request ? asked.method : 'GET')
    if (method !== 'GET') throw new TypeError(`expected a GET, got \`${method}\``)
    const outcome = await fetch(asked instanceof Request ? asked.url : String(asked), {
      accept: 'json',
      signal: init?.signal ?? undefined,
    })
    if ('problem' in outcome) throw new TypeError(outcome.problem, { cause: outcome.reason })
    const { status, headers, body } = outcome
    // How long a stranger's keys are believed is ours to say: keys that were withdrawn are heard of within the hour.
    const kept = new Headers({ 'cache-control': `max-age=${Math.floor(freshMs(headers) / 1000)}` })
    const type = headers.get('content-type')
    if (type !== null) kept.set('content-type', type)
    const empty = status === 204 || status === 205
    return new Response(empty ? null : new Uint8Array(body), { status, headers: kept })
  }
}

/** How long an answer may be kept: what it says (RFC 9111 §5.2.2), within a minute and an hour. */
export function freshMs(headers: Headers): number {
  const control = headers.get('cache-control') ?? ''
  if (/(?:^|,)\s*no-(?:store|cache)\b/i.test(control)) return minuteMs
  const seconds = /(?:^|,)\s*max-age\s*=\s*"?(\d{1,9})\b/i.exec(control)?.[1]
  return Math.min(Math.max(Number(seconds ?? 0) * 1000, minuteMs), 60 * minuteMs)
}

/** How many in this minute, by name; as many names as two generations hold. */
class Budget {
  readonly #clock: Clock
  readonly #spent = new GenerationCache<string, { minute: number; count: number }>(4_096)

  constructor(clock: Clock) {
    this.#clock = clock
  }

  takes(name: string, limit: number): boolean {
    const minute = Math.floor(this.#clock.monotonic() / minuteMs)
    const spent = this.#spent.get(name)
    if (spent === undefined || spent.minute !== minute) {
      this.#spent.set(name, { minute, count: 1 })
      return limit > 0
    }
    return ++spent.count <= limit
  }
}

/** How many are under way, by site. */
class Places {
  readonly #taken = new Map<string, number>()
  #all = 0

  take(site: string, perSite: number, inAll: number): boolean {
    const taken = this.#taken.get(site) ?? 0
    if (taken >= perSite || this.#all >= inAll) return false
    this.#taken.set(site, taken + 1)
    this.#all++
    return true
  }

  leave(site: string): void {
    const left = (this.#taken.get(site) ?? 0) - 1
    if (left > 0) this.#taken.set(site, left)
    else this.#taken.delete(site)
    this.#all--
  }
}

function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(new Error('it took too long'))
    signal.addEventListener('abort', () => reject(new Error('it took too long')), { once: true })
    work.then(resolve, reject)
  })
}

/** What is the same to the caller: nobody there, nobody who may be asked, and no answer in time. */
function nothing(reason: string): NotFetched {
  return { problem: 'the address could not be fetched', reason }
}

function busy(reason: string): NotFetched {
  return { problem: 'too much is being fetched: try again in a minute', reason }
}

function tooLong(maxBytes: number): NotFetched {
  return { problem: `the answer is longer than ${maxBytes} bytes`, reason: `more than ${maxBytes} bytes` }
}
