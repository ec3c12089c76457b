import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import type { ChildTask } from '../inside/protocol.ts'
import type { SandboxOptions } from '../options.ts'
import type { Language } from '../run.ts'
import type { Exposed, WalledCommand } from '../walls/wall.ts'
import type { Walls } from '../walls/walls.ts'
import { Child } from './child.ts'
import { nativePartOf } from './native-part.ts'
import { outputOf } from './output-of.ts'
import { Snapshots } from './snapshots.ts'

export interface StarterPremises {
  readonly clock: Clock
  readonly log: Log
  /** Where snapshots outlive the house; `false` where none is worth making. */
  readonly snapshots: string | undefined | false
  readonly walls: Walls
  readonly startMs?: number | undefined
}

/** Begins children: what each language needs to see, which options its Node has, and what it is told first. */
export class Starter {
  readonly #options: SandboxOptions
  readonly #premises: StarterPremises
  readonly #snapshots: Snapshots
  readonly #closing = new AbortController()
  /** Python that did not start from its snapshot, in a row. */
  #fails = 0

  constructor(options: SandboxOptions, premises: StarterPremises) {
    this.#options = options
    this.#premises = premises
    this.#snapshots = new Snapshots({
      folder: premises.snapshots === false ? undefined : premises.snapshots,
      key: snapshotKey(options),
      make: () => this.#makeSnapshot(),
      clock: premises.clock,
      log: premises.log,
    })
  }

  /** One that has not started yet. */
  async start(language: Language): Promise<Child> {
    // Whatever is the matter with the snapshot: without one it starts too.
    const isWanted = language === 'python' && this.#premises.snapshots !== false && this.#fails < 2
    const snapshot = isWanted ? await this.#snapshots.get() : undefined
    this.#closing.signal.throwIfAborted()
    const { clock, log, startMs } = this.#premises
    const child = new Child(this.#recipe(language, snapshot), { clock, log, ...(startMs !== undefined && { startMs }) })
    if (snapshot !== undefined)
      void child.started.then((failure) => {
        this.#fails = failure === undefined ? 0 : this.#fails + 1
        if (failure !== undefined) this.#snapshots.distrust()
      })
    return child
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#snapshots.close()
  }

  #recipe(language: Language, snapshot: string | undefined): WalledCommand & { readonly task: ChildTask } {
    const interpreter = interpreterOf(language)
    const exposed = [...ours, interpreter]
    let task: ChildTask = { language, imports: this.#importsOf(language), interpreter: this.#at(interpreter) }
    if (snapshot !== undefined) {
      const image: Exposed = { outside: snapshot, inside: '/app/snapshot' }
      exposed.push(image)
      task = { ...task, snapshot: this.#at(image) }
    }
    return { ...this.#walled(language, 'supervisor', exposed), task }
  }

  #makeSnapshot(): Promise<Uint8Array> {
    const interpreter = interpreterOf('python')
    const task: ChildTask = {
      language: 'python',
      imports: this.#importsOf('python'),
      interpreter: this.#at(interpreter),
    }
    return outputOf(this.#walled('python', 'snapshot-maker', [...ours, interpreter]), JSON.stringify(task), {
      bytesMax: 512 * 1024 ** 2,
      timeMs: 120_000,
      signal: this.#closing.signal,
    })
  }

  #walled(language: Language, program: keyof typeof programs, exposed: readonly Exposed[]): WalledCommand {
    const { walls } = this.#premises
    // A folder is everything in it only where its name ends in a slash.
    const readable = exposed.flatMap((one) => [this.#at(one), `${this.#at(one)}/*`])
    const options = [
      '--permission',
      ...[...new Set(readable)].map((path) => `--allow-fs-read=${path}`),
      ...nodeOptions[language],
      '--disallow-code-generation-from-strings',
      '--no-warnings',
    ]
    const main = join(this.#at(inside), basename(programs[program].pathname))
    return walls.around([walls.node, ...options, main], exposed, this.#cpuSeconds())
  }

  /** Processor time of a whole life: each run may keep two cores busy, compiler and garbage collector included. */
  #cpuSeconds(): number {
    const { limits, most, pool } = this.#options
    return 60 + Math.ceil((((most.time ?? limits.time) + 1000) / 1000) * 2 * pool.runsPerChild)
  }

  #importsOf(language: Language): readonly string[] {
    return language === 'python' ? this.#options.python.imports : []
  }

  #at(exposed: Exposed): string {
    return this.#premises.walls.at(exposed)
  }
}

const nodeOptions: Readonly<Record<Language, readonly string[]>> = {
  python: ['--allow-worker', '--max-old-space-size=512'],
  javascript: ['--allow-addons', '--max-old-space-size=256'],
}

const isSource = import.meta.url.endsWith('.ts')
const programs = {
  supervisor: new URL(isSource ? '../inside/supervisor.ts' : '../inside/supervisor.js', import.meta.url),
  'snapshot-maker': new URL(isSource ? '../inside/snapshot-maker.ts' : '../inside/snapshot-maker.js', import.meta.url),
}
const inside: Exposed = { outside: dirname(fileURLToPath(programs.supervisor)), inside: '/app/inside' }
/** Says that our files are modules: Node would read each of them twice to find out. */
const manifest: Exposed = {
  outside: fileURLToPath(new URL('../../../package.json', import.meta.url)),
  inside: '/app/package.json',
}
const ours = [inside, manifest]

const found: { [language in Language]?: Exposed } = {}

/** Looked for once: to ask which C library there is takes the process longer than to start a child. */
function interpreterOf(language: Language): Exposed {
  found[language] ??=
    language === 'python'
      ? { outside: pyodideFolder(), inside: '/app/pyodide' }
      : { outside: nativePartOf(), inside: '/app/isolated-vm.node' }
  return found[language]
}

function pyodideFolder(): string {
  return dirname(fileURLToPath(import.meta.resolve('pyodide')))
}

/** Another one for everything that a snapshot depends on. */
function snapshotKey(options: SandboxOptions): string {
  const hash = createHash('sha256')
  const manifest = readFileSync(join(pyodideFolder(), 'package.json'), 'utf8')
  const { version } = JSON.parse(manifest) as { version: string }
  hash.update(JSON.stringify([version, process.version, process.arch, process.platform, options.python.imports]))
  for (const name of readdirSync(inside.outside).sort())
    hash.update(`${name}\n`).update(readFileSync(join(inside.outside, name)))
  return hash.digest('hex').slice(0, 32)
}
