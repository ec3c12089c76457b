import { asFilter, dryBody, freezeBody, runBody } from '../endpoints/api/playbooks.ts'
import { isRefusal } from '../endpoints/desk/guard.ts'
import { type DryRun, PlaybookAdministration, type PlaybookAuthor, type RunWish } from '../endpoints/desk/playbooks.ts'
import type { House } from '../house.ts'
import type { Emergency } from '../incident/emergency.ts'
import type { Target } from '../incident/finding.ts'
import { tellFreeze } from '../incident/freeze.ts'
import { openIncidents } from '../incident/open.ts'
import type { Run } from '../incident/playbook/run.ts'
import type { Refusal } from '../kernel/error.ts'
import { emergencyBody, runPlaybookBody } from '../wire/playbooks.ts'
import { adminEvent } from './admin-event.ts'
import { type Command, readArgs, readVerb, refusalText, type Terminal, Usage, type VerbShape } from './command.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse incident run PLAYBOOK [--incident ID] [--reason TEXT] [--dry-run]
                 [--user ID …] [--address ADDRESS …] [--key ID …] [--client ID …] [--service NAME …] [--session ID …]
       gatehouse incident playbooks
       gatehouse incident runs [--incident ID]
       gatehouse incident approve|reject RUN STEP
       gatehouse incident undo RUN [STEP]
       gatehouse incident retry RUN
       gatehouse incident emergency --reason TEXT (--all | --role ROLE | --user ID | --client ID | --before TIME)
                 [--keys] [--dry-run]
       gatehouse incident freeze --reason TEXT [--incident ID]
       gatehouse incident thaw
                 [--json] [--config FILE] [--data DIR]

An emergency ends sessions and tokens at once, on every node within a second; makes new signing keys; freezes changes; and signs the
record. With --keys it revokes API keys too. TIME is written as in RFC 3339. Steps are undone one by one, the last first.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    {
      ...houseOptions,
      json: { type: 'boolean' },
      incident: { type: 'string' },
      reason: { type: 'string' },
      'dry-run': { type: 'boolean' },
      user: { type: 'string', multiple: true },
      address: { type: 'string', multiple: true },
      key: { type: 'string', multiple: true },
      client: { type: 'string', multiple: true },
      service: { type: 'string', multiple: true },
      session: { type: 'string', multiple: true },
      all: { type: 'boolean' },
      role: { type: 'string' },
      before: { type: 'string' },
      keys: { type: 'boolean' },
    },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const [verb, ...operands] = readVerb('incident', verbs, { values, positionals }, usage)
  const act = actOf(verb, operands, values)
  return visit(values, terminal, (house) =>
    act({
      administration: administrationOf(house, terminal),
      author: operator(house, terminal),
      terminal,
      json: values.json === true,
    }),
  )
}

type Verb = 'run' | 'playbooks' | 'runs' | 'approve' | 'reject' | 'undo' | 'retry' | 'emergency' | 'freeze' | 'thaw'

const targetOptions = ['user', 'address', 'key', 'client', 'service', 'session']

/** How many names each wants, and its options beside those by which the house is found. */
// biome-ignore format: a table
const verbs: Readonly<Record<Verb, VerbShape>> = {
  run:       { operands: 1, options: ['incident', 'reason', 'dry-run', 'json', ...targetOptions] },
  playbooks: { operands: 0, options: ['json'] },
  runs:      { operands: 0, options: ['incident', 'json'] },
  approve:   { operands: 2, options: ['json'] },
  reject:    { operands: 2, options: ['json'] },
  undo:      { operands: 1, optional: 1, options: ['json'] },
  retry:     { operands: 1, options: ['json'] },
  emergency: { operands: 0, options: ['reason', 'all', 'role', 'user', 'client', 'before', 'keys', 'dry-run', 'json'] },
  freeze:    { operands: 0, options: ['reason', 'incident'] },
  thaw:      { operands: 0, options: [] },
}

