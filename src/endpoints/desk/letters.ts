import type { Account } from '../../authn/account/accounts.ts'
import type { Database } from '../../store/database.ts'
import type { DeskRooms } from './rooms.ts'
import type { Visitor } from './visitor.ts'

/** Letters that the desk sends. They leave with the change that they tell of, or not at all. */
export class Letters {
  readonly #rooms: DeskRooms

  constructor(rooms: DeskRooms) {
    this.#rooms = rooms
  }

  /** Whether letters can be sent, with links that lead here. */
  get possible(): boolean {
    return this.#rooms.outbox !== undefined && this.#rooms.publicUrl !== undefined
  }

  /**
   * Whether one more letter that anybody can ask for may go to an address: five an hour. It is counted by itself, so that
   * nobody is locked out by letters, and no letter is stopped by a lock.
   */
  async mayAsk(trx: Database, to: string): Promise<boolean> {
    const { tickets, clock } = this.#rooms
    if ((await tickets.countSince(trx, 'letter', to, clock.now() - hourMs)) >= lettersAnHour) return false
    await tickets.issue(trx, { purpose: 'letter', subject: to, holds: {}, ttlMs: hourMs })
    return true
  }

  /** A letter with a link to a page of ours. Links are made of the configured address, never of what a request says (A44). */
  async link(
    trx: Database,
    visitor: Visitor,
    to: string,
    kind: 'verify' | 'registered-already' | 'reset' | 'email-change' | 'invitation',
    {
      page,
      token,
      ttlMs,
      name,
    }: { readonly page: string; readonly token?: string; readonly ttlMs?: number; readonly name?: string },
  ): Promise<void> {
    const { outbox, publicUrl, siteName } = this.#rooms
    if (outbox === undefined || publicUrl === undefined) return
    const link = new URL(`/auth/${page}`, publicUrl)
    if (token !== undefined) link.searchParams.set('token', token)
    await outbox.post(trx, {
      to,
      kind,
      facts: {
        site: siteName,
        link: link.href,
        ...(ttlMs === undefined ? {} : { minutes: Math.round(ttlMs / 60_000) }),
        ...(name === undefined ? {} : { name }),
      },
      ...languageOf(visitor),
    })
  }

  /** A letter that something has happened, and from where. */
  async news(
    trx: Database,
    visitor: Visitor,
    account: Pick<Account, 'email' | 'name'>,
    kind:
      | 'password-changed'
      | 'email-changed'
      | 'factor-added'
      | 'factor-removed'
      | 'locked'
      | 'new-sign-in'
      | 'client-allowed'
      | 'key-created',
    more: { readonly client?: string; readonly key?: string } = {},
  ): Promise<void> {
    const { outbox, siteName, publicUrl } = this.#rooms
    if (outbox === undefined) return
    await outbox.post(trx, {
      to: account.email,
      kind,
      facts: {
        ...more,
        site: siteName,
        name: account.name,
        device: deviceName(visitor.userAgent),
        address: visitor.address,
        time: new Date(visitor.at).toISOString(),
        ...(publicUrl === undefined ? {} : { link: new URL(leadsTo(kind), publicUrl).href }),
      },
      ...languageOf(visitor),
    })
  }
}

/** Where somebody mends what a letter tells of. */
function leadsTo(kind: string): string {
  return kind === 'client-allowed' ? '/auth/account' : '/auth/forgot'
}

const hourMs = 3_600_000
const lettersAnHour = 5

/** What a person calls the thing in front of them: `Firefox on Linux`. */
export function deviceName(userAgent: string): string {
  const browser = browsers.find(([sign]) => sign.test(userAgent))?.[1]
  const system = systems.find(([sign]) => sign.test(userAgent))?.[1]
  if (browser === undefined && system === undefined)
    return userAgent === '' ? 'an unnamed device' : userAgent.slice(0, 40)
  return [browser ?? 'A program', system === undefined ? '' : `on ${system}`].join(' ').trim()
}

const browsers: readonly (readonly [RegExp, string])[] = [
  [/\bEdg\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bFirefox\//, 'Firefox'],
  [/Chrom(?:e|ium)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
  [/^curl\//, 'curl'],
]

const systems: readonly (readonly [RegExp, string])[] = [
  [/\bAndroid\b/, 'Android'],
  [/\b(?:iPhone|iPad)\b/, 'iOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
]

function languageOf({ language }: Visitor): { readonly language?: string } {
  const first = /^[a-z]{2,3}/i.exec(language ?? '')?.[0]
  return first === undefined ? {} : { language: first.toLowerCase() }
}
