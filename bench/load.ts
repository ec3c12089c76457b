import { join } from 'node:path'
import { startChild } from './child.ts'
import { programAt, versionOf } from './machine.ts'

/** Connections that are kept open and busy. */
export const connections = 64

export interface Outcome {
  readonly requests: number
  readonly perSecond: number
  /** Answers other than 2xx, and connections that failed. */
  readonly failures: number
}

/** Keeps all connections busy against `url` for some seconds. */
export type Load = (url: string, token: string, seconds: number) => Promise<Outcome>

export interface Generator {
  readonly text: string
  readonly needsPackages: boolean
  readonly load: Load
}

/** wrk where it is installed; else autocannon, which takes more of its core for the same number of requests. */
export function generatorOn(core: number | undefined): Generator {
  const wrk = programAt('wrk')
  if (wrk !== undefined)
    return {
      text: `wrk ${versionOf(wrk, '--version')}`,
      needsPackages: false,
      load: (...request) => byWrk(wrk, core, ...request),
    }
  return { text: 'autocannon', needsPackages: true, load: (...request) => byAutocannon(core, ...request) }
}

async function byWrk(
  wrk: string,
  core: number | undefined,
  url: string,
  token: string,
  seconds: number,
): Promise<Outcome> {
  const text = await outputOf(
    'wrk',
    [wrk, '-t1', `-c${connections}`, `-d${seconds}s`, '-H', `Authorization: Bearer ${token}`, url],
    core,
  )
  const requests = numberIn(text, /(\d+) requests in/)
  const perSecond = numberIn(text, /Requests\/sec:\s*([\d.]+)/)
  if (requests === undefined || perSecond === undefined) throw new Error(`wrk: expected a summary, got:\n${text}`)
  const [, connect = 0, read = 0, write = 0, timeout = 0] = (
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text) ?? []
  ).map(Number)
  return {
    requests,
    perSecond,
    failures: (numberIn(text, /Non-2xx or 3xx responses: (\d+)/) ?? 0) + connect + read + write + timeout,
  }
}

async function byAutocannon(core: number | undefined, url: string, token: string, seconds: number): Promise<Outcome> {
  const script = join(import.meta.dirname, 'node_modules/autocannon/autocannon.js')
  const command = [
    process.execPath,
    script,
    '--json',
    '-c',
    String(connections),
    '-d',
    String(seconds),
    '-H',
    `Authorization=Bearer ${token}`,
    url,
  ]
  const text = await outputOf('autocannon', command, core)
  const { requests, non2xx, errors } = JSON.parse(text.slice(text.indexOf('{'))) as {
    requests: { total: number; average: number }
    non2xx: number
    errors: number
  }
  return { requests: requests.total, perSecond: requests.average, failures: non2xx + errors }
}

async function outputOf(name: string, command: readonly string[], core: number | undefined): Promise<string> {
  let text = ''
  const child = startChild(name, command, { core, onOutput: (more) => (text += more) })
  const code = await child.ended
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${child.said()}`)
  return text
}

function numberIn(text: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}
