// A child with Python, started by hand behind Node's permission model: the walls of the system stand in tests of their own.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ChildLine, ChildOutcome, ChildTask, RunQuestion } from '../../src/sandbox/inside/protocol.ts'
import { usualImports } from '../../src/sandbox/options.ts'
import type { RunError, RunFinding } from '../../src/sandbox/run.ts'
import { keptSnapshots } from './kept-snapshots.ts'

const inside = join(import.meta.dirname, '../../src/sandbox/inside')
const interpreter = realpathSync(dirname(fileURLToPath(import.meta.resolve('pyodide/package.json'))))

/** What came of a run, with its result as a value. */
export interface PythonOutcome extends Omit<ChildOutcome, 'error' | 'findings' | 'result'> {
  readonly value: unknown
  readonly error?: RunError
  readonly findings: readonly RunFinding[]
  /** What was told while it ran. */
  readonly heard: readonly string[]
}

export type Asked = Partial<Omit<RunQuestion, 'input'>> & { readonly input?: unknown }

export interface PythonChild {
  run(code: string, asked?: Asked): Promise<PythonOutcome>
  readonly process: ChildProcess
  end(): Promise<void>
}

const made = new Map<string, Promise<string>>()

/** An image for these imports: made once in a process, which takes seconds. */
export function snapshotFor(imports: readonly string[] = usualImports): Promise<string> {
  const key = imports.join(' ')
  const path = made.get(key) ?? makeSnapshot(imports, join(keptSnapshots, `image-${made.size}`))
  made.set(key, path)
  return path
}

async function makeSnapshot(imports: readonly string[], path: string): Promise<string> {
  const maker = start('snapshot-maker.ts', [])
  const parts: Buffer[] = []
  maker.stdout?.on('data', (part: Buffer) => parts.push(part))
  maker.stdin?.end(`${JSON.stringify({ language: 'python', imports, interpreter } satisfies ChildTask)}\n`)
  const [code] = await once(maker, 'close')
  assert.equal(code, 0, 'the maker of the snapshot ends well')
  writeFileSync(path, Buffer.concat(parts))
  return path
}

/** Starts a child for these imports. */
export async function startChild(
  snapshot: string | undefined,
  imports: readonly string[] = usualImports,
): Promise<PythonChild> {
  const child = start('supervisor.ts', snapshot === undefined ? [] : [snapshot])
  const { stdin, stdout } = child
  assert.ok(stdin && stdout)
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  const task: ChildTask = { language: 'python', imports, interpreter, ...(snapshot !== undefined && { snapshot }) }
  stdin.write(`${JSON.stringify(task)}\n`)
  assert.deepEqual(await next(), { ready: true })
  return {
    process: child,
    run: async (code, { input = null, ...asked } = {}) => {
      const limits = {
        timeMs: 20_000,
        memoryBytes: 1024 ** 3,
        outputBytes: 65_536,
        resultBytes: 1024 ** 2,
        live: false,
      }
      const question: RunQuestion = { ...limits, ...asked, code, input: JSON.stringify(input) }
      stdin.write(`${JSON.stringify(question)}\n`)
      const heard: string[] = []
      for (;;) {
        const line = await next()
        if ('output' in line) heard.push(line.output)
        if (!('done' in line)) continue
        const { result, error, findings, ...rest } = line.done
        return {
          ...rest,
          heard,
          value: JSON.parse(result),
          findings: findings as RunFinding[],
          ...(error !== undefined && { error: error as RunError }),
        }
      }
    },
    end: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const closed = once(child, 'close')
      stdin.end()
      await closed
    },
  }

  async function next(): Promise<ChildLine> {
    const { value, done } = await lines.next()
    assert.ok(done !== true, 'the child goes on')
    return JSON.parse(value)
  }
}

function start(program: string, readable: readonly string[]): ChildProcess {
  const allowed = [`${inside}/`, `${interpreter}/`, ...readable].map((path) => `--allow-fs-read=${path}`)
  return spawn(
    process.execPath,
    ['--permission', ...allowed, '--allow-worker', '--disallow-code-generation-from-strings', join(inside, program)],
    { stdio: ['pipe', 'pipe', 'inherit'], env: {} },
  )
}
