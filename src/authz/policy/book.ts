import type { Clock } from '../../kernel/clock.ts'
import { parseStrict } from '../../kernel/json.ts'
import type { Log } from '../../kernel/log.ts'
import type { Database } from '../../store/database.ts'
import type { NamedPolicy } from './named.ts'
import type { ConfiguredPolicy } from './options.ts'
import type { Policy } from './policy.ts'
import { fingerprintOf, type PreparedPolicy, preparePolicy } from './prepared.ts'
import { openRecording, type Recording } from './recording.ts'
import type { PolicyStore, StoredPolicy, StoredText } from './store.ts'
import { openTrial, type Trial, type TrialOutcome } from './trial.ts'

/** A policy as an operator sees it. */
export interface PolicyView {
  readonly name: string
  /** `managed`: administrators say at run time what decides. */
  readonly origin: Origin
  /** The document of the day; undefined where there is none yet, and everything is denied. */
  readonly document: DocumentView | undefined
  readonly trial: (DocumentView & { readonly origin: Origin }) | undefined
  /** How many of the last requests are kept. */
  readonly record: number
}

export type Origin = 'configuration' | 'managed'

export interface DocumentView {
  /** JSON as it was written. */
  readonly text: string
  readonly fingerprint: string
  /** Undefined where it cannot be decided by: it was changed, or is of another version. */
  readonly ruleCount: number | undefined
  /** Milliseconds since the epoch: for the configuration's, when this node took it over. */
  readonly since: number
}

/**
 * Every policy by its name, ready to be asked: on the way of a request, and never waited for. What stands behind a name
 * changes with the configuration and with what administrators write; the name's object stays.
 *
 * What was read from the store is believed for a minute without hearing from it. After that a managed policy denies
 * everything, because nobody can say whether it is still the one of the day; the configuration's own go on.
 */
export class PolicyBook {
  readonly #store: PolicyStore
  readonly #clock: Clock
  readonly #log: Log
  readonly #count: (policy: string, outcome: TrialOutcome) => void
  readonly #live = new Map<string, Live>()
  #configured: ReadonlyMap<string, ConfiguredPolicy> = new Map()
  #stored: ReadonlyMap<string, StoredPolicy> = new Map()
  /** What was prepared last, so that whoever writes it down does not read it a second time. */
  #lately: PreparedPolicy | undefined
  #version: string | undefined
  #doubts = 0
  #heardAt = Number.NEGATIVE_INFINITY
  #turn: Promise<void> = Promise.resolve()

  /** `count` is told what became of each decision of a trial. */
  constructor(parts: {
    readonly store: PolicyStore
    readonly clock: Clock
    readonly log: Log
    readonly count: (policy: string, outcome: TrialOutcome) => void
  }) {
    this.#store = parts.store
    this.#clock = parts.clock
    this.#log = parts.log
    this.#count = parts.count
  }

