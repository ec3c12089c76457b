import type { Answerer, Exchange } from '../../gate/exchange.ts'
import type { Outbound } from '../../http/message.ts'
import type { Emergency } from '../../incident/emergency.ts'
import type { Freeze } from '../../incident/freeze.ts'
import type { Playbook } from '../../incident/playbook/options.ts'
import { canUndo, type Run, type RunStep } from '../../incident/playbook/run.ts'
import type { Step } from '../../incident/playbook/step.ts'
import type { Refusal } from '../../kernel/error.ts'
import type * as wire from '../../wire/playbooks.ts'
import type { Desk } from '../desk/desk.ts'
import { isRefusal } from '../desk/guard.ts'
import { type DryRun, type PlaybookAuthor, playbookAuthorAt } from '../desk/playbooks.ts'
import { visitorOf } from '../desk/visitor.ts'
import { input, tokensOf } from './auth.ts'
import { momentAndId, readPage } from './page.ts'
import { json } from './reply.ts'

type Describes = keyof typeof wire.playbooks

/** What is done about incidents, step by step; and the freeze of changes. */
export function playbookEndpoints(desk: Desk): Record<Describes, Answerer> {
  const { playbooks, diary } = desk
  const author = (exchange: Exchange): PlaybookAuthor => playbookAuthorAt(diary, visitorOf(exchange))
  const told = (run: Run | Refusal): Outbound | Refusal => (isRefusal(run) ? run : json(200, runBody(run)))

  return {
    async listPlaybooks() {
      return json(200, { playbooks: [...playbooks.playbooks].map(([name, playbook]) => playbookBody(name, playbook)) })
    },

    async runPlaybook(exchange) {
      const { dry_run, incident, targets, reason, force } = input<typeof wire.runPlaybookBody>(exchange)
      const name = exchange.params['name'] ?? ''
      const wish = { incident, targets, reason, force }
      if (!dry_run) return told(await playbooks.run(author(exchange), name, wish))
      const dry = await playbooks.dryRun(author(exchange), name, wish)
      return isRefusal(dry) ? dry : json(200, dryBody(dry))
    },

    async listRuns({ request }) {
      const query = new URLSearchParams(request.target.query)
      const asked = readPage(query, momentAndId(idForm), {
        incident: (text) => (idForm.test(text) ? undefined : 'must be the id of an incident'),
      })
      if (isRefusal(asked)) return asked
      const { runs, next } = await playbooks.page({ ...asked, incident: query.get('incident') ?? undefined })
      return json(200, {
        runs: runs.map(runBody),
        ...(next === undefined ? {} : { next: `${next.createdAt}.${next.id}` }),
      })
    },

    async showRun({ params }) {
      return told(await playbooks.show(params['id'] ?? ''))
    },

    async retryRun(exchange) {
      return told(await playbooks.retry(author(exchange), exchange.params['id'] ?? ''))
    },

    async approveStep(exchange) {
      return told(await playbooks.approve(author(exchange), ...stepIn(exchange)))
    },

    async rejectStep(exchange) {
      return told(await playbooks.reject(author(exchange), ...stepIn(exchange)))
    },

    async undoStep(exchange) {
      return told(await playbooks.undo(author(exchange), ...stepIn(exchange)))
    },

    async emergency(exchange) {
      const body = input<typeof wire.emergencyBody>(exchange)
      const wish: Emergency = { filter: asFilter(body), keys: body.keys, reason: body.reason }
      if (body.dry_run) {
        const dry = await playbooks.dryEmergency(author(exchange), wish)
        return isRefusal(dry) ? dry : json(200, dryBody(dry))
      }
      const run = await playbooks.emergency(author(exchange), wish)
      if (isRefusal(run)) return run
      const kept = body.keep_me && (await playbooks.afterCut(run)) ? await newTokens(desk, exchange) : undefined
      return json(200, { ...runBody(run), ...(kept === undefined ? {} : { tokens: kept }) })
    },

    async showFreeze() {
      const freeze = await playbooks.freeze()
      return json(200, freeze === undefined ? { frozen: false } : { frozen: true, ...freezeBody(freeze) })
    },

    async freezeChanges(exchange) {
      const { reason, incident } = input<typeof wire.freezeBody>(exchange)
      const frozen = await playbooks.freezeChanges(author(exchange), { reason, incident })
      return isRefusal(frozen) ? frozen : json(200, { frozen: true, ...freezeBody(frozen) })
    },

    async thawChanges(exchange) {
      const thawed = await playbooks.thaw(author(exchange))
      return isRefusal(thawed) ? thawed : json(200, { frozen: false })
    },
  }
}

