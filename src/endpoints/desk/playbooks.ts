import { setTimeout as pause } from 'node:timers/promises'
import type { AdminAction, AuditEvent, Details } from '../../audit/event.ts'
import type { AuditLog } from '../../audit/log.ts'
import type { Accounts } from '../../authn/account/accounts.ts'
import { covers } from '../../authz/permissions.ts'
import type { RoleBook } from '../../authz/role/book.ts'
import { type Emergency, emergencyName, emergencySteps } from '../../incident/emergency.ts'
import type { Target } from '../../incident/finding.ts'
import { type Freeze, freezeChanges, readFreeze, tellFreeze, thawChanges } from '../../incident/freeze.ts'
import type { IncidentBook } from '../../incident/incidents.ts'
import type { PlaybookRooms } from '../../incident/playbook/open.ts'
import type { Playbook } from '../../incident/playbook/options.ts'
import type { Run } from '../../incident/playbook/run.ts'
import { type RunBook, type RunDraft, stepOfRun } from '../../incident/playbook/run-book.ts'
import type { DryStep } from '../../incident/playbook/runner.ts'
import { tellFilter } from '../../incident/playbook/steps-emergency.ts'
import type { Clock } from '../../kernel/clock.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import { isWithin, networkOfAddress } from '../../shield/networks.ts'
import type { Database, Store } from '../../store/database.ts'
import { refusalBeyond } from './given.ts'
import { isRefusal } from './guard.ts'
import type { Diary, Visitor } from './visitor.ts'

export interface PlaybookDeskRooms extends PlaybookRooms {
  readonly clock: Clock
  readonly random: Random
  readonly store: Store
  readonly audit: AuditLog
  readonly accounts: Accounts
  readonly roleBook: RoleBook
  readonly incidentBook: IncidentBook
}

/** Whoever begins, approves and undoes: an administrator at the desk, or an operator at the machine. */
export interface PlaybookAuthor {
  readonly id: string
  /** Where they are themself; undefined at the machine. */
  readonly address: string | undefined
  holds(permission: string): boolean
  note(trx: Database, action: AdminAction, resource: AuditEvent['resource'], details: Details): Promise<void>
}

export interface RunWish {
  readonly incident: string | undefined
  readonly targets: readonly Target[]
  readonly reason: string
  readonly force: boolean
}

/** What a run would come to. */
export interface DryRun {
  readonly playbook: string
  readonly steps: readonly DryStep[]
}

/** Playbooks as people begin, approve and undo them. What they decide stands in the record, or is not done. */
export class PlaybookAdministration {
  readonly #rooms: PlaybookDeskRooms

  constructor(rooms: PlaybookDeskRooms) {
    this.#rooms = rooms
  }

  get playbooks(): ReadonlyMap<string, Playbook> {
    return this.#rooms.playbooks
  }

  page(asked: Parameters<RunBook['page']>[1]): ReturnType<RunBook['page']> {
    return this.#rooms.runBook.page(this.#rooms.store.db, asked)
  }

