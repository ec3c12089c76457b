import { spawn } from 'node:child_process'

/** A process that this run started, and ends. */
export interface Child {
  readonly pid: number
  /** The last of what it said, for when it fails. */
  readonly said: () => string
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number | undefined>
  readonly hasEnded: () => boolean
  /** Asks it to end, and after five seconds ends it. */
  end(): Promise<void>
}

export interface ChildOptions {
  /** The one core that it may use, its threads and children included; anywhere where it is undefined. */
  readonly core: number | undefined
  readonly env?: Readonly<Record<string, string>>
  /** Hears its standard output. */
  readonly onOutput?: (text: string) => void
}

export function startChild(
  name: string,
  command: readonly string[],
  { core, env = {}, onOutput }: ChildOptions,
): Child {
  const [program, ...args] = core === undefined ? command : ['taskset', '-c', String(core), ...command]
  if (program === undefined) throw new Error(`expected a command for \`${name}\``)
  const started = spawn(program, args, {
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let over = false
  const hear = (text: string): void => void (said = (said + text).slice(-4_000))
  started.stdout.setEncoding('utf8').on('data', hear)
  started.stderr.setEncoding('utf8').on('data', hear)
  if (onOutput !== undefined) started.stdout.on('data', onOutput)
  const ended = new Promise<number | undefined>((resolve) => {
    const finish = (code?: number): void => {
      over = true
      alive.delete(kill)
      resolve(code)
    }
    started.once('error', (error) => {
      said += error.message
      finish()
    })
    started.once('close', (code) => finish(code ?? undefined))
  })
  const kill = (): void => void started.kill('SIGKILL')
  alive.add(kill)
  return {
    pid: started.pid ?? -1,
    said: () => said.trim(),
    ended,
    hasEnded: () => over,
    async end() {
      if (over) return
      started.kill('SIGTERM')
      const patience = setTimeout(kill, 5_000)
      await ended
      clearTimeout(patience)
    },
  }
}

const alive = new Set<() => void>()

/** Nothing outlives the run, however it ends. */
process.on('exit', () => {
  for (const kill of alive) kill()
})
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)
  process.on(signal, () => process.exit(code))

/** Waits until something answers HTTP at `url`, for 30 s at most. */
export async function untilItAnswers(name: string, url: string, child: Child): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.hasEnded()) throw new Error(`${name} ended before it answered:\n${child.said()}`)
    const answered = await fetch(url).then(
      async (answer) => {
        await answer.arrayBuffer()
        return true
      },
      () => false,
    )
    if (answered) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${name} did not answer within 30 s:\n${child.said()}`)
}
