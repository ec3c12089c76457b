import type { AdminAction, Details } from '../../audit/event.ts'
import type { PolicyView } from '../../authz/policy/book.ts'
import type { AttributeRequest, PolicyExplanation } from '../../authz/policy/policy.ts'
import { fingerprintOf, type PreparedPolicy } from '../../authz/policy/prepared.ts'
import type { StoredPolicy, StoredText } from '../../authz/policy/store.ts'
import type { TrialReport } from '../../authz/policy/trial.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Database } from '../../store/database.ts'
import { isRefusal } from './guard.ts'
import type { DeskRooms } from './rooms.ts'
import type { Diary, Visitor } from './visitor.ts'

export type PolicyRooms = Pick<DeskRooms, 'store' | 'audit' | 'policyStore' | 'policyBook'>

/** Whoever changes policies: an administrator at the desk, or an operator at the machine. */
export interface PolicyAuthor {
  note(trx: Database, action: AdminAction, policy: string, details: Details): Promise<void>
}

/**
 * Policies as operators write them, try them out and take them away. A change holds on the next decision here, and within a
 * second on other nodes. What stands in the configuration is changed there; a trial decides nothing, and may be run beside any.
 */
export class PolicyAdministration {
  readonly #rooms: PolicyRooms

  constructor(rooms: PolicyRooms) {
    this.#rooms = rooms
  }

  /** All that the configuration names, in its order. */
  async list(): Promise<readonly PolicyView[]> {
    await this.#hear()
    return this.#rooms.policyBook.all()
  }

  async show(name: string): Promise<PolicyView | undefined> {
    await this.#hear()
    return this.#rooms.policyBook.show(name)
  }

  /** Says what decides from now on. `expect` is the fingerprint of what has to be there yet; null: nothing. */
  async put(
    author: PolicyAuthor,
    name: string,
    document: unknown,
    expect: string | null | undefined,
  ): Promise<PolicyView | Refusal> {
    const prepared = this.#prepared(document)
    if (isRefusal(prepared)) return prepared
    return this.#change(name, 'document', async (trx, { document: before }) => {
      const differs = unexpected(before, expect)
      if (differs !== undefined) return differs
      if (fingerprint(before) === prepared.fingerprint) return undefined // said already
      await this.#rooms.policyStore.setDocument(trx, name, prepared.text)
      const action = before === undefined ? 'policy.create' : 'policy.change'
      await author.note(trx, action, name, detailsOf(before, prepared))
      return undefined
    })
  }

  /** Takes the document away: everything is denied until there is another. */
  remove(author: PolicyAuthor, name: string): Promise<PolicyView | Refusal> {
    return this.#change(name, 'document', async (trx, { document: before }) => {
      if (before === undefined) return refuse('conflict', { detail: 'The policy has no document' })
      await this.#rooms.policyStore.setDocument(trx, name, undefined)
      await author.note(trx, 'policy.remove', name, detailsOf(before, undefined))
      return undefined
    })
  }

  /** Tries a document out, in the place of one that is tried out already. */
  async tryOut(
    author: PolicyAuthor,
    name: string,
    document: unknown,
    expect: string | null | undefined,
  ): Promise<PolicyView | Refusal> {
    const prepared = this.#prepared(document)
    if (isRefusal(prepared)) return prepared
    return this.#change(name, 'trial', async (trx, { trial: before }) => {
      const differs = unexpected(before, expect)
      if (differs !== undefined) return differs
      if (fingerprint(before) === prepared.fingerprint) return undefined
      await this.#rooms.policyStore.setTrial(trx, name, prepared.text)
      await author.note(trx, 'policy.trial-begin', name, detailsOf(before, prepared))
      return undefined
    })
  }

  endTrial(author: PolicyAuthor, name: string): Promise<PolicyView | Refusal> {
    return this.#change(name, 'trial', async (trx, { trial: before }) => {
      if (before === undefined) return untried
      await this.#rooms.policyStore.setTrial(trx, name, undefined)
      await author.note(trx, 'policy.trial-end', name, detailsOf(before, undefined))
      return undefined
    })
  }

  /** Lets what is tried out decide. `expect` is its fingerprint: nobody adopts what was put in its place meanwhile. */
  async adopt(author: PolicyAuthor, name: string, expect: string | undefined): Promise<PolicyView | Refusal> {
    const found = await this.show(name)
    const tried = found?.trial
    if (found === undefined) return unknown
    if (found.origin === 'configuration') return configured
    if (tried === undefined) return untried
    if (tried.ruleCount === undefined) return refuse('conflict', { detail: 'The trial cannot be read' })
    return this.#change(name, 'document', async (trx, { document: before, trial }) => {
      // What was read before is what was compiled: nothing else is taken over.
      const isMeant = expect === undefined || expect === tried.fingerprint
      if (!isMeant || (tried.origin === 'managed' && trial?.text !== tried.text)) return another
      await this.#rooms.policyStore.setDocument(trx, name, tried.text)
      await this.#rooms.policyStore.setTrial(trx, name, undefined)
      await author.note(trx, 'policy.trial-adopt', name, detailsOf(before, tried))
      return undefined
    })
  }

  /** What a trial would change, as this node saw it. */
  report(name: string): TrialReport | Refusal {
    const { policyBook } = this.#rooms
    if (policyBook.show(name) === undefined) return unknown
    return policyBook.named(name).trial?.report() ?? untried
  }

  /** What the policy, or its trial, says to a request, and why. */
  async explain(
    name: string,
    request: AttributeRequest,
    which: 'policy' | 'trial',
  ): Promise<PolicyExplanation | Refusal> {
    if ((await this.show(name)) === undefined) return unknown
    const { policy, trial } = this.#rooms.policyBook.named(name)
    return (which === 'policy' ? policy : trial?.policy)?.explain(request) ?? untried
  }

  /** The last requests that it decided here, as lines of JSON. */
  recorded(name: string): IterableIterator<string> | Refusal {
    const { policyBook } = this.#rooms
    if (policyBook.show(name) === undefined) return unknown
    return policyBook.named(name).recording?.lines() ?? unrecorded
  }

  /** Checked whole, and before anybody waits for it. */
  #prepared(document: unknown): PreparedPolicy | Refusal {
    const prepared = this.#rooms.policyBook.prepare(document)
    if ('policy' in prepared)
      return Buffer.byteLength(prepared.text) <= documentBytesMax ? prepared : invalid([['', tooLong]])
    return invalid(prepared.mistakes.map(({ path, message }) => [path, message]))
  }

  /** One change to one policy: to what decides, which is the store's to say only where it is managed, or to its trial. */
  async #change(
    name: string,
    part: 'document' | 'trial',
    work: (trx: Database, stored: StoredPolicy) => Promise<Refusal | undefined>,
  ): Promise<PolicyView | Refusal> {
    const { store, audit, policyStore, policyBook } = this.#rooms
    const found = policyBook.show(name)
    if (found === undefined) return unknown
    if (part === 'document' && found.origin === 'configuration') return configured
    if (part === 'trial' && found.trial?.origin === 'configuration') return configuredTrial
    const refused = await store.transaction(async (trx) => {
      await policyStore.takeTurns(trx)
      return work(trx, await policyStore.read(trx, name))
    })
    if (refused !== undefined) return refused
    audit.wake()
    try {
      await this.#hear()
    } catch {
      if (part === 'document') policyBook.doubt(name)
    }
    return policyBook.show(name) ?? unknown
  }

  #hear(): Promise<void> {
    const { policyBook, store } = this.#rooms
    return policyBook.hear(store.db)
  }
}