  /** The policy of a name: the same object for as long as a configuration has the name. Until then it denies everything. */
  named(name: string): NamedPolicy {
    let live = this.#live.get(name)
    if (live === undefined) {
      live = new Live(name, () => this.#isSilent())
      this.#live.set(name, live)
    }
    return live
  }

  /** Takes a configuration over. Policies that it does not name are not asked any more. */
  follow(configured: readonly ConfiguredPolicy[]): void {
    this.#configured = new Map(configured.map((one) => [one.name, one]))
    for (const name of this.#live.keys()) if (!this.#configured.has(name)) this.#live.delete(name)
    this.#settle()
  }

  /**
   * Takes over what has changed in the store. While nothing has, it is one query by key. Of two at one moment the second
   * reads after the first: what is heard is never older than what was heard before.
   */
  hear(db: Database): Promise<void> {
    const turn = this.#turn.then(() => this.#hear(db))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  /** A managed policy of this name denies everything until the store was heard again: for a change that could not be read back. */
  doubt(name: string): void {
    this.#version = undefined
    this.#doubts++
    const live = this.#live.get(name)
    if (live?.standing?.origin === 'managed') live.isDoubted = true
  }

  /** Reads a document, or says everything that is wrong with it. It blocks for as long as it takes: keep it out of transactions. */
  prepare(document: unknown): ReturnType<typeof preparePolicy> {
    const prepared = preparePolicy(document)
    if ('policy' in prepared) this.#lately = prepared
    return prepared
  }

  /** Those of the configuration, in its order. */
  all(): readonly PolicyView[] {
    return [...this.#configured.keys()].flatMap((name) => this.show(name) ?? [])
  }

  show(name: string): PolicyView | undefined {
    const configured = this.#configured.get(name)
    const standing = this.#live.get(name)?.standing
    if (configured === undefined || standing === undefined) return undefined
    const { origin, document, trial } = standing
    return { name, origin, document, trial, record: configured.record }
  }

  #isSilent(): boolean {
    return this.#clock.monotonic() - this.#heardAt > believedMs
  }

  async #hear(db: Database): Promise<void> {
    const askedAt = this.#clock.monotonic()
    const doubts = this.#doubts
    // Read before the rest: what changes meanwhile leaves another version, and is read the next time.
    const version = await this.#store.version(db)
    if (version !== this.#version) {
      this.#stored = new Map((await this.#store.all(db)).map((one) => [one.name, one]))
      this.#settle()
      if (doubts === this.#doubts) {
        for (const live of this.#live.values()) live.isDoubted = false
        this.#version = version
      }
    }
    this.#heardAt = askedAt
  }

  /** Puts behind each name what the configuration and the store say of it. What has not changed stays as it is. */
  #settle(): void {
    for (const configured of this.#configured.values()) {
      const { name } = configured
      const live = this.named(name) as Live
      const stored = this.#stored.get(name)
      if (configured.document !== undefined && stored?.document !== undefined)
        this.#log.warn({ policy: name }, 'a document of the store is not used: the configuration has the policy')
      if (configured.trial !== undefined && stored?.trial !== undefined)
        this.#log.warn({ policy: name }, 'a trial of the store is not run: the configuration has one')
      live.standing = this.#standingOf(configured, stored, live.standing)
    }
  }

  #standingOf(configured: ConfiguredPolicy, stored: StoredPolicy | undefined, before: Standing | undefined): Standing {
    const { name, record } = configured
    const document =
      configured.document === undefined
        ? this.#read(name, stored?.document, before?.document)
        : this.#own(configured.document, before?.document)
    const tried =
      configured.trial === undefined
        ? this.#read(name, stored?.trial, before?.trial)
        : this.#own(configured.trial, before?.trial)
    return {
      origin: configured.document === undefined ? 'managed' : 'configuration',
      document,
      trial: tried && {
        ...tried,
        origin: configured.trial === undefined ? 'managed' : 'configuration',
        running: this.#running(name, document, tried, before),
      },
      recording: before?.record === record ? before.recording : record === 0 ? undefined : openRecording(record),
      record,
    }
  }

  /** Counting begins anew where one of the two documents is another. */
  #running(name: string, document: Held | undefined, tried: Held, before: Standing | undefined): Trial | undefined {
    const { policy } = tried
    if (policy === undefined) return undefined
    const isSame =
      before?.trial?.fingerprint === tried.fingerprint && before.document?.fingerprint === document?.fingerprint
    if (isSame && before.trial.running !== undefined) return before.trial.running
    return openTrial(policy, this.#clock, (outcome) => this.#count(name, outcome))
  }

  #own(prepared: PreparedPolicy, before: Held | undefined): Held {
    return heldOf(prepared, before?.fingerprint === prepared.fingerprint ? before.since : this.#clock.now())
  }

  /** A document of the store. One that cannot be decided by denies everything, and is not guessed at. */
  #read(name: string, stored: StoredText | undefined, before: Held | undefined): Held | undefined {
    if (stored === undefined) return undefined
    const { text, since } = stored
    const known = before?.text === text ? before : this.#knownAs(text)
    if (known !== undefined) return heldOf(known, since)
    const parsed = parseStrict(text)
    const prepared =
      'error' in parsed ? { mistakes: [{ path: '', message: parsed.error }] } : preparePolicy(parsed.value)
    if ('policy' in prepared) return heldOf({ ...prepared, text }, since)
    const [first] = prepared.mistakes
    this.#log.error(
      { policy: name, mistakes: prepared.mistakes.length, path: first?.path, message: first?.message },
      'a document of the store cannot be read: as the policy of the day it denies everything, as a trial it is not run',
    )
    return { text, fingerprint: fingerprintOf(text), ruleCount: undefined, policy: undefined, since }
  }

  /** A trial that was adopted is the same document in another place. */
  #knownAs(text: string): Omit<Held, 'since'> | undefined {
    if (this.#lately?.text === text) return this.#lately
    for (const { standing } of this.#live.values())
      for (const held of [standing?.document, standing?.trial]) if (held?.text === text) return held
    return undefined
  }
}

/** What stands behind a name now. */
interface Standing {
  readonly origin: Origin
  readonly document: Held | undefined
  readonly trial: (Held & { readonly origin: Origin; readonly running: Trial | undefined }) | undefined
  readonly recording: Recording | undefined
  readonly record: number
}

interface Held extends DocumentView {
  /** Undefined where it cannot be decided by. */
  readonly policy: Policy | undefined
}

function heldOf({ text, fingerprint, ruleCount, policy }: Omit<Held, 'since'>, since: number): Held {
  return { text, fingerprint, ruleCount, policy, since }
}

class Live implements NamedPolicy {
  readonly name: string
  standing: Standing | undefined
  isDoubted = false
  readonly #isSilent: () => boolean

  constructor(name: string, isSilent: () => boolean) {
    this.name = name
    this.#isSilent = isSilent
  }

  get policy(): Policy {
    const { standing } = this
    if (standing === undefined) return unknown
    if (this.#isUnsure(standing)) return unheard
    const { document } = standing
    return document === undefined ? unwritten : (document.policy ?? unreadable)
  }

  get trial(): Trial | undefined {
    const { standing } = this
    return standing?.trial === undefined || this.#isUnsure(standing) ? undefined : standing.trial.running
  }

  get recording(): Recording | undefined {
    return this.standing?.recording
  }

  #isUnsure({ origin }: Standing): boolean {
    return origin === 'managed' && (this.isDoubted || this.#isSilent())
  }
}

/** A policy that denies everything, and says why. */
function denying(because: string): Policy {
  const decision = { effect: 'deny', rule: undefined, description: undefined, because } as const
  return { decide: () => decision, explain: () => ({ decision, rules: [], unlisted: 0 }), attributes: new Set() }
}

const unknown = denying('no configuration has the policy')
const unwritten = denying('nobody has written its document yet')
const unreadable = denying('its document in the store cannot be read')
const unheard = denying('the store of policies has not answered for a minute, or not since it was changed')

/** How long what the store said is believed without hearing from it, in milliseconds. */
const believedMs = 60_000
