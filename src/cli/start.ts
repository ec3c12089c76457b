import { watch } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { connectionGauges } from '../endpoints/connections.ts'
import { type Listener, listen } from '../endpoints/listener.ts'
import { type House, openHouse } from '../house.ts'
import { openLogger } from '../kernel/logger.ts'
import { openMemory } from '../memory.ts'
import { type Command, readArgs, type Terminal, Usage } from './command.ts'
import { startDemo } from './demo.ts'
import { firstAdministrator } from './first-administrator.ts'
import { findConfig, readConfig } from './load.ts'
import { demoConfig, upstreamConfig } from './quickstart.ts'
import { crowdOf, placeOf, startable, type Where } from './startable.ts'
import { mustBeFree, openThreads, type Threads, threadsOf } from './threads.ts'
import { version } from './version.ts'
import { welcome } from './welcome.ts'

const usage = `usage: gatehouse start [--config FILE | --upstream URL] [--port N] [--host H] [--data DIR]
                       [--threads N]

  --config FILE    gatehouse.config.ts, .js, .json or .yaml; the one in this folder where it is left out
  --upstream URL   stand before this API, open to whoever has signed in; no configuration needed
  --port N         8080 where nothing else is said
  --host H         127.0.0.1 where nothing else is said
  --data DIR       store and secrets; ./data where nothing else is said
  --threads N      how many threads listen on the port; \`auto\` for one per core, 1 where nothing else is said`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    {
      config: { type: 'string' },
      upstream: { type: 'string' },
      port: { type: 'string' },
      host: { type: 'string' },
      data: { type: 'string', default: './data' },
      threads: { type: 'string' },
      help: { type: 'boolean' },
    },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  if (positionals.length > 0) throw new Usage(`unexpected \`${positionals[0]}\`\n\n${usage}`)
  if (values.config !== undefined && values.upstream !== undefined)
    throw new Usage('give --config or --upstream, not both')

  const plan = await choosePlan(values.config, values.upstream)
  const where = whereOf(values.port, values.host)
  const settings = startable(plan.raw, terminal.environment, where, plan.name)
  const of = threadsOf(values.threads, settings)
  if (of > 1) await mustBeFree(settings.listen)
  const { clock, random, environment } = terminal
  const log = openLogger(settings.log.level, undefined, of > 1 ? { thread: 1 } : undefined)
  const shared = { environment, dataDir: resolve(values.data), version: version(), memory: openMemory(random) }
  const thread = { number: 1, of, audit: undefined }
  const house = await openHouse(settings, { ...shared, clock, random, log, role: 'gate', thread })
  let threads: Threads | undefined
  let listener: Listener | undefined
  let stopWatching = (): void => {}
  const asked = untilAsked() // from now on: whoever asks before anything is printed is heard too
  try {
    const admin = await firstAdministrator(house, terminal)
    if (of > 1) threads = await openThreads({ house, raw: plan.raw, start: { ...shared, of, where }, log })
    const crowd = of > 1 ? { crowd: crowdOf(settings.listen, shared.memory) } : {}
    listener = await listen(house.gate, placeOf(settings.listen, of), { ...terminal, log, ...crowd })
    house.meters.watch(connectionGauges(listener.counts))
    await threads?.listen(listener)
    if (listener.protocol === 'https') followTls(listener, threads, terminal)
    if (plan.file !== undefined) stopWatching = followFile(plan.file, { house, threads, where }, terminal)
    else process.on('SIGHUP', () => terminal.err('there is no configuration file to read again'))
    welcome(terminal, {
      listener,
      threads: of,
      admin,
      settings,
      demo: plan.demo !== undefined,
      firstPath: firstPathOf(settings),
      dataDir: values.data,
      warnings: house.warnings,
    })
  } catch (error) {
    await Promise.all([threads?.close(), listener?.close(0)])
    await house.close()
    throw error
  }
  const lost = await Promise.race([asked, ...(threads === undefined ? [] : [threads.lost])])
  if (lost !== undefined) terminal.err(`${lost}; without it nothing is whole, and the others end too`)
  stopWatching()
  terminal.err('closing: no new requests; those on their way have time to end')
  await Promise.all([threads?.close(), listener.close(settings.listen.drain)])
  await house.close() // last: it writes what the threads remember
  plan.demo?.close()
  return lost === undefined
}

interface Plan {
  /** The configuration as it was written. */
  readonly raw: unknown
  /** Where from, for whoever has made a mistake. */
  readonly name: string
  readonly file: string | undefined
  readonly demo: { close(): void } | undefined
}

async function choosePlan(named: string | undefined, upstream: string | undefined): Promise<Plan> {
  if (upstream !== undefined)
    return { raw: upstreamConfig(upstream), name: '--upstream', file: undefined, demo: undefined }
  const file = findConfig(named)
  if (file !== undefined) return { raw: await readConfig(file), name: file, file, demo: undefined }
  const demo = await startDemo()
  return { raw: demoConfig(demo.url), name: 'the quick start', file: undefined, demo }
}

/** A path that the first three lines can try. */
function firstPathOf({ routes }: House['settings']): string {
  const plain = routes.filter(({ path, access }) => access !== 'public' && !path.includes('*') && !path.includes(':'))
  return plain[0]?.path ?? '/'
}

function whereOf(port: string | undefined, host: string | undefined): Where {
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) <= 65_535))
    throw new Usage(`--port: expected a number from 0 to 65535, got \`${port}\``)
  return { ...(port === undefined ? {} : { port: Number(port) }), ...(host === undefined ? {} : { host }) }
}

/** Reloads when the file changes or on SIGHUP: the new configuration whole, or the old one still. */
function followFile(
  file: string,
  { house, threads, where }: { readonly house: House; readonly threads: Threads | undefined; readonly where: Where },
  terminal: Terminal,
): () => void {
  const reload = async (): Promise<void> => {
    try {
      const raw = await readConfig(file)
      const next = startable(raw, terminal.environment, where, 'it')
      await (threads === undefined ? house.reload(next) : threads.takeOver(next, raw))
      terminal.err(`reloaded ${file}`)
    } catch (error) {
      terminal.err(`${file} was not taken over, and the old configuration stays: ${(error as Error).message}`)
    }
  }
  let pending: NodeJS.Timeout | undefined
  const soon = (): void => {
    clearTimeout(pending)
    pending = setTimeout(() => void reload(), 100) // editors write in several steps
  }
  // The folder is watched, not the file: editors put a new file in the place of the old one.
  const watcher = watch(dirname(file), (_event, name) => {
    if (name === basename(file)) soon()
  })
  process.on('SIGHUP', soon)
  return () => {
    clearTimeout(pending)
    watcher.close()
    process.off('SIGHUP', soon)
  }
}

/** On SIGHUP the files of `listen.tls` are read too, at once and aloud; a change of theirs is noticed without it. */
function followTls(listener: Listener, threads: Threads | undefined, terminal: Terminal): void {
  process.on('SIGHUP', () => {
    Promise.all([listener.reloadTls(), threads?.readTls()]).then(
      () => terminal.err('read the files of `listen.tls` again'),
      (error: Error) =>
        terminal.err(`the files of \`listen.tls\` were not taken over, and the old ones stay: ${error.message}`),
    )
  })
}

function untilAsked(): Promise<undefined> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve(undefined))
    process.once('SIGINT', () => resolve(undefined))
  })
}