  async show(id: string): Promise<Run | Refusal> {
    return (await this.#rooms.runBook.find(this.#rooms.store.db, id)) ?? nobody
  }

  /** Begins a run, and carries it out as far as it goes without anybody else. */
  async run(author: PlaybookAuthor, name: string, wish: RunWish): Promise<Run | Refusal> {
    const { store, audit, runner } = this.#rooms
    const draft = await this.#draft(author, name, wish)
    if (isRefusal(draft)) return draft
    const id = await store.transaction(async (trx) => {
      const run = await runner.begin(trx, draft)
      await this.#begun(trx, author, draft, { id: run, type: 'playbook' }, `playbook ${name} begun: ${draft.reason}`)
      return run
    })
    audit.wake()
    await runner.carryOut(id)
    return this.show(id)
  }

  /** What a run would come to. Nothing of it is done; that somebody asked is remembered. */
  async dryRun(author: PlaybookAuthor, name: string, wish: RunWish): Promise<DryRun | Refusal> {
    const draft = await this.#draft(author, name, wish)
    return isRefusal(draft) ? draft : this.#dry(author, draft)
  }

  async approve(author: PlaybookAuthor, id: string, number: number): Promise<Run | Refusal> {
    return this.#decide(author, id, number, true)
  }

  async reject(author: PlaybookAuthor, id: string, number: number): Promise<Run | Refusal> {
    return this.#decide(author, id, number, false)
  }

  undo(author: PlaybookAuthor, id: string, number: number): Promise<Run | Refusal> {
    return this.#rooms.runner.undo(id, number, {
      id: author.id,
      note: (trx, { id: run }, details) => author.note(trx, 'playbook.undo', { id: run, type: 'playbook' }, details),
    })
  }

  /** Tries what failed again. */
  async retry(author: PlaybookAuthor, id: string): Promise<Run | Refusal> {
    const { store, audit, runBook, runner } = this.#rooms
    const refused = await store.transaction(async (trx): Promise<Refusal | undefined> => {
      const run = await runBook.hold(trx, id)
      if (run === undefined) return nobody
      if (run.status !== 'failed')
        return refuse('conflict', { detail: `The run is ${run.status}: no step waits to be tried again` })
      const steps = await runBook.retry(trx, run)
      await author.note(trx, 'playbook.run', { id, type: 'playbook' }, { playbook: run.playbook, retry: true, steps })
      return undefined
    })
    audit.wake()
    if (refused !== undefined) return refused
    await runner.carryOut(id)
    return this.show(id)
  }

  /**
   * Opens an incident, and ends at once what `filter` says. Answered when credentials are void, keys are new, changes are frozen and the
   * record is signed; the rows of what ended follow.
   */
  async emergency(author: PlaybookAuthor, wish: Emergency): Promise<Run | Refusal> {
    const { store, audit, runner, incidentBook } = this.#rooms
    const refused = await this.#unknown(wish)
    if (refused !== undefined) return refused
    const id = await store.transaction(async (trx) => {
      const { filter, reason } = wish
      const targets = filter.kind === 'user' || filter.kind === 'client' ? [{ type: filter.kind, id: filter.id }] : []
      const incident = await incidentBook.open(
        trx,
        {
          type: 'emergency',
          severity: 'critical',
          title: `Emergency: ${tellFilter(filter)}`,
          description: reason,
          targets,
        },
        author.id,
      )
      const details = { incident_type: 'emergency', severity: 'critical' }
      await author.note(trx, 'incident.open', { id: incident.id, type: 'incident' }, details)
      const draft = this.#emergencyDraft(author, wish, incident.id)
      const run = await runner.begin(trx, draft)
      await this.#begun(trx, author, draft, { id: run, type: 'playbook' }, `emergency: ${reason}`)
      return run
    })
    audit.wake()
    await runner.carryOut(id, emergencySteps(wish).length - 1)
    return this.show(id)
  }

  async dryEmergency(author: PlaybookAuthor, wish: Emergency): Promise<DryRun | Refusal> {
    return (await this.#unknown(wish)) ?? this.#dry(author, this.#emergencyDraft(author, wish, undefined))
  }

  /** Goes on with a run until it ends: a command stays for that, and a node that serves does it by itself. */
  async finish(id: string): Promise<Run | Refusal> {
    await this.#rooms.runner.carryOut(id)
    return this.show(id)
  }

  /** Waits until what begins now is not void with an emergency: false where that does not come soon. */
  async afterCut(run: Run): Promise<boolean> {
    const at = Number(stepOfRun(run, 1)?.outcome.facts?.['at'] ?? Number.POSITIVE_INFINITY)
    for (let tries = 0; tries < 20; tries++) {
      if (this.#rooms.clock.now() > at) return true
      await pause(2)
    }
    return false
  }

  freeze(): Promise<Freeze | undefined> {
    return readFreeze(this.#rooms.store.db)
  }

  async freezeChanges(
    author: PlaybookAuthor,
    { reason, incident }: { readonly reason: string; readonly incident: string | undefined },
  ): Promise<Freeze | Refusal> {
    const { store, audit, clock, random, incidentBook, timeline } = this.#rooms
    const since = clock.now()
    const freeze: Freeze = { since, by: author.id, reason, incident, mark: uuidv7(since, random) }
    const refused = await store.transaction(async (trx): Promise<Refusal | undefined> => {
      if (incident !== undefined && (await incidentBook.find(trx, incident)) === undefined) return noIncident
      if (!(await freezeChanges(trx, freeze))) {
        const standing = await readFreeze(trx)
        return refuse('conflict', {
          detail: standing === undefined ? 'Changes are frozen already' : tellFreeze(standing),
        })
      }
      await author.note(trx, 'changes.freeze', house, { incident: incident ?? '', reason })
      if (incident !== undefined)
        await timeline.add(trx, incident, {
          actor: author.id,
          kind: 'freeze',
          text: `changes frozen: ${reason}`,
          details: {},
        })
      return undefined
    })
    audit.wake()
    return refused ?? freeze
  }

  async thaw(author: PlaybookAuthor): Promise<Freeze | Refusal> {
    const { store, audit, timeline } = this.#rooms
    const thawed = await store.transaction(async (trx) => {
      const freeze = await thawChanges(trx)
      if (freeze === undefined) return undefined
      const { since, incident } = freeze
      await author.note(trx, 'changes.thaw', house, { incident: incident ?? '', since: new Date(since).toISOString() })
      if (incident !== undefined)
        await timeline.add(trx, incident, { actor: author.id, kind: 'freeze', text: 'changes thawed', details: {} })
      return freeze
    })
    audit.wake()
    return thawed ?? refuse('conflict', { detail: 'Changes are not frozen' })
  }

  /** Of two who decide at one moment, one does. Nobody approves what they began themself. */
  async #decide(author: PlaybookAuthor, id: string, number: number, approves: boolean): Promise<Run | Refusal> {
    const { store, audit, runBook, runner, timeline } = this.#rooms
    const refused = await store.transaction(async (trx): Promise<Refusal | undefined> => {
      const run = await runBook.hold(trx, id)
      const step = run && stepOfRun(run, number)
      if (run === undefined || step === undefined) return nobody
      if (step.status !== 'waiting')
        return refuse('conflict', { detail: `The step is ${step.status}: it waits for nobody` })
      if (approves && (await hasBegun(trx, run, author)))
        return refuse('conflict', { detail: 'Whoever began the run does not approve its steps: somebody else has to' })
      await runBook.decide(trx, run, number, author.id, approves)
      const details = { do: step.step.do, playbook: run.playbook, step: number }
      await author.note(trx, approves ? 'playbook.approve' : 'playbook.reject', { id, type: 'playbook' }, details)
      const text = `step ${number} ${approves ? 'approved' : 'rejected'} (${step.step.do})`
      if (run.incident !== undefined)
        await timeline.add(trx, run.incident, { actor: author.id, kind: 'playbook', text, details: { run: id } })
      return undefined
    })
    audit.wake()
    if (refused !== undefined) return refused
    await runner.carryOut(id)
    return this.show(id)
  }

  async #draft(
    author: PlaybookAuthor,
    name: string,
    { incident: incidentId, targets: named, reason, force }: RunWish,
  ): Promise<RunDraft | Refusal> {
    const { playbooks, incidentBook, store } = this.#rooms
    const playbook = playbooks.get(name)
    if (playbook === undefined) return refuse('not-found', { detail: 'no playbook is called so' })
    const incident = incidentId === undefined ? undefined : await incidentBook.find(store.db, incidentId)
    if (incidentId !== undefined && incident === undefined) return noIncident
    const targets = [...named, ...(incident?.targets ?? [])]
    const { steps, onFailure } = playbook
    const own = author.address
    const blocksOwn = (id: string): boolean => own !== undefined && isWithin(own, networkOfAddress(id) ?? '')
    if (!force && has(steps, 'address.block') && targets.some(({ type, id }) => type === 'address' && blocksOwn(id)))
      return refuse('conflict', {
        detail: `your own address, ${own}, would be blocked: say \`force\` to do so all the same`,
        errors: { force: ['your own address is among the targets'] },
      })
    const refused = has(steps, 'account.lock') ? await this.#beyond(author, targets) : undefined
    return (
      refused ?? { playbook: name, steps, onFailure, incident: incident?.id, targets, startedBy: author.id, reason }
    )
  }

  #emergencyDraft(author: PlaybookAuthor, wish: Emergency, incident: string | undefined): RunDraft {
    const steps = emergencySteps(wish)
    const { reason } = wish
    return {
      playbook: emergencyName,
      steps,
      onFailure: 'continue',
      incident,
      targets: [],
      startedBy: author.id,
      reason,
    }
  }

  async #dry(author: PlaybookAuthor, draft: RunDraft): Promise<DryRun> {
    const { store, audit, runner } = this.#rooms
    const { playbook, steps } = draft
    const lines = await runner.dryRun({ ...draft, id: 'dry run' }, steps)
    await store.transaction((trx) =>
      this.#begun(trx, author, draft, { id: playbook, type: 'playbook' }, `dry run of playbook ${playbook}`, true),
    )
    audit.wake()
    return { playbook, steps: lines }
  }

  async #begun(
    trx: Database,
    author: PlaybookAuthor,
    { playbook, incident, reason, targets }: RunDraft,
    resource: AuditEvent['resource'],
    text: string,
    isDry = false,
  ): Promise<void> {
    const details = { dry_run: isDry, incident: incident ?? '', playbook, reason, targets: targets.length }
    await author.note(trx, 'playbook.run', resource, details)
    if (incident === undefined) return
    const entry = { actor: author.id, kind: 'playbook', text, details: { playbook, run: resource.id } }
    await this.#rooms.timeline.add(trx, incident, entry)
  }

  /** Nobody locks somebody out who may more than they. */
  async #beyond(author: PlaybookAuthor, targets: readonly Target[]): Promise<Refusal | undefined> {
    const { accounts, store, roleBook } = this.#rooms
    for (const { type, id } of targets) {
      const account = type === 'user' && uuidForm.test(id) ? await accounts.byId(store.db, id) : undefined
      const held = account === undefined ? [] : roleBook.table.permissionsOf(account.roles)
      const refused = refusalBeyond((permission) => author.holds(permission), held)
      if (refused !== undefined) return refused
    }
    return undefined
  }

  /** The refusal where a filter names nobody. */
  async #unknown({ filter }: Emergency): Promise<Refusal | undefined> {
    const { accounts, store, roleBook, clock } = this.#rooms
    if (filter.kind === 'role' && !roleBook.table.names.has(filter.id))
      return refuse('body-invalid', { errors: { role: [`no role is called \`${filter.id}\``] } })
    if (filter.kind === 'user' && (await accounts.byId(store.db, filter.id)) === undefined)
      return refuse('not-found', { detail: 'no account has this id' })
    if (filter.kind === 'before' && filter.at > clock.now())
      return refuse('body-invalid', { errors: { before: ['expected a time that has passed'] } })
    return undefined
  }
}

/** An administrator, as whoever begins, approves and undoes. */
export function playbookAuthorAt(diary: Diary, visitor: Visitor): PlaybookAuthor {
  const { id, permissions } = visitor.principal
  return {
    id,
    address: visitor.address,
    holds: (permission) => covers(permissions, permission),
    note: (trx, action, resource, details) => diary.change(trx, visitor, action, resource, details),
  }
}

/** A run that began by itself was begun by whoever opened its incident. */
async function hasBegun(trx: Database, { startedBy, incident }: Run, { id }: PlaybookAuthor): Promise<boolean> {
  if (startedBy !== 'gatehouse' || incident === undefined) return startedBy === id
  const first = await trx
    .selectFrom('incident_entries')
    .select('actor')
    .where('incident_id', '=', incident)
    .where('position', '=', 1)
    .executeTakeFirst()
  return first?.actor === id
}

function has(steps: Playbook['steps'], name: string): boolean {
  return steps.some((step) => step.do === name)
}

const nobody = refuse('not-found', { detail: 'no run, or no step of one, is called so' })
const noIncident = refuse('body-invalid', { errors: { incident: ['no incident has this id'] } })
const house = { id: 'house', type: 'house' } as const
const uuidForm = /^[0-9a-f-]{36}$/