/** An administrator, as whoever changes policies. */
export function policyAuthorAt(diary: Diary, visitor: Visitor): PolicyAuthor {
  return {
    note: (trx, action, id, details) => diary.change(trx, visitor, action, { id, type: 'policy' }, details),
  }
}

/** By fingerprint: a record keeps no document. */
function detailsOf(
  before: StoredText | undefined,
  after: (Pick<PreparedPolicy, 'fingerprint'> & { readonly ruleCount: number | undefined }) | undefined,
): Details {
  return { after: after?.fingerprint ?? '', before: fingerprint(before) ?? '', rules: after?.ruleCount ?? 0 }
}

function fingerprint(stored: StoredText | undefined): string | undefined {
  return stored === undefined ? undefined : fingerprintOf(stored.text)
}

function unexpected(before: StoredText | undefined, expect: string | null | undefined): Refusal | undefined {
  return expect === undefined || (expect ?? undefined) === fingerprint(before) ? undefined : another
}

function invalid(mistakes: readonly (readonly [path: string, message: string])[]): Refusal {
  const errors: Record<string, string[]> = {}
  for (const [path, message] of mistakes) (errors[path === '' ? 'document' : `document.${path}`] ??= []).push(message)
  const count = mistakes.length === 1 ? '1 mistake' : `${mistakes.length} mistakes`
  return refuse('body-invalid', { detail: `The policy has ${count}`, errors })
}

const documentBytesMax = 1_048_576
const tooLong = `expected at most ${documentBytesMax} bytes of JSON`
const unknown = refuse('not-found', { detail: 'no policy of the configuration has this name' })
const untried = refuse('not-found', { detail: 'nothing is tried out beside the policy' })
const unrecorded = refuse('not-found', { detail: 'the policy keeps no requests: say `record` where it is configured' })
const another = refuse('conflict', { detail: 'The document that is there is another than was expected' })
const configured = refuse('conflict', {
  detail: 'The policy stands in the configuration: it is changed there, and nowhere else',
})
const configuredTrial = refuse('conflict', {
  detail: 'The trial stands in the configuration: it is changed there, and nowhere else',
})
