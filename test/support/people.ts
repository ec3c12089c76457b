import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { Config } from '../../src/config/settings.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import type { Log } from '../../src/kernel/log.ts'
import { throwAwayFolder } from './folder.ts'
import { startHouse, type TestHouse } from './house.ts'
import { lettersIn, tokenIn } from './letters.ts'

export const publicUrl = 'https://gate.example.com'

/** A house that writes letters into a folder, and lets everybody register. */
export interface PeopleHouse extends TestHouse {
  /** The letters to an address so far, decoded, oldest first. */
  letters(to?: string): Promise<readonly string[]>
  /** The token of the link in the newest letter to an address. */
  token(to: string): Promise<string>
  api(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** Registers, opens the link of the letter, and signs in. */
  newcomer(email: string, password?: string): Promise<Tokens>
  events(): Promise<readonly Event[]>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly device_token: string
  readonly user: { readonly id: string; readonly email: string; readonly roles: readonly string[] }
}

export interface Event {
  readonly type: string
  readonly action: string
  readonly result: string
  readonly actor: { readonly id: string }
  readonly resource: { readonly id: string }
  readonly details: Readonly<Record<string, unknown>>
  readonly private?: Readonly<Record<string, unknown>>
}

export const goodPassword = 'seven violet rivers run'

export async function startPeople(
  context: TestContext,
  config: Config = {},
  options: {
    readonly clock?: Clock
    readonly roles?: readonly string[]
    readonly log?: Log
    readonly environment?: Readonly<Record<string, string>>
  } = {},
): Promise<PeopleHouse> {
  const folder = throwAwayFolder(context)
  const running = await startHouse(
    context,
    {
      publicUrl,
      mail: { from: 'Gatehouse <gate@example.com>', folder },
      limits: false,
      ...config,
      identity: { registration: 'open', ...config.identity },
    },
    options,
  )
  const { house, url } = running

  const people: PeopleHouse = {
    ...running,
    async letters(to) {
      // The house sends by itself too: a letter may be under way in its own turn.
      for (let turns = 0; turns < 200; turns++) {
        await house.people.outbox?.drain(house.store.db)
        if (((await house.people.outbox?.backlog(house.store.db)) ?? 0) === 0) break
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      return lettersIn(folder).filter((letter) => to === undefined || letter.includes(`To: ${to}`))
    },
    async token(to) {
      const newest = (await people.letters(to)).at(-1)
      const token = tokenIn(newest)
      assert.ok(token, `no link in ${newest ?? 'no letter at all'}`)
      return token
    },
    async api(method, path, body, headers = {}) {
      const response = await fetch(`${url}${path}`, {
        method,
        redirect: 'manual',
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      return {
        status: response.status,
        headers: response.headers,
        body: text.startsWith('{') ? JSON.parse(text) : { text },
      }
    },
    async newcomer(email, password = goodPassword) {
      const asked = await people.api('POST', '/api/auth/register', { email, name: 'New Comer', password })
      assert.equal(asked.status, 202, JSON.stringify(asked.body))
      const verified = await people.api('POST', '/api/auth/email/verify', { token: await people.token(email) })
      assert.equal(verified.status, 200, JSON.stringify(verified.body))
      const signedIn = await people.api('POST', '/api/auth/login', { email, password })
      assert.equal(signedIn.status, 200, JSON.stringify(signedIn.body))
      return signedIn.body as unknown as Tokens
    },
    async events() {
      await house.audit.flush()
      const rows = await house.store.db.selectFrom('audit_events').select('body').orderBy('seq').execute()
      const bodies = rows.map(({ body }) => body)
      return [...(await house.audit.sealer.read(house.store.db, bodies))]
    },
  }
  return people
}

export function bearer(tokens: { readonly access_token: string }): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${tokens.access_token}` }
}

/** The code that an authenticator app shows for a secret at a moment (RFC 6238). */
export function totpCode(secret: string, atMs: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...secret].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(atMs / 30_000)))
  const mac = createHmac('sha1', key).update(counter).digest()
  const at = (mac[19] as number) & 15
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}
