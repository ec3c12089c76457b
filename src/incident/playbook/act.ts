import type { AdminAction, AuditEvent, Details } from '../../audit/event.ts'
import type { Accounts } from '../../authn/account/accounts.ts'
import type { KeyBook } from '../../authn/key/key-book.ts'
import type { Keys } from '../../authn/key/keys.ts'
import type { Revocations } from '../../authn/session/revocations.ts'
import type { TakingBackRooms } from '../../authn/session/taking-back.ts'
import type { Tickets } from '../../authn/ticket/tickets.ts'
import type { RoleBook } from '../../authz/role/book.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Random } from '../../kernel/id.ts'
import type { Keyring } from '../../keys/keyring.ts'
import type { Outbox } from '../../mail/outbox.ts'
import type { Clients } from '../../oauth/clients.ts'
import type { BlockBook } from '../../shield/block-book.ts'
import type { BlockStore } from '../../shield/block-store.ts'
import type { Database } from '../../store/database.ts'
import type { Target } from '../finding.ts'
import type { Incident } from '../incident.ts'
import type { Timeline } from '../timeline.ts'

/** The rooms that the steps of playbooks act upon. */
export interface StepRooms extends TakingBackRooms {
  readonly clock: Clock
  readonly random: Random
  readonly accounts: Accounts
  readonly revocations: Revocations
  readonly tickets: Tickets
  readonly roleBook: RoleBook
  readonly keys: Keys
  readonly keyBook: KeyBook
  readonly blockStore: BlockStore
  readonly blockBook: BlockBook
  /** Undefined where the house gives no tokens to clients of other people. */
  readonly clients: Clients | undefined
  readonly keyrings: readonly Keyring[]
  /** Undefined where the house sends no letters. */
  readonly outbox: Outbox | undefined
  readonly siteName: string
  readonly publicUrl: string | undefined
  readonly timeline: Timeline
  /** Outside of any transaction. */
  readonly db: Database
  /** Signs the chain as it is now. Undefined where there is nothing new to sign. */
  checkpoint(): Promise<{ readonly size: number; readonly root: string } | undefined>
  /** Writes down that the channels are to be told of an incident; answers which. */
  alert(trx: Database, incident: Incident): Promise<readonly string[]>
  /** Remembers in the transaction of the act what the house did, with nobody beside it. */
  note(trx: Database, act: StepEvent, result?: AuditEvent['result']): Promise<void>
}

/** What a step writes into the record. */
export interface StepEvent {
  readonly type: 'admin_action'
  readonly action: AdminAction
  readonly resource: AuditEvent['resource']
  readonly details: Details
}

/** One step of one run, as it is carried out. */
export interface Turn {
  readonly rooms: StepRooms
  readonly run: {
    readonly id: string
    readonly playbook: string
    readonly incident: string | undefined
    readonly reason: string
    /** An account id, `operator`, or `gatehouse` for a run that began by itself. */
    readonly startedBy: string
    readonly targets: readonly Target[]
  }
  readonly number: number
  /** True where all of it is rolled back: nothing beyond the transaction may be touched. */
  readonly isDry: boolean
  /** What `prepare` answered. */
  readonly prepared?: Facts | undefined
}

/** What a step has to know to be undone, and whoever reads about it to understand it. JSON. */
export type Facts = Readonly<Record<string, unknown>>

export type Acted =
  | { readonly skipped: string }
  | {
      /** What was done, in words and counts. */
      readonly told: string
      readonly facts: Facts
      /** Once the transaction is through: lets this process know. Other nodes hear it from the store. */
      readonly after?: (() => Promise<void> | void) | undefined
    }

/** How a step is done and undone, in the transaction that says so. What it throws undoes all of it. */
export interface StepAct<S> {
  /** What has to be done before, and may be done again. */
  prepare?(turn: Omit<Turn, 'prepared'>): Promise<Facts>
  act(trx: Database, step: S, turn: Turn): Promise<Acted>
  /** Undefined: cannot be undone. */
  readonly undo?: (trx: Database, facts: Facts, turn: Turn) => Promise<Acted>
  /** Goes on with what is too much for one transaction, from where `facts` say. */
  more?(trx: Database, step: S, facts: Facts, turn: Turn, rowsMax: number): Promise<Advanced>
}

/** How far a step is that takes more than one transaction. */
export interface Advanced {
  readonly facts: Facts
  readonly isAll: boolean
}

export function idsOf(targets: readonly Target[], type: Target['type']): readonly string[] {
  return [...new Set(targets.flatMap((target) => (target.type === type ? [target.id] : [])))].toSorted()
}

/** Tells one lock, block or freeze from the next. */
export function markOf({ run, number }: Turn): string {
  return `${run.id}/${number}`
}

/** `2 accounts`, `1 account`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** What came of many: how many were done, and why some were not. */
export function summed(done: string, skipped: readonly string[]): string {
  return skipped.length === 0 ? done : `${done}; ${[...new Set(skipped)].slice(0, 5).join('; ')}`
}

/** The details that each event of a step has. */
export function because({ run, number }: Turn, more: Details = {}): Details {
  return { ...more, because: `playbook ${run.playbook}`, run: run.id, step: number }
}
