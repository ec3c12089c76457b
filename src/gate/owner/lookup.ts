import { anonymous, type Principal } from '../../authn/principal.ts'
import type { Params } from '../../http/router.ts'
import { strictUtf8 } from '../../kernel/bytes.ts'
import { GenerationCache } from '../../kernel/cache.ts'
import type { Clock } from '../../kernel/clock.ts'
import { parseStrict } from '../../kernel/json.ts'
import { type Asking, ask, type WholeAnswer } from '../../upstream/ask.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import type { Evidence } from '../evidence.ts'
import { isOwner, valuesOf } from './text.ts'

/** Where an upstream is asked whose something is, and where in its answer that stands. */
export interface Lookup {
  readonly upstream: Upstream
  /** `/internal/documents/:id` in segments, with parameters of the route. */
  readonly segments: readonly string[]
  readonly told: Told
  /** What sets its questions apart from those of other lookups. */
  readonly name: string
  /** How long an answer lets an owner in; 0: not at all. */
  readonly cacheMs: number
  readonly deadlineMs: number
}

/** A member of a JSON body, in steps; or a header, in lower case. */
export type Told = { readonly field: readonly string[] } | { readonly header: string }

export function compileLookup(
  upstream: Upstream,
  { path, told, cacheMs, deadlineMs }: Pick<Lookup, 'told' | 'cacheMs' | 'deadlineMs'> & { readonly path: string },
): Lookup {
  const name = JSON.stringify([upstream.name, told])
  return { upstream, segments: path.slice(1).split('/'), told, name, cacheMs, deadlineMs }
}

/** A lookup, with the parameters of one request. */
export interface OwnerQuestion {
  readonly lookup: Lookup
  readonly path: string
  /** The same for all requests that ask the same. */
  readonly key: string
}

/** The question about what these parameters name; undefined where they name nothing that could be asked for. */
export function questionOf(lookup: Lookup, params: Params): OwnerQuestion | undefined {
  let path = ''
  for (const segment of lookup.segments) {
    if (!segment.startsWith(':')) {
      path += `/${segment}`
      continue
    }
    const value = params[segment.slice(1)]
    // What another server would resolve is no name, and leads out of the place that was meant (RFC 3986 §5.2.4).
    if (value === undefined || value === '' || value === '.' || value === '..') return undefined
    path += `/${encodeURIComponent(value)}`
  }
  return { lookup, path, key: lookup.name + path }
}

/** Whose it is, as an upstream says. */
export type Found =
  /** Undefined where it is nobody's. */
  | { readonly is: 'there'; readonly owner: string | undefined }
  | { readonly is: 'not-there' }
  /** Nothing can be decided by it; the reason is for the log. */
  | { readonly is: 'unknown'; readonly reason: string }

/** For whom it is asked. */
export interface Asker {
  /**
   * Whoever asks the same under this name shares a question. It is the caller, where a stranger is told nothing: how long an
   * answer takes must not tell that somebody else is just asking, which nobody does for what is not there.
   */
  readonly shared: string
  readonly requestId: string
}

/**
 * Asks upstreams whose something is, in the house's own name. What came of it is kept for as long as the lookup allows. That
 * nothing is there is not kept: something may be at the next request.
 */
export class Owners {
  readonly #evidence: Evidence
  readonly #clock: Clock
  readonly #via: string
  readonly #known = new GenerationCache<string, Known>(knownMax)
  /** By what is asked, and who shares it. */
  readonly #underWay = new Map<string, Map<string, UnderWay>>()
  readonly #questions = new Map<Upstream, number>()

  constructor({ evidence, clock, via }: { readonly evidence: Evidence; readonly clock: Clock; readonly via: string }) {
    this.#evidence = evidence
    this.#clock = clock
    this.#via = via
  }

  /** Whose it was when somebody asked last, where that is not too long ago. */
  known({ lookup, key }: OwnerQuestion): Known | undefined {
    const known = lookup.cacheMs === 0 ? undefined : this.#known.get(key)
    return known !== undefined && this.#clock.monotonic() - known.askedAt < lookup.cacheMs ? known : undefined
  }

