import { type Egress, freshMs } from '../http/egress.ts'
import { GenerationCache } from '../kernel/cache.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import type { KnownClient } from './client-book.ts'
import { knownClient } from './client-metadata.ts'
import { policedDocument, type ScopePolicy } from './registration-policy.ts'

interface DocumentParts {
  readonly egress: Egress
  readonly scopes: ScopePolicy
  readonly clock: Clock
  readonly log: Log
}

/** Clients that are known by the address of a document about them, and whose document could be read. */
export interface MetadataDocuments {
  find(address: string): Promise<KnownClient | undefined>
  /** The same, and what is wrong with it where it is none: one public sentence. */
  read(address: string): Promise<KnownClient | { readonly problem: string }>
}

/**
 * Clients whose id is an address (draft-ietf-oauth-client-id-metadata-document): what is written there is what they are, for
 * as long as the document says, within a minute and an hour. Nobody has checked who they are: their address is all that
 * they prove.
 */
export function openMetadataDocuments({ egress, scopes, clock, log }: DocumentParts): MetadataDocuments {
  const kept = new GenerationCache<string, { readonly outcome: Outcome; readonly until: number }>(documentsMax)
  const underWay = new Map<string, Promise<Outcome>>()

  return {
    read,
    async find(address) {
      const outcome = await read(address)
      return 'problem' in outcome ? undefined : outcome
    },
  }

  async function read(address: string): Promise<Outcome> {
    const wrong = egress.problemOf(address) ?? documentProblem(address)
    if (wrong !== undefined) return { problem: wrong }
    const known = kept.get(address)
    if (known !== undefined && known.until > clock.monotonic()) return known.outcome
    let asked = underWay.get(address)
    if (asked === undefined) {
      asked = fetched(address).finally(() => underWay.delete(address))
      underWay.set(address, asked)
    }
    return asked
  }

  async function fetched(address: string): Promise<Outcome> {
    const answer = await egress.fetch(address, { maxBytes: bytesMax, accept: 'json' })
    const freshFor = 'problem' in answer ? failedMs : freshMs(answer.headers)
    const outcome = 'problem' in answer ? answer : clientOf(address, answer)
    if ('problem' in outcome) log.info({ client: address, ...outcome }, 'a client metadata document was not taken')
    kept.set(address, { outcome, until: clock.monotonic() + ('problem' in outcome ? failedMs : freshFor) })
    return outcome
  }

  function clientOf(address: string, { status, body }: { readonly status: number; readonly body: Buffer }): Outcome {
    if (status !== 200) return { problem: `expected an answer with status 200, got ${status}` }
    let text: string
    try {
      text = utf8.decode(body)
    } catch {
      return { problem: 'the document is not UTF-8' }
    }
    const judged = policedDocument(text, address, scopes)
    if ('error' in judged) return { problem: judged.description }
    const { metadata } = judged
    if (metadata.redirect_uris.length === 0) return { problem: 'redirect_uris: expected one at least' }
    return knownClient(address, metadata, false)
  }
}

/** Why an address that could be fetched cannot be a client's id, in half a sentence; undefined where it can. */
function documentProblem(address: string): string | undefined {
  if (address.length > lengthMax) return `expected at most ${lengthMax} characters, got ${address.length}`
  const { pathname } = new URL(address)
  if (pathname === '/') return 'expected a path: a whole site is no document'
  // With a query, one document would be as many clients as there are queries.
  return address.includes('?') ? 'expected no query' : undefined
}

type Outcome = KnownClient | { readonly problem: string; readonly reason?: string }

const documentsMax = 1_000
const lengthMax = 500
/** What such documents are given at most; they hold a few hundred bytes. */
const bytesMax = 5_120
/** Long enough to spare a host that does not answer, short enough for whoever mends their document. */
const failedMs = 10_000
const utf8 = new TextDecoder('utf-8', { fatal: true })
