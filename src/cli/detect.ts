import { existsSync } from 'node:fs'
import { parseConfig } from '../config/parse.ts'
import type { House } from '../house.ts'
import { Detector } from '../incident/detection/detector.ts'
import { openGeolocation } from '../incident/detection/geolocation.ts'
import { type DetectionOptions, detectionOptions, type NamedRule } from '../incident/detection/options.ts'
import { type PresetName, presets } from '../incident/detection/presets.ts'
import type { Finding } from '../incident/finding.ts'
import { durationMs } from '../kernel/duration.ts'
import { uuidv7 } from '../kernel/id.ts'
import { type Command, readArgs, readVerb, type Terminal, Usage, type VerbShape } from './command.ts'
import { findConfig, loadConfig, settled } from './load.ts'
import { exported, type Numbered, recorded } from './recorded-events.ts'
import { houseOptions, visit } from './visit.ts'

const presetNames = Object.keys(presets) as PresetName[]

const usage = `usage: gatehouse detect rules [--preset NAME…] [--json]
       gatehouse detect replay [--since DURATION] [--preset NAME…] [--export FILE.jsonl] [--json]
                 [--config FILE] [--data DIR]

\`rules\` lists the rules that hold. \`replay\` runs them over the record, or over an export of it, and shows what they would
have found; nothing is done about it. DURATION is written 15m, 1h, 30d (usually 30d).
Presets: ${presetNames.join(', ')}. Those that are named here hold in place of what the configuration says.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    {
      ...houseOptions,
      since: { type: 'string' },
      preset: { type: 'string', multiple: true },
      export: { type: 'string' },
      json: { type: 'boolean' },
    },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const [verb] = readVerb('detect', verbs, { values, positionals }, usage)
  const sinceMs = durationMs(values.since ?? '30d')
  if (sinceMs === undefined) throw new Usage(`--since: expected a duration such as \`30d\`, got \`${values.since}\``)
  if (values.export !== undefined && !existsSync(values.export)) throw new Usage(`no export at \`${values.export}\``)
  const options = await optionsOf(values.config, values.preset, terminal)
  const json = values.json === true
  if (verb === 'rules') {
    showRules(options.rules, terminal, json)
    return true
  }
  const found =
    values.export === undefined
      ? await visit(values, terminal, (house) => replayRecord(house, options, sinceMs, terminal))
      : await replay(exported(values.export), options, terminal)
  showFound(found, terminal, json)
  return true
}

const verbs: Readonly<Record<'rules' | 'replay', VerbShape>> = {
  rules: { operands: 0, options: ['preset', 'json'] },
  replay: { operands: 0, options: ['since', 'preset', 'export', 'json'] },
}

async function optionsOf(
  config: string | undefined,
  named: readonly string[] | undefined,
  terminal: Terminal,
): Promise<DetectionOptions> {
  const path = findConfig(config)
  const { incidents } =
    path === undefined
      ? settled(parseConfig({}, terminal.environment), 'the empty configuration')
      : settled(await loadConfig(path, terminal.environment), path)
  if (named === undefined) return incidents.detection
  const parsed = detectionOptions.safeParse({ presets: named, geolocation: incidents.detection.geolocation })
  if (parsed.success) return parsed.data
  throw new Usage(`--preset: expected ${presetNames.map((name) => `\`${name}\``).join(', ')}`)
}

interface Replayed {
  readonly events: number
  readonly found: readonly Finding[]
}

async function replayRecord(
  house: House,
  options: DetectionOptions,
  sinceMs: number,
  terminal: Terminal,
): Promise<Replayed> {
  const at = terminal.clock.now()
  await house.audit.flush()
  const replayed = await replay(recorded(house, at - sinceMs), options, terminal)
  await house.store.transaction((trx) =>
    house.audit.enroll(trx, {
      action: 'audit.search',
      actor: { id: 'operator', type: 'system' },
      address: '',
      at,
      details: { by: 'detect replay', events: replayed.events, since: new Date(at - sinceMs).toISOString() },
      id: uuidv7(at, terminal.random),
      request_id: '',
      resource: { id: 'record', type: 'audit' },
      result: 'success',
      type: 'data_access',
      user_agent: '',
      v: 1,
    }),
  )
  house.audit.wake()
  return replayed
}

async function replay(
  events: AsyncIterable<Numbered>,
  { rules, geolocation }: DetectionOptions,
  { random }: Terminal,
): Promise<Replayed> {
  const detector = new Detector({
    rules,
    geolocation: geolocation === undefined ? undefined : openGeolocation(geolocation),
    hashKey: random.bytes(32),
  })
  const found: Finding[] = []
  let count = 0
  for await (const { seq, event } of events) {
    count++
    found.push(...(detector.observe(event, seq)?.findings ?? []))
  }
  return { events: count, found }
}

function showRules(rules: readonly NamedRule[], terminal: Terminal, json: boolean): void {
  if (json) {
    terminal.out(JSON.stringify({ rules: Object.fromEntries(rules.map(({ name, rule }) => [name, rule])) }, plain, 2))
    return
  }
  for (const { name, rule } of rules)
    terminal.out([name, rule.severity, rule.kind, `by ${rule.by.join(' ')}`, rule.title].join('\t'))
}

/** A regular expression as it is written. */
function plain(_name: string, value: unknown): unknown {
  return value instanceof RegExp ? value.source : value
}

function showFound({ events, found }: Replayed, terminal: Terminal, json: boolean): void {
  if (json) {
    terminal.out(JSON.stringify({ events, findings: found.map(told) }, null, 2))
    return
  }
  for (const finding of found) {
    const { rule, key, at, severity, count, first_seq, last_seq } = told(finding)
    terminal.out([at, severity, rule, key, `${count} events`, `${first_seq}–${last_seq}`].join('\t'))
  }
  terminal.err(`${events} events, ${found.length} ${found.length === 1 ? 'finding' : 'findings'}`)
}

function told({ type, severity, details, title, description, lastAt, count, events, targets }: Finding): {
  readonly [name: string]: unknown
} {
  return {
    rule: details['rule'],
    type,
    severity,
    key: details['key'],
    at: new Date(lastAt).toISOString(),
    count,
    first_seq: events[0],
    last_seq: events.at(-1),
    title,
    description,
    targets,
  }
}
