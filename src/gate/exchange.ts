import type { Holder } from '../authn/holder.ts'
import { anonymous, type Principal } from '../authn/principal.ts'
import { type Decision, undecided } from '../authz/decision.ts'
import type { BodyAccount, BodyMemory } from '../http/body-memory.ts'
import type { Inbound, Outbound } from '../http/message.ts'
import type { PeerCertificate } from '../http/peer-certificate.ts'
import type { Params } from '../http/router.ts'
import type { Finding } from '../inspection/finding.ts'
import type { Refusal } from '../kernel/error.ts'
import type { Allowance } from '../limits/limiter.ts'
import type { Place } from '../limits/load/upstream.ts'
import type { Route } from './route.ts'

export type { Refusal } from '../kernel/error.ts'

/** One request on its way. Every field stands from the start: one hidden class for V8, no bag of strings for us. */
export class Exchange {
  /** The request id: the caller's own where it is sane. */
  readonly id: string
  /** Wall time in milliseconds. */
  readonly arrivedAt: number
  /** Monotonic milliseconds, for how long it took. */
  readonly startedAt: number
  readonly request: Inbound
  readonly route: Route
  /** The way that this request goes. */
  readonly stages: readonly Stage[]
  readonly params: Params
  /** Methods that the path has, where it lacks this one. */
  readonly allow: readonly string[]
  /** The rightmost address that is no proxy of ours. */
  readonly client: string
  /** The client as limits know it: IPv6 counts by /64, since one host owns a whole one. */
  readonly callerAddress: string
  /** Whether the client spoke TLS, to us or to a trusted proxy. */
  readonly secure: boolean
  readonly #certificateOf: Arrival['certificateOf']
  readonly #bodies: BodyMemory
  #bodyAccount: BodyAccount | undefined = undefined
  #proceeded = false
  #looks = 0
  #seen: (() => void) | undefined = undefined
  #certificate: { readonly is: PeerCertificate | undefined } | undefined = undefined
  principal: Principal = anonymous
  /** Who signed the request, as they are when it is asked; undefined where nobody had to, and nothing where they are known no more. */
  signer: (() => Holder | undefined) | undefined = undefined
  /** A nonce that the caller's next proof of possession should carry. */
  nonce: string | undefined = undefined
  decision: Decision = undecided // deny, until someone decides
  /** Whose it is that the request is about, once found out. */
  owner: string | undefined = undefined
  /** The limit that matters most to this caller, once it was asked. What it holds while the request lasts is given back at the end. */
  allowance: Allowance | undefined = undefined
  /** When it was asked: wall time in milliseconds. Later than it arrived where its body was read first. */
  countedAt = 0
  /** Its place among those that wait for the upstream; undefined where they are not counted. */
  place: Place | undefined = undefined
  /** Whether a stage has waited for its body: that takes as long as its sender likes. */
  awaited = false
  /** The body, once a stage had to read it whole. */
  payload: Uint8Array | undefined = undefined
  /** Its media type, where that is another one than it came with. */
  payloadType: string | undefined = undefined
  /** The payload, parsed and checked. */
  input: unknown = undefined
  /** What was found in it, the surest first, also where nothing was done about it. */
  findings: readonly Finding[] = noFindings
  /** How sure it is that it attacks, from 0 to 1. */
  score = 0
  /** What is to be done once it is over, however it ended: answered, broken off, or left. */
  atEnd: (() => void) | undefined = undefined
  /** Calls the upstream off, once it was asked: the caller left. */
  abandon: ((reason: Error) => void) | undefined = undefined
  /** The caller closed the connection before the answer was there. */
  left = false
  refusal: Refusal | undefined = undefined
  answer: Outbound | undefined = undefined

  constructor(facts: Arrival) {
    this.id = facts.id
    this.arrivedAt = facts.arrivedAt
    this.startedAt = facts.startedAt
    this.request = facts.request
    this.route = facts.route
    this.stages = facts.stages
    this.params = facts.params
    this.allow = facts.allow
    this.client = facts.client
    this.callerAddress = facts.callerAddress
    this.secure = facts.secure
    this.#certificateOf = facts.certificateOf
    this.#bodies = facts.bodies
  }

  /**
   * The certificate whose key the client has proven to hold: to us, or to a trusted proxy. It is judged when somebody asks for
   * it, which is after the limits of addresses: signatures are checked for it (RFC 5280 §6.1).
   */
  get certificate(): PeerCertificate | undefined {
    this.#certificate ??= { is: this.#certificateOf(this.request) }
    return this.#certificate.is
  }

  /** What its body may take of memory, where somebody reads it whole. */
  get bodyAccount(): BodyAccount {
    this.#bodyAccount ??= this.#bodies.open(this.callerAddress)
    return this.#bodyAccount
  }

  /** Has the body come, where its sender waits to be told (RFC 9110 §10.1.1): once, whoever reads it. */
  proceed(): void {
    if (this.#proceeded) return
    this.#proceeded = true
    this.request.proceed?.()
  }

  /** Somebody looks at a copy of what has gone on; what is answered is called once they have. */
  look(): () => void {
    this.#looks++
    let over = false
    return () => {
      if (over) return
      over = true
      if (--this.#looks === 0) this.#seen?.()
    }
  }

  /** Calls back once nobody looks any more: at once where nobody does, and after so long in any case. */
  whenSeen(withinMs: number, then: () => void): void {
    if (this.#looks === 0) return then()
    const seen = (): void => {
      clearTimeout(timer)
      this.#seen = undefined
      then()
    }
    const timer = setTimeout(seen, withinMs)
    this.#seen = seen
  }

  /** Gives back what it held. */
  end(): void {
    this.allowance?.release?.()
    this.place?.end()
    this.atEnd?.()
  }

  /** Gives back the memory that bodies and copies of them held, once nobody looks at them any more. */
  close(): void {
    this.#bodyAccount?.close()
    this.#bodyAccount = spent // a body may flow on behind its answer
  }
}

const noFindings: readonly Finding[] = []
const spent: BodyAccount = { take: () => false, give() {}, close() {} }

/** What is known of a request before its first stage. */
export type Arrival = Pick<
  Exchange,
  | 'id'
  | 'arrivedAt'
  | 'startedAt'
  | 'request'
  | 'route'
  | 'stages'
  | 'params'
  | 'allow'
  | 'client'
  | 'callerAddress'
  | 'secure'
> & {
  readonly certificateOf: (request: Inbound) => PeerCertificate | undefined
  readonly bodies: BodyMemory
}

/** One step of the way: nothing when the request may go on, a refusal when it may not. It waits only if it has to. */
export type Stage = (exchange: Exchange) => Refusal | undefined | Promise<Refusal | undefined>

/** One of our own endpoints: reads the checked input of the exchange, calls a room, and answers. */
export type Answerer = (exchange: Exchange) => Outbound | Refusal | Promise<Outbound | Refusal>
