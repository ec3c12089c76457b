#!/usr/bin/env node
import type { Command, Terminal } from './cli/command.ts'
import { Usage } from './cli/command.ts'
import { systemClock } from './kernel/clock.ts'
import { Fault } from './kernel/error.ts'
import { systemRandom } from './kernel/id.ts'

/** One line a command: `gatehouse help` prints this table. */
const commands: Readonly<
  Record<string, { readonly summary: string; readonly load: () => Promise<{ readonly command: Command }> }>
> = {
  start: { summary: 'open the gate', load: () => import('./cli/start.ts') },
  check: { summary: 'parse and cross-check the configuration', load: () => import('./cli/check.ts') },
  user: { summary: 'create, list, grant, withdraw, lock, unlock, reset', load: () => import('./cli/user.ts') },
  role: { summary: 'create, list, show, change, remove', load: () => import('./cli/role.ts') },
  token: { summary: 'take back tokens and sessions', load: () => import('./cli/token.ts') },
  client: {
    summary: 'create, list, show, disable, enable, remove; add and remove secrets',
    load: () => import('./cli/client.ts'),
  },
  service: {
    summary: 'create, list, show, change, rotate, disable, enable, remove; print a token',
    load: () => import('./cli/service.ts'),
  },
  key: { summary: 'create, list, show, rotate, revoke API keys', load: () => import('./cli/key.ts') },
  policy: {
    summary: 'check, explain, test, replay on paper; list, show, put, try, adopt, remove',
    load: () => import('./cli/policy.ts'),
  },
  incident: {
    summary: 'list, show, open, acknowledge … resolve; run playbooks; emergency',
    load: () => import('./cli/incident.ts'),
  },
  address: { summary: 'block, list, lift addresses and networks', load: () => import('./cli/address.ts') },
  secrets: { summary: 'list, rotate, remove signing keys', load: () => import('./cli/secrets.ts') },
  certs: { summary: 'make certificates to try TLS with', load: () => import('./cli/certs.ts') },
  breach: { summary: 'build a list of breached passwords, or look one up', load: () => import('./cli/breach.ts') },
  doctor: { summary: 'answer every line of the checklists', load: () => import('./cli/doctor.ts') },
  review: { summary: 'weekly, monthly: what happened, against before', load: () => import('./cli/review.ts') },
  audit: { summary: 'verify, search, count, export, prove, checkpoint; sinks', load: () => import('./cli/audit.ts') },
  inspect: {
    summary: 'say what would be found in a text or a request; weigh the record by other thresholds',
    load: () => import('./cli/inspect.ts'),
  },
  sandbox: {
    summary: 'run code where it reaches nothing; say which walls stand',
    load: () => import('./cli/sandbox.ts'),
  },
  detect: {
    summary: 'list the rules of detection, or run them over the record',
    load: () => import('./cli/detect.ts'),
  },
}

/** The exit codes that every command keeps. */
const exits = { done: 0, no: 1, usage: 2, missing: 3 } as const

const terminal: Terminal = {
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  isTerminal: process.stdout.isTTY === true,
  environment: process.env,
  clock: systemClock,
  random: systemRandom,
}

// `gatehouse detect rules | head` has had enough before the command has: no fault of either, and no reason for a house to end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

const [name = 'start', ...rest] = process.argv.slice(2)
// `npm start -- --port 9000` names no command: it means the one that most people want.
process.exitCode =
  name.startsWith('-') && name !== '--help' && name !== '-h' && name !== '--version'
    ? await run('start', [name, ...rest])
    : await run(name, rest)

async function run(command: string, args: readonly string[]): Promise<number> {
  if (command === 'help' || command === '--help' || command === '-h') {
    terminal.out(help())
    return exits.done
  }
  if (command === 'version' || command === '--version') {
    const { version } = await import('./cli/version.ts')
    terminal.out(version())
    return exits.done
  }
  const entry = commands[command]
  if (entry === undefined) {
    terminal.err(`unknown command \`${command}\`\n\n${help()}`)
    return exits.usage
  }
  try {
    const { command: act } = await entry.load()
    return (await act(args, terminal)) ? exits.done : exits.no
  } catch (error) {
    if (error instanceof Usage) {
      terminal.err(error.message)
      return exits.usage
    }
    if (error instanceof Fault) {
      terminal.err(error.message)
      return exits.missing
    }
    throw error
  }
}

function help(): string {
  const lines = Object.entries(commands).map(([command, { summary }]) => `  ${command.padEnd(8)} ${summary}`)
  return ['usage: gatehouse COMMAND [OPTIONS]', '', ...lines, '', '`gatehouse COMMAND --help` tells the rest.'].join(
    '\n',
  )
}
