import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { systemClock } from '../../src/kernel/clock.ts'
import { silent } from '../../src/kernel/log.ts'
import { processTree, residentBytes } from '../../src/sandbox/children/memory.ts'
import { sandboxOptions } from '../../src/sandbox/options.ts'
import type { Language } from '../../src/sandbox/run.ts'
import { openSandbox } from '../../src/sandbox/sandbox.ts'
import { programAt } from '../machine.ts'

/** A way to run code of strangers. */
export interface Contestant {
  readonly name: string
  readonly title: string
  readonly language: Language
  /** What it is compared with: what one would do otherwise in the same language, with nothing around it. */
  readonly isBaseline?: true
  open(): Promise<Opened>
}

export interface Opened {
  /** Runs it for somebody, and answers the result. */
  run(tenant: string): Promise<unknown>
  /** What one child holds in memory, in bytes. */
  memory(): Promise<number | undefined>
  close(): Promise<void>
}

/** The same little program for all: what a widget does. */
export const programs: Readonly<Record<Language, string>> = {
  python:
    'import json, statistics\nrows = [{"n": n, "square": n * n} for n in range(1000)]\nresult = statistics.mean(row["square"] for row in rows)',
  javascript:
    'const rows = Array.from({ length: 1000 }, (_, n) => ({ n, square: n * n }))\nconst result = rows.reduce((sum, row) => sum + row.square, 0) / rows.length\nresult',
}
export const expected = 332_833.5

export function contestants(snapshots: string): readonly Contestant[] {
  return [
    gatehouse('python', 'warm', 'Gatehouse, a tenant who comes again', snapshots),
    gatehouse('python', 'fresh', 'Gatehouse, every run in a child of its own', snapshots),
    {
      name: 'pyodide',
      title: 'pyodide in a new process for each run, no walls',
      language: 'python',
      isBaseline: true,
      open: () => perProcess([process.execPath, '--input-type=module', '-e', pyodideText]),
    },
    {
      name: 'python3',
      title: 'python3 -I behind bubblewrap, a new process for each run',
      language: 'python',
      open: () => perProcess([needed('bwrap'), ...bubblewrapArgs, systemPython(), '-I', '-c', python3Text]),
    },
    gatehouse('javascript', 'warm', 'Gatehouse, a tenant who comes again', snapshots),
    gatehouse('javascript', 'fresh', 'Gatehouse, every run in a child of its own', snapshots),
    {
      name: 'node-vm',
      title: 'node:vm in a new process for each run, no walls',
      language: 'javascript',
      isBaseline: true,
      open: () => perProcess([process.execPath, '-e', vmText]),
    },
    { name: 'isolated-vm', title: 'isolated-vm in the server’s own process', language: 'javascript', open: inProcess },
  ]
}

/** `warm`: runs of one tenant meet a child that has run before. `fresh`: no child runs twice. */
function gatehouse(language: Language, way: 'warm' | 'fresh', title: string, snapshots: string): Contestant {
  return {
    name: `gatehouse-${language}-${way}`,
    title,
    language,
    async open() {
      const options = sandboxOptions.parse({
        languages: [language],
        limits: { time: '60s' },
        pool: {
          warm: way === 'warm' ? 1 : 4,
          children: 11, // with one tenant’s share of them, 8 and a few that start
          patience: '5m',
          runsPerChild: way === 'warm' ? 10_000 : 1,
        },
      })
      const sandbox = await openSandbox(options, { clock: systemClock, log: silent, snapshots, startMs: 60_000 })
      if (sandbox.closedBecause !== undefined) throw new Error(sandbox.closedBecause)
      return {
        async run(tenant) {
          const answer = await sandbox.run(tenant, { language, code: programs[language] })
          if ('detail' in answer) throw new Error(`${answer.code}: ${answer.detail}`)
          return answer.error === undefined ? answer.result : answer.error
        },
        async memory() {
          if (way === 'fresh') return undefined // most of them start or end
          const [, ...children] = await processTree(process.pid)
          const { children: count } = sandbox.census()
          const bytes = await residentBytes(children)
          return bytes === undefined || count === 0 ? undefined : bytes / count
        },
        close: () => sandbox.close(),
      }
    },
  }
}

async function perProcess([program, ...args]: readonly string[]): Promise<Opened> {
  return {
    run: () => outputOf(program as string, args),
    memory: () => Promise.resolve(undefined),
    close: () => Promise.resolve(),
  }
}

function outputOf(program: string, args: readonly string[]): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let [said, complaint] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  child.once('error', reject)
  child.once('close', (code) => (code === 0 ? resolve(JSON.parse(said)) : reject(new Error(complaint.slice(0, 300)))))
  return promise
}

/** A fresh isolate for each run, as its own documentation advises. */
async function inProcess(): Promise<Opened> {
  const { default: ivm } = await import('isolated-vm')
  return {
    async run() {
      const isolate = new ivm.Isolate({ memoryLimit: 128 })
      try {
        const context = await isolate.createContext()
        return await context.eval(programs.javascript, { timeout: 5000, copy: true })
      } finally {
        isolate.dispose()
      }
    },
    memory: () => Promise.resolve(undefined),
    close: () => Promise.resolve(),
  }
}

function needed(name: string): string {
  const path = programAt(name)
  if (path === undefined) throw new Error(`\`${name}\` is not installed here`)
  return path
}

/** That of the system: others lie where nothing inside can see them. */
function systemPython(): string {
  if (!existsSync('/usr/bin/python3')) throw new Error('`/usr/bin/python3` is not installed here')
  return '/usr/bin/python3'
}

const bubblewrapArgs = [
  ...['--unshare-all', '--die-with-parent', '--new-session', '--ro-bind', '/usr', '/usr'],
  ...['--symlink', 'usr/lib', '/lib', '--symlink', 'usr/lib64', '/lib64', '--symlink', 'usr/bin', '/bin'],
]
const python3Text = `${programs.python}\nprint(json.dumps(result))`
const pyodideText = `
import { loadPyodide } from ${JSON.stringify(import.meta.resolve('pyodide'))}
const python = await loadPyodide()
console.log(JSON.stringify(python.runPython(${JSON.stringify(`${programs.python}\nresult`)})))`
const vmText = `console.log(JSON.stringify(require('node:vm').runInNewContext(${JSON.stringify(programs.javascript)}, {}, { timeout: 5000 })))`
