import { createHmac } from 'node:crypto'
import { base64url, equalBytes, fromBase64url } from '../../kernel/bytes.ts'
import type { Clock } from '../../kernel/clock.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import type { RootKey } from '../../keys/root.ts'

/** A device that somebody has signed in from before. */
export interface KnownDevice {
  readonly userId: string
  readonly deviceId: string
  /** Of the account, when it was let in: one from before a new password or factor is a stranger's. */
  readonly epoch: number
}

/**
 * Remembers devices without a table: a token under our key says that its bearer once signed in to this account. It proves
 * nobody; it only has failures counted apart, so that strangers cannot lock the owner out (OWASP device cookies).
 */
export class DeviceTokens {
  readonly #clock: Clock
  readonly #random: Random
  readonly #key: Buffer

  constructor({ clock, random, root }: { readonly clock: Clock; readonly random: Random; readonly root: RootKey }) {
    this.#clock = clock
    this.#random = random
    this.#key = root.derive('device tokens')
  }

  /** A token for a device that has just proven its user. */
  issue(userId: string, epoch: number): string {
    const now = this.#clock.now()
    const body = `${userId}.${uuidv7(now, this.#random)}.${now + deviceTtlMs}.${epoch}`
    return `${deviceTokenPrefix}${body}.${base64url(this.#tag(body))}`
  }

  /** Which device it is, or undefined for what we never wrote or what has run out. */
  read(token: string): KnownDevice | undefined {
    const parts = form.exec(token)
    if (parts === null) return undefined
    const [, userId = '', deviceId = '', until = '', epoch = '', tagText = ''] = parts
    const tag = fromBase64url(tagText)
    if (tag === undefined || !equalBytes(tag, this.#tag(`${userId}.${deviceId}.${until}.${epoch}`))) return undefined
    return Number(until) > this.#clock.now() ? { userId, deviceId, epoch: Number(epoch) } : undefined
  }

  #tag(body: string): Buffer {
    return createHmac('sha256', this.#key).update(body).digest()
  }
}

/** Half a year. */
export const deviceTtlMs = 180 * 86_400_000
export const deviceTokenPrefix = 'gh_dv_'
const form = /^gh_dv_([0-9a-f-]{36})\.([0-9a-f-]{36})\.(\d{1,15})\.(\d{1,15})\.([\w-]{43})$/
