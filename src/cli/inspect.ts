import { readFileSync } from 'node:fs'
import type { Settings } from '../config/settings.ts'
import { type DataScreen, findData, openDataScreen } from '../inspection/data-screen.ts'
import type { Field } from '../inspection/field.ts'
import { fieldBounds, requestFields } from '../inspection/fields/request.ts'
import { roleOf } from '../inspection/fields/role.ts'
import { type Finding, findingText } from '../inspection/finding.ts'
import { openInjection, usualThreshold } from '../inspection/injection/injection.ts'
import { type InspectionOptions, inspectionOf } from '../inspection/options.ts'
import type { Place } from '../inspection/place.ts'
import { openPromptCheck } from '../inspection/prompts/check.ts'
import { oneLine } from '../kernel/one-line.ts'
import { type Command, readArgs, readVerb, type Terminal, Usage, type VerbShape } from './command.ts'
import { replayInspection } from './inspect-replay.ts'
import { findConfig, loadConfig, settled } from './load.ts'
import { readRawRequest } from './raw-request.ts'
import { houseOptions } from './visit.ts'

const usage = `usage: gatehouse inspect text [TEXT] [--as PART] [--name NAME] [--route 'POST /path'] [--json] [--config FILE]
       gatehouse inspect request FILE [--route 'POST /path'] [--json] [--config FILE]
       gatehouse inspect replay [--since DURATION] [--threshold 0.6] [--family sql=0.4]… [--export FILE.jsonl] [--json]
                 [--config FILE] [--data DIR]

\`text\` says what would be found in a text; without TEXT, or with \`-\`, in what comes by standard input. PART is path, query, header,
cookie, body (usually) or answer. \`request\` takes a request as it goes over the wire: \`GET /search?q=… HTTP/1.1\`, headers, an empty
line, a body. Both take what the configuration says, or of the route that is named; without a configuration, everything is looked
for. They exit 1 where something would be refused. \`replay\` weighs what the record holds of earlier requests by other thresholds,
and says which of them would have been refused.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    {
      ...houseOptions,
      as: { type: 'string' },
      name: { type: 'string' },
      route: { type: 'string' },
      since: { type: 'string' },
      threshold: { type: 'string' },
      family: { type: 'string', multiple: true },
      export: { type: 'string' },
      json: { type: 'boolean' },
    },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const [verb, operand = '-'] = readVerb('inspect', verbs, { values, positionals }, usage)
  const json = values.json === true
  if (verb === 'replay') return replayInspection(values, terminal)
  const options = await optionsOf(values.config, values.route, terminal)
  const text = verb === 'text' && operand !== '-' ? operand : readFile(operand)
  const fields = verb === 'text' ? [fieldOf(text, values.as ?? 'body', values.name ?? 'text')] : fieldsOfRequest(text)
  return show(judgeFields(fields, options), options, terminal, json)
}

const verbs: Readonly<Record<'text' | 'request' | 'replay', VerbShape>> = {
  text: { operands: 0, optional: 1, options: ['as', 'name', 'route', 'json'] },
  request: { operands: 1, options: ['route', 'json'] },
  replay: { operands: 0, options: ['since', 'threshold', 'family', 'export', 'json'] },
}

/** Where nobody says what is looked for, everything is. */
const everything: InspectionOptions = {
  injection: { mode: 'block' },
  prompts: { requests: 'block' },
  pii: { requests: 'log' },
  secrets: { requests: 'log' },
}

async function optionsOf(
  config: string | undefined,
  route: string | undefined,
  terminal: Terminal,
): Promise<InspectionOptions> {
  const path = findConfig(config)
  if (path === undefined) {
    if (route !== undefined) throw new Usage('--route: no configuration lies here; name one with --config')
    return everything
  }
  const settings = settled(await loadConfig(path, terminal.environment), path)
  return route === undefined ? settings.inspection : inspectionOf(settings.inspection, routeOf(settings, route))
}

function routeOf({ routes }: Settings, wanted: string): InspectionOptions | undefined {
  const [method = '', path = ''] = wanted.includes(' ') ? wanted.split(' ') : ['', wanted]
  const found = routes.find(
    (route) =>
      route.path === path &&
      (method === '' || route.methods === undefined || route.methods.some((one) => one === method)),
  )
  if (found === undefined)
    throw new Usage(
      `--route: there is no \`${wanted}\`; expected one such as \`${routes[0]?.methods?.[0] ?? 'GET'} ${routes[0]?.path ?? '/path'}\``,
    )
  return found.inspection
}

function readFile(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8').replace(/\r?\n$/, path === '-' ? '' : '$&')
  } catch (error) {
    throw new Usage(`cannot read \`${path}\`: ${(error as Error).message}`)
  }
}

const parts: readonly string[] = [
  'path',
  'query',
  'header',
  'cookie',
  'body',
  'answer',
] satisfies readonly Place['in'][]

function fieldOf(text: string, part: string, at: string): Field {
  if (!parts.includes(part)) throw new Usage(`--as: expected ${parts.join(', ')}, got \`${part}\``)
  const name = (at.split('/').at(-1) ?? '').toLowerCase()
  return { place: { in: part as Place['in'], at }, name, text, role: roleOf(name, text) }
}

function fieldsOfRequest(text: string): readonly Field[] {
  const read = requestFields(readRawRequest(text), fieldBounds(Buffer.byteLength(text)))
  if ('problem' in read) throw new Usage(`the request cannot be read: ${read.problem}`)
  return read.fields
}

interface Judged {
  readonly findings: readonly Finding[]
  readonly score: number
  readonly refused: readonly Finding[]
}

function judgeFields(fields: readonly Field[], options: InspectionOptions): Judged {
  const verdicts = [
    openInjection(options.injection)?.judge(fields),
    openPromptCheck(options.prompts, 'requests')?.judge(fields),
  ].filter((verdict) => verdict !== undefined)
  const screen: Partial<DataScreen> =
    openDataScreen({ pii: options.pii, secrets: options.secrets, of: 'requests', key: new Uint8Array(32) }) ?? {}
  const guarded = screen.guard === undefined ? [] : findData(fields, screen.guard)
  const noted = [screen.watcher, screen.redactor].flatMap((one) => (one === undefined ? [] : findData(fields, one)))
  return {
    findings: [...verdicts.flatMap(({ findings }) => findings), ...guarded, ...noted],
    score: Math.max(0, ...verdicts.map(({ score }) => score)),
    refused: [...verdicts.flatMap(({ refused }) => refused), ...guarded],
  }
}

function show(
  { findings, score, refused }: Judged,
  options: InspectionOptions,
  terminal: Terminal,
  json: boolean,
): boolean {
  if (json) {
    terminal.out(JSON.stringify({ refused: refused.length > 0, score: Math.round(score * 100) / 100, findings }))
    return refused.length === 0
  }
  if (findings.length === 0) {
    terminal.out('nothing was found')
    return true
  }
  for (const finding of findings) {
    const { start, end } = finding
    terminal.out(oneLine(`${findingText(finding)}${end > start ? `, characters ${start + 1} to ${end}` : ''}`))
  }
  const threshold = options.injection?.threshold ?? usualThreshold
  terminal.out(
    refused.length > 0
      ? `it would be refused${score > 0 ? ` (${Math.round(score * 100)} %; the threshold is ${Math.round(threshold * 100)} %)` : ''}`
      : 'it would go on',
  )
  return refused.length === 0
}