  /**
   * Asks, or waits with others for what one of them has asked; it does not end with the request that asked. `fresh`: by a
   * question that begins after this call, and is not kept, because whoever asks is about to change what it is about.
   */
  ask(question: OwnerQuestion, asker: Asker, fresh: boolean): Promise<Found> {
    const { key, lookup } = question
    if (fresh) this.forget(question)
    const underWay = (): UnderWay | undefined => this.#underWay.get(key)?.get(asker.shared)
    const before = underWay()
    if (before === undefined) return this.#begin(question, asker, !fresh)
    if (!fresh && lookup.cacheMs > 0) return before.answer
    // The question under way may have been answered before this call. Of all who wait for it to end, the first asks anew.
    before.next ??= before.answer.then(() => underWay()?.answer ?? this.#begin(question, asker, false))
    return before.next
  }

  /** It may have changed hands: what is known of it counts no more, nor what is just being asked. */
  forget({ key }: OwnerQuestion): void {
    this.#known.delete(key)
    for (const underWay of this.#underWay.get(key)?.values() ?? []) underWay.kept = false
  }

  #begin({ lookup, path, key }: OwnerQuestion, { shared, requestId }: Asker, kept: boolean): Promise<Found> {
    const { upstream, cacheMs, deadlineMs } = lookup
    const others = this.#questions.get(upstream) ?? 0
    if (others >= questionsMax)
      return Promise.resolve(unknown(`upstream \`${upstream.name}\` has ${others} questions to answer`))
    const askedAt = this.#clock.monotonic()
    const asking = ask(
      upstream,
      { path, headers: this.#headersOf(upstream, path, requestId) },
      { deadlineMs, bytesMax },
    )
    this.#count(upstream, 1)
    void asking.over.then(() => this.#count(upstream, -1))
    const underWay: UnderWay = {
      kept: kept && cacheMs > 0 && key.length <= keyLengthMax,
      next: undefined,
      answer: answerTo(asking, lookup).then((found) => {
        ofThis.delete(shared)
        if (ofThis.size === 0) this.#underWay.delete(key)
        const isNewest = (this.#known.get(key)?.askedAt ?? 0) <= askedAt
        if (underWay.kept && isNewest && found.is === 'there') this.#known.set(key, { owner: found.owner, askedAt })
        return found
      }),
    }
    const ofThis = this.#underWay.get(key) ?? new Map<string, UnderWay>()
    this.#underWay.set(key, ofThis.set(shared, underWay))
    return underWay.answer
  }

  #count(upstream: Upstream, more: 1 | -1): void {
    this.#questions.set(upstream, (this.#questions.get(upstream) ?? 0) + more)
  }

  /** The caller is not in it: whose something is does not depend on who wants to know. */
  #headersOf(upstream: Upstream, path: string, requestId: string): string[] {
    // biome-ignore format: a table of name and value
    const headers = [
      'Accept', 'application/json',
      'Via', `1.1 ${this.#via}`,
      'X-Request-ID', requestId,
      'X-Gatehouse-Request-Id', requestId,
    ]
    if (upstream.asserted)
      headers.push('X-Gatehouse-Assertion', this.#evidence.assertions.of(houseItself, upstream.name))
    if (upstream.signed)
      headers.push(
        ...this.#evidence.signatureOf({
          method: 'GET',
          url: upstream.addressOf(path),
          fields: headers,
          body: undefined,
        }),
      )
    return headers
  }
}

interface Known {
  readonly owner: string | undefined
  /** Monotonic milliseconds: an answer is as old as its question. */
  readonly askedAt: number
}

interface UnderWay {
  readonly answer: Promise<Found>
  /** Whether the answer is kept. */
  kept: boolean
  /** The question after this one, where somebody waits for it. */
  next: Promise<Found> | undefined
}

/** No service, client or person can be called so. */
const houseItself: Principal = { ...anonymous, type: 'service', id: 'gatehouse' }

async function answerTo({ answer }: Asking, lookup: Lookup): Promise<Found> {
  try {
    return read(await answer, lookup)
  } catch (error) {
    return unknown((error as Error).message)
  }
}

function read({ status, headers, body }: WholeAnswer, { told, upstream }: Lookup): Found {
  if (status === 404 || status === 410) return { is: 'not-there' }
  const wrong = (what: string): Found => unknown(`upstream \`${upstream.name}\` was asked for an owner and ${what}`)
  if (status !== 200) return wrong(`answered ${status}`)
  if ('header' in told) {
    const [owner, ...others] = valuesOf(headers, told.header)
    return isOwner(owner) && others.length === 0
      ? { is: 'there', owner }
      : wrong(`did not say one in \`${told.header}\``)
  }
  const owner = memberOf(body, told.field)
  if (owner === null) return { is: 'there', owner: undefined }
  const text = Number.isSafeInteger(owner) ? String(owner) : owner
  return isOwner(text) ? { is: 'there', owner: text } : wrong(`did not say one in \`${told.field.join('.')}\``)
}

/** A member of a JSON text; undefined where the text is none, or has no such member. */
function memberOf(body: Uint8Array, field: readonly string[]): unknown {
  let text: string
  try {
    text = strictUtf8.decode(body)
  } catch {
    return undefined
  }
  const parsed = parseStrict(text)
  if ('error' in parsed) return undefined
  return field.reduce<unknown>(
    (within, name) =>
      typeof within === 'object' && within !== null && Object.hasOwn(within, name)
        ? (within as Readonly<Record<string, unknown>>)[name]
        : undefined,
    parsed.value,
  )
}

function unknown(reason: string): Found {
  return { is: 'unknown', reason }
}

const bytesMax = 65_536
/** Questions to one upstream at a time: a quarter of the connections that it has unless it is said otherwise. */
const questionsMax = 64
const knownMax = 10_000
/** What is asked for by a longer path is not kept: a caller does not choose how much memory it takes. */
const keyLengthMax = 512