interface Values {
  readonly incident?: string | undefined
  readonly reason?: string | undefined
  readonly 'dry-run'?: boolean | undefined
  readonly user?: readonly string[] | undefined
  readonly address?: readonly string[] | undefined
  readonly key?: readonly string[] | undefined
  readonly client?: readonly string[] | undefined
  readonly service?: readonly string[] | undefined
  readonly session?: readonly string[] | undefined
  readonly all?: boolean | undefined
  readonly role?: string | undefined
  readonly before?: string | undefined
  readonly keys?: boolean | undefined
}

interface Place {
  readonly administration: PlaybookAdministration
  readonly author: PlaybookAuthor
  readonly terminal: Terminal
  readonly json: boolean
}

type Act = (place: Place) => Promise<boolean>

/** What a call comes to. What is wrong with it is told before anything is opened. */
function actOf(verb: Verb, [id = '', n]: readonly string[], values: Values): Act {
  switch (verb) {
    case 'run': {
      const wish = wishOf(values)
      return async (place) => {
        const { administration, author } = place
        return values['dry-run'] === true
          ? toldDry(await administration.dryRun(author, id, wish), place)
          : toldRun(await administration.run(author, id, wish), place)
      }
    }
    case 'playbooks':
      return async ({ administration, terminal, json }) => {
        if (json) terminal.out(JSON.stringify(Object.fromEntries(administration.playbooks), null, 2))
        else
          for (const [name, { for: types, automatic, steps }] of administration.playbooks)
            terminal.out(
              [name, automatic ? 'automatic' : 'by hand', types.join(','), steps.map((step) => step.do).join(' ')].join(
                '\t',
              ),
            )
        return true
      }
    case 'runs':
      return (place) => list(place, values.incident)
    case 'approve':
    case 'reject': {
      const step = numberOf(n)
      return async (place) => toldRun(await place.administration[verb](place.author, id, step), place)
    }
    case 'undo':
      return n === undefined ? (place) => undoAll(place, id) : undoOne(id, numberOf(n))
    case 'retry':
      return async (place) => toldRun(await place.administration.retry(place.author, id), place)
    case 'emergency': {
      const wish = emergencyOf(values)
      return (place) => emergency(place, wish, values['dry-run'] === true)
    }
    case 'freeze': {
      if (values.reason === undefined) throw new Usage(`expected --reason\n\n${usage}`)
      const wish = { reason: values.reason, incident: values.incident }
      return async ({ administration, author, terminal }) => {
        const frozen = await administration.freezeChanges(author, wish)
        if (isRefusal(frozen)) return refused(frozen, terminal)
        terminal.out(tellFreeze(frozen))
        return true
      }
    }
    case 'thaw':
      return async ({ administration, author, terminal }) => {
        const thawed = await administration.thaw(author)
        if (isRefusal(thawed)) return refused(thawed, terminal)
        terminal.out(`done: changes were frozen since ${String(freezeBody(thawed)['since'])}`)
        return true
      }
  }
}

/** The shape of the API, read from options: what it refuses there it refuses here. */
function wishOf(values: Values): RunWish {
  const targets = [
    ...targetsOf('user', values.user),
    ...targetsOf('address', values.address),
    ...targetsOf('api-key', values.key),
    ...targetsOf('client', values.client),
    ...targetsOf('service', values.service),
    ...targetsOf('session', values.session),
  ]
  const parsed = runPlaybookBody.safeParse({
    targets,
    force: true, // at the machine nobody has an address
    ...(values.incident === undefined ? {} : { incident: values.incident }),
    ...(values.reason === undefined ? {} : { reason: values.reason }),
  })
  if (parsed.success) return { ...parsed.data, incident: parsed.data.incident }
  throw new Usage(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'))
}

function targetsOf(type: Target['type'], ids: readonly string[] = []): readonly Target[] {
  return ids.map((id) => ({ type, id }))
}

function emergencyOf({ reason, all, role, user, client, before, keys = false }: Values): Emergency {
  const one = (given: readonly string[] | undefined): string | undefined => {
    if (given !== undefined && given.length > 1) throw new Usage(`expected one of a kind\n\n${usage}`)
    return given?.[0]
  }
  const given = { all: all === true ? true : undefined, role, user: one(user), client: one(client), before }
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const parsed = emergencyBody.safeParse({ reason: reason ?? '', keys, ...named })
  if (parsed.success) return { filter: asFilter(parsed.data), keys, reason: parsed.data.reason }
  throw new Usage(
    parsed.error.issues
      .map(({ path, message }) => `--${path.join('.')}: ${message.replace(/`(\w+)`/g, '`--$1`')}`)
      .join('\n'),
  )
}

function numberOf(text = ''): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text)
  throw new Usage(`expected the number of a step, got \`${text}\`\n\n${usage}`)
}

