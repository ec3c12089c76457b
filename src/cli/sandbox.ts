import { existsSync, readFileSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { answerOf } from '../endpoints/api/sandbox.ts'
import { durationMs } from '../kernel/duration.ts'
import { Fault } from '../kernel/error.ts'
import { openLogger } from '../kernel/logger.ts'
import { oneLine } from '../kernel/one-line.ts'
import { sizeBytes } from '../kernel/size.ts'
import { type SandboxOptions, sandboxOptions } from '../sandbox/options.ts'
import { type CodeToRun, type Language, languages, type RunError } from '../sandbox/run.ts'
import { openSandbox } from '../sandbox/sandbox.ts'
import { essentialWalls } from '../sandbox/walls/wall.ts'
import { surveyWalls } from '../sandbox/walls/walls.ts'
import { type Command, readArgs, readVerb, refusalText, type Terminal, Usage, type VerbShape } from './command.ts'
import { findConfig, loadConfig, settled } from './load.ts'
import { houseOptions } from './visit.ts'

const usage = `usage: gatehouse sandbox run FILE [--language python|javascript] [--input JSON | --input-file FILE] [--time 5s] [--memory 512mb]
                 [--json] [--config FILE] [--data DIR]
       gatehouse sandbox walls [--json]

\`run\` runs code where it reaches nothing: prints what it prints, then its result as JSON. FILE may be \`-\`, for standard input; the
language goes by its ending. It exits 1 where the code fails, and 3 where no code can be run here. What is not said is as the
configuration says, or as usual where there is none. \`walls\` says what stands between such code and this machine, and how what is
missing is had; it exits 1 where something essential is.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    {
      ...houseOptions,
      language: { type: 'string' },
      input: { type: 'string' },
      'input-file': { type: 'string' },
      time: { type: 'string' },
      memory: { type: 'string' },
      json: { type: 'boolean' },
    },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const [verb, file = '-'] = readVerb('sandbox', verbs, { values, positionals }, usage)
  const json = values.json === true
  if (verb === 'walls') return showWalls(terminal, json)
  const asked: CodeToRun = {
    language: languageOf(values.language, file),
    code: readFile(file),
    input: inputOf(values.input, values['input-file']),
    limits: {
      timeMs:
        values.time === undefined ? undefined : readAs('time', values.time, durationMs, 'a duration such as `5s`'),
      memoryMb: values.memory === undefined ? undefined : mebibytes(values.memory),
    },
  }
  return run(asked, await optionsOf(values.config, terminal), values.data, terminal, json)
}

const verbs: Readonly<Record<'run' | 'walls', VerbShape>> = {
  run: { operands: 1, options: ['language', 'input', 'input-file', 'time', 'memory', 'json'] },
  walls: { operands: 0, options: ['json'] },
}

async function run(
  asked: CodeToRun,
  options: SandboxOptions,
  data: string,
  terminal: Terminal,
  json: boolean,
): Promise<boolean> {
  const sandbox = await openSandbox(
    // Nobody else asks: it waits for its one child as long as that takes to start.
    { ...options, languages: [asked.language], pool: { ...options.pool, warm: 0, children: 1, patience: 600_000 } },
    {
      clock: terminal.clock,
      log: openLogger('warn'),
      // A command leaves nothing behind where no house is.
      snapshots: existsSync(data) ? resolve(data, 'sandbox') : false,
      startMs: 120_000,
    },
  )
  try {
    const lines = new Lines(terminal)
    const outcome = await sandbox.run('command', asked, json ? undefined : (output) => lines.take(output))
    lines.end()
    if ('code' in outcome) {
      if (outcome.code === 'body-invalid') throw new Usage(refusalText(outcome))
      throw new Fault(outcome.code, outcome.detail)
    }
    if (json) terminal.out(JSON.stringify(answerOf(outcome), undefined, 2))
    else if (outcome.error !== undefined) terminal.err(errorText(outcome.error))
    else terminal.out(JSON.stringify(outcome.result))
    return outcome.error === undefined
  } finally {
    await sandbox.close()
  }
}

/** What is printed, line by line, as it comes. */
class Lines {
  readonly #terminal: Terminal
  #begun = ''

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  take(output: string): void {
    const lines = `${this.#begun}${output}`.split('\n')
    this.#begun = lines.pop() ?? ''
    for (const line of lines) this.#terminal.out(oneLine(line))
  }

  end(): void {
    if (this.#begun !== '') this.take('\n')
  }
}

function errorText({ type, message, line, trace = [] }: RunError): string {
  const where = line === undefined || message.endsWith(` line ${line}`) ? '' : ` (line ${line})`
  const way = trace.map((step) => `\n  line ${step.line}, in ${oneLine(step.in)}`).join('')
  return `${type === undefined ? '' : `${oneLine(type)}: `}${oneLine(message)}${where}${way}`
}

async function showWalls(terminal: Terminal, json: boolean): Promise<boolean> {
  const { states } = await surveyWalls()
  if (json) terminal.out(JSON.stringify(states, undefined, 2))
  else
    for (const { wall, stands, by } of states)
      terminal.out(`${stands ? 'stands ' : 'missing'}  ${wall.padEnd(12)}  ${by}`)
  return states.every(({ wall, stands }) => stands || !essentialWalls.includes(wall))
}

function languageOf(said: string | undefined, file: string): Language {
  const byName = said ?? byEnding[extname(file)]
  const language = languages.find((one) => one === byName)
  if (language !== undefined) return language
  throw new Usage(
    said === undefined
      ? `the language of \`${file}\` cannot be told; say --language ${languages.join(' or ')}`
      : `--language: expected ${languages.join(' or ')}, got \`${said}\``,
  )
}

const byEnding: Readonly<Record<string, Language>> = { '.py': 'python', '.js': 'javascript', '.mjs': 'javascript' }

function inputOf(text: string | undefined, file: string | undefined): unknown {
  if (text !== undefined && file !== undefined) throw new Usage('--input and --input-file: expected one of them')
  const given = text ?? (file === undefined ? undefined : readFile(file))
  if (given === undefined) return undefined
  try {
    return JSON.parse(given)
  } catch (error) {
    throw new Usage(`${text === undefined ? '--input-file' : '--input'}: expected JSON: ${(error as Error).message}`)
  }
}

function mebibytes(text: string): number {
  return readAs('memory', text, sizeBytes, 'a size such as `512mb`') / 1024 ** 2
}

function readAs(name: string, text: string, read: (text: string) => number | undefined, expected: string): number {
  const value = read(text)
  if (value === undefined) throw new Usage(`--${name}: expected ${expected}, got \`${text}\``)
  return value
}

function readFile(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (error) {
    throw new Usage(`cannot read \`${path}\`: ${(error as Error).message}`)
  }
}

/** Whoever sits at the machine may ask for all that a configuration could allow, where none says otherwise. */
async function optionsOf(config: string | undefined, terminal: Terminal): Promise<SandboxOptions> {
  const path = findConfig(config)
  if (path === undefined) return sandboxOptions.parse({ most: { time: '10m', memory: '4gb' } })
  return settled(await loadConfig(path, terminal.environment), path).sandbox
}
