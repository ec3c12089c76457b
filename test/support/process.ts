import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Agent, fetch as fetchByUndici } from 'undici'

const main = new URL('../../src/main.ts', import.meta.url).pathname
const root = new URL('../..', import.meta.url).pathname

export const administrator = { email: 'admin@example.com', password: 'correct horse battery staple' }

/** A gatehouse as an operator starts it: a process of its own, spoken to through its port. */
export interface Running {
  readonly url: string
  readonly port: number
  readonly child: ChildProcess
  readonly dataDir: string
  /** Everything that it has printed so far. */
  output(): string
  errors(): string
  /** Asks it to stop and answers its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Runs a command to its end. */
export async function command(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  cwd = root,
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = collect(child)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out: texts.out(), err: texts.err() }
}

export async function startProcess(
  context: TestContext,
  args: readonly string[],
  options: {
    readonly environment?: Readonly<Record<string, string>>
    readonly dataDir?: string
    readonly cwd?: string
  } = {},
): Promise<Running> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'gatehouse-'))
  const environment = {
    GATEHOUSE_ADMIN_EMAIL: administrator.email,
    GATEHOUSE_ADMIN_PASSWORD: administrator.password,
    ...options.environment,
  }
  const child = spawn(process.execPath, [main, 'start', '--port', '0', '--data', dataDir, ...args], {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = collect(child)
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    const ended = once(child, 'close')
    child.kill(signal)
    await ended
    return child.exitCode
  }
  context.after(() => stop('SIGKILL'))
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const found = /open at (https?:\/\/\S+)/.exec(texts.out())
      if (found?.[1] !== undefined) resolve(found[1])
    })
    child.on('close', (code) => reject(new Error(`it ended with ${code}: ${texts.out()}${texts.err()}`)))
  })
  return { url, port: Number(new URL(url).port), child, dataDir, output: texts.out, errors: texts.err, stop }
}

function collect(child: ChildProcess): { out(): string; err(): string } {
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()))
  return { out: () => out, err: () => err }
}

export function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(url, posting(body, headers))
}

function posting(body: unknown, headers: Readonly<Record<string, string>>): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  }
}

export interface TokensAnswer {
  readonly access_token: string
  readonly refresh_token: string
  readonly expires_in: number
  readonly user: { readonly id: string; readonly email: string; readonly name: string; readonly roles: string[] }
}

/** Signs in, from an address of its own: what one address may try is no matter of most tests. */
export async function signIn(
  url: string,
  { email, password }: { readonly email: string; readonly password: string } = administrator,
): Promise<TokensAnswer> {
  const response = await postElsewhere(`${url}/api/auth/login`, { email, password })
  if (response.status !== 200) throw new Error(`sign-in answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as TokensAnswer
}

/**
 * Fetches from another address of this machine: from one that nobody has come from yet, where none is named. What a proxy passes on
 * comes from where the proxy stands.
 */
export async function fetchElsewhere(
  request: string | Request,
  init: RequestInit = {},
  address = freshAddress(),
): Promise<Response> {
  if (new Headers(init.headers).has('x-forwarded-for')) return fetch(request, init)
  if (typeof request !== 'string') {
    const { url, method, headers } = request
    const body = await request.arrayBuffer()
    return fetchElsewhere(url, { method, headers, ...(body.byteLength > 0 && { body }) }, address)
  }
  const dispatcher = new Agent({ localAddress: address, pipelining: 0 }) // no connection outlives its answer
  return (await fetchByUndici(request, { ...(init as object), dispatcher })) as unknown as Response
}

export function postElsewhere(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  address?: string,
): Promise<Response> {
  return fetchElsewhere(url, posting(body, headers), address)
}

let addresses = 2

function freshAddress(): string {
  return `127.1.${addresses >> 8}.${addresses++ & 255}`
}