async function emergency(place: Place, wish: Emergency, isDry: boolean): Promise<boolean> {
  const { administration, author, terminal } = place
  if (isDry) return toldDry(await administration.dryEmergency(author, wish), place)
  const begun = await administration.emergency(author, wish)
  if (isRefusal(begun)) return toldRun(begun, place)
  terminal.err('what was issued is void; the rows of it end now')
  return toldRun(await administration.finish(begun.id), place)
}

function undoOne(id: string, number: number): Act {
  return async (place) => toldRun(await place.administration.undo(place.author, id, number), place)
}

async function undoAll(place: Place, id: string): Promise<boolean> {
  const { administration, author } = place
  const run = await administration.show(id)
  if (isRefusal(run)) return toldRun(run, place)
  const undoable = (runBody(run)['steps'] as readonly { number: number; can_undo: boolean }[]).filter(
    (one) => one.can_undo,
  )
  let last: Run | Refusal = run
  for (const { number } of undoable.toReversed()) {
    last = await administration.undo(author, id, number)
    if (isRefusal(last)) break
  }
  return toldRun(last, place)
}

async function list({ administration, terminal, json }: Place, incident: string | undefined): Promise<boolean> {
  const { runs } = await administration.page({ limit: 200, after: undefined, incident })
  if (json) terminal.out(JSON.stringify({ runs: runs.map(runBody) }, null, 2))
  else
    for (const { id, playbook, status, startedBy, startedAt, incident = '' } of runs)
      terminal.out([id, new Date(startedAt).toISOString(), playbook, status, startedBy, incident].join('\t'))
  return true
}

function toldRun(run: Run | Refusal, { terminal, json }: Place): boolean {
  if (isRefusal(run)) return refused(run, terminal)
  if (json) terminal.out(JSON.stringify(runBody(run), null, 2))
  else {
    terminal.out(`${run.id}\t${run.playbook}\t${run.status}`)
    for (const { number, step, status, outcome } of run.steps)
      terminal.out([`  ${number}`, step.do, status, outcome.undone ?? outcome.told ?? ''].join('\t'))
    for (const { outcome } of run.steps)
      if (typeof outcome.facts?.['report'] === 'string') terminal.out(`\n${outcome.facts['report']}`)
  }
  return run.status !== 'failed'
}

function toldDry(dry: DryRun | Refusal, { terminal, json }: Place): boolean {
  if (isRefusal(dry)) return refused(dry, terminal)
  if (json) terminal.out(JSON.stringify(dryBody(dry), null, 2))
  else
    for (const { number, step, told } of dry.steps)
      terminal.out(
        [`  ${number}`, step.do, 'would', step.approval === true ? `${told} (once approved)` : told].join('\t'),
      )
  return true
}

function refused(refusal: Refusal, terminal: Terminal): boolean {
  if (refusal.code === 'body-invalid') throw new Usage(refusalText(refusal))
  terminal.err(refusal.detail)
  return false
}

/** Whoever has the machine has all of it. */
function operator({ audit }: House, terminal: Terminal): PlaybookAuthor {
  return {
    id: 'operator',
    address: undefined,
    holds: () => true,
    note: (trx, action, resource, details) =>
      audit.enroll(trx, { ...adminEvent(action, '', terminal, details), resource }),
  }
}

function administrationOf(house: House, { clock, random }: Terminal): PlaybookAdministration {
  const { settings, playbooks } = house
  const incidents = openIncidents({ options: settings.incidents, clock, random, onOpened: playbooks.onOpened })
  return new PlaybookAdministration({ ...house, ...playbooks, ...incidents, clock, random })
}
