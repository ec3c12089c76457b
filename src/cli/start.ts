import { watch } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { parseConfig } from '../config/parse.ts'
import type { Environment, Settings } from '../config/settings.ts'
import { type Listener, listen } from '../endpoints/listener.ts'
import { type House, openHouse } from '../house.ts'
import { openLogger } from '../kernel/logger.ts'
import { type Command, readArgs, type Terminal, Usage } from './command.ts'
import { startDemo } from './demo.ts'
import { firstAdministrator } from './first-administrator.ts'
import { findConfig, loadConfig, settled } from './load.ts'
import { demoConfig, upstreamConfig } from './quickstart.ts'
import { version } from './version.ts'
import { welcome } from './welcome.ts'

const usage = `usage: gatehouse start [--config FILE | --upstream URL] [--port N] [--host H] [--data DIR]

  --config FILE    gatehouse.config.ts, .js, .json or .yaml; the one in this folder where it is left out
  --upstream URL   stand before this API, open to whoever has signed in; no configuration needed
  --port N         8080 where nothing else is said
  --host H         127.0.0.1 where nothing else is said
  --data DIR       store and secrets; ./data where nothing else is said`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    {
      config: { type: 'string' },
      upstream: { type: 'string' },
      port: { type: 'string' },
      host: { type: 'string' },
      data: { type: 'string', default: './data' },
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

  const plan = await choosePlan(values.config, values.upstream, terminal.environment)
  const settings = withListen(plan.settings, values.port, values.host)
  const log = openLogger(settings.log.level)
  const house = await openHouse(settings, {
    clock: terminal.clock,
    random: terminal.random,
    log,
    environment: terminal.environment,
    dataDir: resolve(values.data),
    version: version(),
    role: 'gate',
  })
  let listener: Listener
  let stopWatching = (): void => {}
  try {
    const admin = await firstAdministrator(house, terminal)
    listener = await listen(house.gate, settings.listen, { ...terminal, log })
    if (listener.protocol === 'https') followTls(listener, terminal)
    if (plan.file !== undefined) stopWatching = followFile(plan.file, house, terminal, values)
    else process.on('SIGHUP', () => terminal.err('there is no configuration file to read again'))
    welcome(terminal, {
      listener,
      admin,
      upstreams: settings.upstreams,
      demo: plan.demo !== undefined,
      firstPath: plan.firstPath,
      dataDir: values.data,
      warnings: house.warnings,
    })
  } catch (error) {
    await house.close()
    throw error
  }
  await untilAsked()
  stopWatching()
  terminal.err('closing: no new requests; those on their way have time to end')
  await listener.close(settings.listen.drain)
  await house.close()
  plan.demo?.close()
  return true
}

interface Plan {
  readonly settings: Settings
  readonly file: string | undefined
  readonly demo: { close(): void } | undefined
  /** A path that the first three lines can try. */
  readonly firstPath: string
}

async function choosePlan(
  named: string | undefined,
  upstream: string | undefined,
  environment: Environment,
): Promise<Plan> {
  if (upstream !== undefined) {
    return {
      settings: settled(parseConfig(upstreamConfig(upstream), environment), '--upstream'),
      file: undefined,
      demo: undefined,
      firstPath: '/',
    }
  }
  const file = findConfig(named)
  if (file !== undefined) {
    const settings = served(settled(await loadConfig(file, environment), file), file)
    const first = settings.routes.find(
      (route) => route.access !== 'public' && !route.path.includes('*') && !route.path.includes(':'),
    )
    return { settings, file, demo: undefined, firstPath: first?.path ?? '/' }
  }
  const demo = await startDemo()
  return {
    settings: settled(parseConfig(demoConfig(demo.url), environment), 'the quick start'),
    file: undefined,
    demo,
    firstPath: '/api/hello',
  }
}

/** A route without an upstream waits for the host of an embedded house. Here is none: it would lead nowhere. */
function served(settings: Settings, from: string): Settings {
  const mistakes = settings.routes.flatMap(({ to }, index) =>
    to === undefined
      ? [{ path: `routes[${index}].to`, message: 'expected an upstream: only an embedded house does without' }]
      : [],
  )
  return mistakes.length === 0 ? settings : settled({ mistakes }, from)
}

function withListen(settings: Settings, port: string | undefined, host: string | undefined): Settings {
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) <= 65_535))
    throw new Usage(`--port: expected a number from 0 to 65535, got \`${port}\``)
  return {
    ...settings,
    listen: {
      ...settings.listen,
      ...(port === undefined ? {} : { port: Number(port) }),
      ...(host === undefined ? {} : { host }),
    },
  }
}

/** Reloads when the file changes or on SIGHUP: the new configuration whole, or the old one still. */
function followFile(
  file: string,
  house: House,
  terminal: Terminal,
  values: { readonly port?: string | undefined; readonly host?: string | undefined },
): () => void {
  const reload = async (): Promise<void> => {
    try {
      const next = served(settled(await loadConfig(file, terminal.environment), 'it'), 'it')
      await house.reload(withListen(next, values.port, values.host))
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
function followTls(listener: Listener, terminal: Terminal): void {
  process.on('SIGHUP', () => {
    listener.reloadTls().then(
      () => terminal.err('read the files of `listen.tls` again'),
      (error: Error) =>
        terminal.err(`the files of \`listen.tls\` were not taken over, and the old ones stay: ${error.message}`),
    )
  })
}

function untilAsked(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve())
    process.once('SIGINT', () => resolve())
  })
}
