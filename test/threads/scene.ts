// One process of several threads, spoken to by connections of which one knows who serves them.
import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Config } from '../../src/config/settings.ts'
import { eventually } from '../support/eventually.ts'
import { startUpstream } from '../support/house.ts'
import { administrator, type Running, startProcess } from '../support/process.ts'

export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly text: string
}

/** One connection, which one thread serves for as long as it lasts. */
export class Line {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #port: number

  constructor(port: number) {
    this.#port = port
  }

  ask(method: string, path: string, headers: Readonly<Record<string, string>> = {}, body?: unknown): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = body === undefined ? undefined : JSON.stringify(body)
      const fields = { ...(sent === undefined ? {} : { 'content-type': 'application/json' }), ...headers }
      const options = { agent: this.#agent, host: '127.0.0.1', port: this.#port, method, path, headers: fields }
      const asking = request(options, (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () => {
          const isJson = text.startsWith('{')
          resolve({ status: response.statusCode ?? 0, body: isJson ? JSON.parse(text) : {}, text })
        })
      })
      asking.on('error', reject)
      asking.end(sent)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

export interface Scene {
  readonly running: Running
  readonly file: string
  /** One to a thread, by its number from 1. */
  readonly lines: readonly Line[]
  line(): Line
  /** Writes a configuration over the one that holds. */
  configure(config: Config): void
}

export const many = { limit: 1_000_000, window: '1h' }

/** Nobody is turned away for how often they come, but where a test is about that. */
export const unhurried = { authentication: many, general: many, strangers: { ...many, by: 'ip' }, health: many }

export async function threadScene(
  context: TestContext,
  threads: number,
  config: (upstream: string) => Config,
  environment: Readonly<Record<string, string>> = {},
): Promise<Scene> {
  const upstream = await startUpstream(context, (_request, response) => response.end('ok'))
  const file = join(mkdtempSync(join(tmpdir(), 'gatehouse-')), 'gatehouse.config.json')
  const configure = (written: Config): void => writeFileSync(file, JSON.stringify(written))
  configure(config(upstream.url))
  const running = await startProcess(context, ['--config', file, '--threads', String(threads)], { environment })
  const open: Line[] = []
  context.after(() => {
    for (const line of open) line.close()
  })
  const line = (): Line => {
    const one = new Line(running.port)
    open.push(one)
    return one
  }
  return { running, file, configure, line, lines: await onePerThread(running, threads, line) }
}

/** A stranger is refused, and the log line of that names the thread. */
async function onePerThread(running: Running, threads: number, line: () => Line): Promise<readonly Line[]> {
  const found = new Map<number, Line>()
  for (let tries = 0; found.size < threads; tries++) {
    assert.ok(tries < 200, `${tries} connections came to threads ${[...found.keys()]} alone`)
    const one = line()
    const id = `whose-${tries}`
    await one.ask('GET', '/api/auth/me', { 'x-request-id': id })
    const thread = await eventually(() => threadOf(running, id))
    if (found.has(thread)) one.close()
    else found.set(thread, one)
  }
  return [...found].toSorted(([a], [b]) => a - b).map(([, one]) => one)
}

function threadOf(running: Running, requestId: string): number | undefined {
  for (const text of running.errors().split('\n')) {
    if (!text.includes(`"${requestId}"`)) continue
    return (JSON.parse(text) as { readonly thread: number }).thread
  }
  return undefined
}

export interface SignedIn {
  readonly id: string
  readonly headers: Readonly<Record<string, string>>
}

export async function signedIn(
  line: Line,
  who: { readonly email: string; readonly password: string } = administrator,
): Promise<SignedIn> {
  const { status, body, text } = await line.ask(
    'POST',
    '/api/auth/login',
    {},
    { email: who.email, password: who.password },
  )
  assert.equal(status, 200, text)
  const { access_token, user } = body as { readonly access_token: string; readonly user: { readonly id: string } }
  return { id: user.id, headers: { authorization: `Bearer ${access_token}` } }
}