/** A session of the same person, by the proof that they came with: theirs has just ended with all others. */
async function newTokens(desk: Desk, exchange: Exchange): Promise<unknown> {
  const { store, accounts, sessions } = desk.rooms
  const { id, credential } = exchange.principal
  const account = await accounts.byId(store.db, id)
  if (account?.status !== 'active' || !('session' in credential)) return undefined
  const { address, userAgent } = visitorOf(exchange)
  const opened = await sessions.open(store.db, id, { address, userAgent }, credential.proof)
  return tokensOf(desk, account, opened.session, opened.refreshToken)
}

/** What is to end, of members of which one is there; `all` where none is. */
export function asFilter({
  role,
  user,
  client,
  before,
}: {
  readonly role?: string | undefined
  readonly user?: string | undefined
  readonly client?: string | undefined
  /** RFC 3339. */
  readonly before?: string | undefined
}): Emergency['filter'] {
  if (before !== undefined) return { kind: 'before', at: Date.parse(before) }
  if (role !== undefined) return { kind: 'role', id: role }
  if (user !== undefined) return { kind: 'user', id: user }
  return client === undefined ? { kind: 'all' } : { kind: 'client', id: client }
}

export function playbookBody(name: string, playbook: Playbook): Record<string, unknown> {
  const { for: types, automatic, minSeverity, onFailure, steps } = playbook
  return {
    name,
    for: types,
    automatic,
    ...(minSeverity === undefined ? {} : { min_severity: minSeverity }),
    on_failure: onFailure,
    steps: steps.map(stepBody),
  }
}

/** A run as the API, and the command, tell of it. */
export function runBody(run: Run): Record<string, unknown> {
  return {
    id: run.id,
    playbook: run.playbook,
    status: run.status,
    ...(run.incident === undefined ? {} : { incident: run.incident }),
    targets: run.targets,
    reason: run.reason,
    started_by: run.startedBy,
    started_at: time(run.startedAt),
    ...(run.endedAt === undefined ? {} : { ended_at: time(run.endedAt) }),
    steps: run.steps.map(runStepBody),
  }
}

export function dryBody({ playbook, steps }: DryRun): Record<string, unknown> {
  return {
    dry_run: true,
    playbook,
    steps: steps.map(({ number, step, told }) => ({ number, ...stepBody(step), outcome: told })),
  }
}

export function freezeBody({ since, by, reason, incident }: Freeze): Record<string, unknown> {
  return { since: time(since), by, reason, ...(incident === undefined ? {} : { incident }) }
}

function runStepBody(one: RunStep): Record<string, unknown> {
  const { number, step, status, outcome, approvedBy, doneAt, undoAt, undoneAt } = one
  const { told, facts, undone } = outcome
  const report = facts?.['report']
  return {
    number,
    ...stepBody(step),
    status,
    ...(told === undefined ? {} : { outcome: told }),
    ...(typeof report === 'string' ? { report } : {}),
    ...(approvedBy === undefined ? {} : { approved_by: approvedBy }),
    ...(doneAt === undefined ? {} : { done_at: time(doneAt) }),
    ...(undoAt === undefined ? {} : { undo_at: time(undoAt) }),
    ...(undoneAt === undefined ? {} : { undone_at: time(undoneAt), undone }),
    can_undo: canUndo(one),
  }
}

/** Durations in seconds, as everywhere in what is answered. */
function stepBody(step: Step): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(step).map(([name, value]) =>
      (name === 'for' || name === 'within') && typeof value === 'number'
        ? [`${name}_seconds`, value / 1000]
        : [name, value],
    ),
  )
}

function stepIn({ params }: Exchange): readonly [run: string, number: number] {
  const n = params['n'] ?? ''
  return [params['id'] ?? '', /^[1-9]\d?$/.test(n) ? Number(n) : 0]
}

function time(ms: number): string {
  return new Date(ms).toISOString()
}

const idForm = /^[0-9a-f-]{36}$/
