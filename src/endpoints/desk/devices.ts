import { amrOf } from '../../authn/proof.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Asked, KnownClient } from '../../oauth/client-book.ts'
import type { DevicePayload } from '../../oauth/counter.ts'
import { askedFor } from '../../oauth/engine.ts'
import type { Consents } from './grants.ts'
import { type Guard, isRefusal } from './guard.ts'
import type { IssuingRooms } from './issuing.ts'
import type { DeskRooms } from './rooms.ts'
import type { Visitor } from './visitor.ts'

/** A device that waits for a person. */
export interface WaitingDevice {
  /** What the answer has to name; it is of no use to the device. */
  readonly handle: string
  readonly client: KnownClient
  readonly asked: Asked
  /** Where the device asked from. */
  readonly address: string
  readonly userAgent: string
}

/**
 * Devices without a keyboard (RFC 8628): a person types the code that the device shows, sees who asks and from where, and
 * answers once. Codes are short, so wrong ones count as guesses, by person and by address (A28, A42).
 */
export class Devices {
  readonly #rooms: DeskRooms
  readonly #own: IssuingRooms
  readonly #guard: Guard
  readonly #consents: Consents

  constructor(rooms: DeskRooms, own: IssuingRooms, guard: Guard, consents: Consents) {
    this.#rooms = rooms
    this.#own = own
    this.#guard = guard
    this.#consents = consents
  }

  /** Which device a code belongs to. Unknown, run out, answered: one answer for all. */
  async find(visitor: Visitor, typed: string): Promise<WaitingDevice | Refusal> {
    const { store } = this.#rooms
    const userId = visitor.principal.id
    const admission = await this.#guard.admit(visitor, { subject: `device:${userId}`, userId })
    const found = admission.locked ? undefined : await this.#look(typed)
    await store.transaction((trx) => (found === undefined ? admission.failed(trx) : admission.succeeded(trx)))
    return found ?? unknown
  }

  /** The person's answer, once. */
  async answer(visitor: Visitor, typed: string, allowed: boolean): Promise<Refusal | undefined> {
    const { store, audit } = this.#rooms
    const { principal } = visitor
    const { credential } = principal
    if (credential.kind !== 'browser-session') return refuse('credentials-required')
    const device = await this.find(visitor, typed)
    if (isRefusal(device)) return device
    const { proof, session } = credential
    const answer: NonNullable<DevicePayload['answer']> = allowed
      ? {
          allowed,
          userId: principal.id,
          scopes: [...new Set(Object.values(device.asked).flat())],
          resources: Object.keys(device.asked).filter((name) => name !== 'openid'),
          authenticatedAt: Math.floor(proof.at / 1000),
          amr: amrOf(proof.methods),
          session,
        }
      : { allowed }
    const known = await this.#own.records.findDevice(store.db, normal(typed))
    const { client, asked } = device
    const decision = { clientId: client.id, clientName: client.name, verified: client.verified, asked }
    const refused = await store.transaction(async (trx) => {
      const no = allowed
        ? await this.#consents.allowWithin(trx, visitor, decision)
        : await this.#consents.denyWithin(trx, visitor, decision)
      if (no !== undefined) return no // the code is not spent by what could not be allowed
      const before = known?.record.payload
      const first =
        before !== undefined && (await this.#own.records.answerDevice(trx, device.handle, before, { answer }))
      return first ? undefined : unknown
    })
    audit.wake()
    return refused
  }

  async #look(typed: string): Promise<WaitingDevice | undefined> {
    const found = await this.#own.records.findDevice(this.#rooms.store.db, normal(typed))
    if (found === undefined) return undefined
    const { clientId, params, deviceInfo } = found.record.payload as unknown as DevicePayload
    const client = await this.#own.clients.find(clientId)
    if (client === undefined) return undefined
    return {
      handle: found.handle,
      client,
      asked: askedFor(params, this.#own.resources),
      address: deviceInfo?.ip ?? '',
      userAgent: deviceInfo?.ua ?? '',
    }
  }
}

/** As the library keeps it: capitals, and nothing between them. */
function normal(typed: string): string {
  return typed
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '')
    .slice(0, 64)
}

const unknown = refuse('link-invalid', { detail: 'The code is not valid' })
