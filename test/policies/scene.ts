// Policies on a real store, and what they are asked.
import type { TestContext } from 'node:test'
import { PolicyBook } from '../../src/authz/policy/book.ts'
import { type ConfiguredPolicy, policyOptions } from '../../src/authz/policy/options.ts'
import type { AttributeRequest, PolicyDecision } from '../../src/authz/policy/policy.ts'
import { PolicyStore } from '../../src/authz/policy/store.ts'
import type { TrialOutcome } from '../../src/authz/policy/trial.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import type { Log, LogFields } from '../../src/kernel/log.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { type TestClock, testClock } from '../support/clock.ts'

export type FreshStore = (context: TestContext) => Promise<string>

/** One line of the log. */
export interface Line extends LogFields {
  readonly level: string
  readonly message: string
}

export interface PolicyScene {
  readonly url: string
  readonly store: Store
  readonly clock: TestClock
  readonly policies: PolicyStore
  readonly book: PolicyBook
  readonly lines: Line[]
  readonly counted: (readonly [policy: string, outcome: TrialOutcome])[]
  /** The book of another node. */
  another(): Promise<PolicyBook>
  /** Writes a document down, as whoever changes takes turns; null takes it away. The book hears of it. */
  write(part: 'document' | 'trial', name: string, document: object | string | null): Promise<void>
}

export const managed = { name: 'documents', managed: true } as const

export const configured = (...written: readonly object[]): readonly ConfiguredPolicy[] =>
  written.map((one) => policyOptions.parse(one))

export async function policyScene(
  context: TestContext,
  fresh: FreshStore,
  own: readonly ConfiguredPolicy[] = configured(managed),
): Promise<PolicyScene> {
  const url = await fresh(context)
  const store = await openStore(url)
  context.after(() => store.close())
  const clock = testClock()
  const lines: Line[] = []
  const counted: PolicyScene['counted'] = []
  const policies = new PolicyStore({ clock, random: systemRandom })
  const another = async (): Promise<PolicyBook> => {
    const count = (...one: (typeof counted)[number]): void => void counted.push(one)
    const book = new PolicyBook({ store: policies, clock, log: logInto(lines), count })
    book.follow(own)
    await book.hear(store.db)
    return book
  }
  const book = await another()
  return {
    url,
    store,
    clock,
    policies,
    book,
    lines,
    counted,
    another,
    async write(part, name, document) {
      const text = document === null ? undefined : typeof document === 'string' ? document : JSON.stringify(document)
      await store.transaction(async (trx) => {
        await policies.takeTurns(trx)
        await (part === 'document' ? policies.setDocument(trx, name, text) : policies.setTrial(trx, name, text))
      })
      await book.hear(store.db)
    },
  }
}

function logInto(lines: Line[]): Log {
  const at = (level: string) => (fields: LogFields, message: string) => void lines.push({ ...fields, level, message })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** Allows those who are in the list to do what they want. */
export function allowing(...ids: readonly string[]): { version: string; rules: object[] } {
  return {
    version: '1.0',
    rules: ids.map((id) => ({
      description: `${id} may`,
      condition: { operator: 'equals', attribute: 'subject.id', value: { text: id } },
      effect: 'allow',
    })),
  }
}

export function requestOf(id: string, more: Partial<AttributeRequest> = {}): AttributeRequest {
  return { subject: { id, type: 'user' }, resource: {}, action: {}, environment: {}, ...more }
}

/** Whom of the two the policy of a name lets through. */
export function permitted(book: PolicyBook, name: string = managed.name): readonly string[] {
  return ['ada', 'bob'].filter((id) => decided(book, id, name).effect === 'permit')
}

export function decided(book: PolicyBook, id: string, name: string = managed.name): PolicyDecision {
  return book.named(name).policy.decide(requestOf(id))
}
