import { createCipheriv, createDecipheriv, createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { base64url } from '../kernel/bytes.ts'
import { Fault } from '../kernel/error.ts'
import { canonical } from '../kernel/json.ts'
import { type DataKey, DataKeys, type DataKeysParts } from '../keys/data-keys.ts'
import type { Database } from '../store/database.ts'
import type { Actor, AuditEvent, Details } from './event.ts'
import { areInOrder, eventText } from './event-text.ts'

/**
 * What stands between an event as it happened and as it is stored: what says something of a person lies under that person's
 * own key, so that it is gone with the key, and the chain is whole all the same.
 */
export interface EventSealer extends EventReader {
  /** The stored form of events. The same event has the same form, however often it is asked for, until a key is destroyed. */
  store(db: Database, events: readonly AuditEvent[]): Promise<readonly string[]>
  /** The same of events that were written out already, by `eventText`. */
  storeTexts(db: Database, texts: readonly string[]): Promise<readonly SealedEvent[]>
}

/** An event as it is stored, and as it happened. */
export interface SealedEvent {
  readonly body: string
  readonly event: AuditEvent
}

export interface EventReader {
  /** Events as they happened, of their stored form. What lies under a key that was destroyed is not there any more. */
  read(db: Database, bodies: readonly string[]): Promise<readonly AuditEvent[]>
}

/** `wrappingKey`: by it the keys of people are sealed. */
export type EventSealerParts = DataKeysParts

/** What the keys of people are for here, among the purposes of `DataKeys`. */
export const auditPurpose = 'audit'

export function openEventSealer(parts: EventSealerParts): EventSealer {
  const keys = new DataKeys(parts)
  return {
    store: async (db, events) => (await storeTexts(db, events.map(eventText))).map(({ body }) => body),
    storeTexts,
    async read(db, bodies) {
      const stored = bodies.map(parsed)
      const subjects = new Set(stored.flatMap(({ sealed }) => (sealed === undefined ? [] : Object.keys(sealed))))
      const keyOf = subjects.size === 0 ? noKeys : await keys.find(db, subjects, auditPurpose)
      return stored.map((event) => opened(event, keyOf))
    },
  }

  async function storeTexts(db: Database, texts: readonly string[]): Promise<readonly SealedEvent[]> {
    const clear = texts.map((text) => JSON.parse(text) as AuditEvent)
    const shares = clear.map(sharesOf)
    const subjects = new Set(shares.flatMap((some) => some.map(({ subject }) => subject)))
    const keyOf = subjects.size === 0 ? noKeys : await keys.ofMany(db, subjects, auditPurpose)
    return clear.map((event, index) => {
      const some = shares[index] as readonly Share[]
      const body = some.length === 0 ? (texts[index] as string) : storedText(event, some, keyOf)
      const isWhole = some.every(({ subject }) => typeof keyOf.get(subject) === 'object')
      return { body, event: isWhole ? event : opened(parsed(body), keyOf) } // the columns are to say no more than what is stored
    })
  }
}

/** Reads what lies open, for whoever has no keys: of what is sealed it says nothing. */
export const keylessReader: EventReader = {
  read: async (_db, bodies) => bodies.map((body) => opened(parsed(body), noKeys)),
}

/** An event as it is stored: `sealed` holds, by whom it concerns, what is not for everybody with the database in their hands. */
export type StoredEvent = AuditEvent & { readonly sealed?: Readonly<Record<string, string>> }

/** What of an event concerns somebody. */
interface Share {
  readonly subject: string
  readonly text: string
}

/**
 * Where somebody came from is their own, when they are known; the private details are those of the person that the event is
 * about, else of the one who acts, else the house's.
 */
function sharesOf(event: AuditEvent): readonly Share[] {
  const actor = personOf(event.actor)
  const whose = event.private === undefined ? undefined : (personOf(event.resource) ?? actor ?? nobody)
  const came = actor !== undefined && (event.address !== '' || event.user_agent !== '')
  const shares: Share[] = []
  if (came) {
    const told = whose === actor ? { private: event.private } : {}
    shares.push({
      subject: actor,
      text: JSON.stringify({ address: event.address, ...told, user_agent: event.user_agent }),
    })
  }
  if (whose !== undefined && !(came && whose === actor))
    shares.push({ subject: whose, text: JSON.stringify({ private: event.private }) })
  return shares
}

/** A share as it was sealed. */
interface Told {
  readonly address?: string
  readonly private?: Details
  readonly user_agent?: string
}

const nobody = ''

/** An id that a stranger made up becomes no key's: it may hold what no database takes, and be as long as it likes. */
function personOf({ id, type }: { readonly id: string; readonly type: string }): string | undefined {
  return type === ('user' satisfies Actor['type']) && /^[!-~]{1,128}$/.test(id) ? id : undefined
}

type Keys = ReadonlyMap<string, DataKey>

const noKeys: Keys = new Map()

function storedText(event: AuditEvent, shares: readonly Share[], keyOf: Keys): string {
  const entries = shares.flatMap(({ subject, text }) => {
    const key = keyOf.get(subject)
    if (key === undefined) throw new Fault('unavailable', `there is no data key for \`${subject}\``)
    return typeof key === 'string' ? [] : [[subject, sealed(key, text, event.id, subject)] as const]
  })
  const { action, actor, at, details, id, request_id, resource, result, type, v } = event
  const isKnown = personOf(actor) !== undefined
  const form = {
    action,
    actor,
    address: isKnown ? '' : event.address,
    at,
    details,
    id,
    request_id,
    resource,
    result,
    ...(entries.length > 0 && { sealed: Object.fromEntries(entries) }),
    type,
    user_agent: isKnown ? '' : event.user_agent,
    v,
  }
  return entries.length < 2 && areInOrder(details) ? JSON.stringify(form) : canonical(form)
}

function parsed(body: string): StoredEvent {
  return JSON.parse(body) as StoredEvent
}

function opened({ sealed: shares, ...event }: StoredEvent, keyOf: Keys): AuditEvent {
  if (shares === undefined) return event as AuditEvent
  let told: Told = {}
  for (const [subject, text] of Object.entries(shares)) {
    const key = keyOf.get(subject)
    if (key === undefined || typeof key === 'string') continue
    const share = unsealed(key, text, event.id, subject)
    if (share !== undefined) told = { ...told, ...(JSON.parse(share) as Told) }
  }
  return { ...event, ...told } as AuditEvent
}

/**
 * AES-256-GCM. The nonce is 96 bits of a keyed hash of what is sealed (as in RFC 8452 §4, by HMAC): two texts of one person have
 * the same one with a chance of 2^-96, and the same text of the same event is sealed in the same way again.
 */
function sealed(key: KeyObject, text: string, id: string, subject: string): string {
  const nonce = createHmac('sha256', nonceKeyOf(key)).update(id).update('\0').update(text).digest().subarray(0, 12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(placeOf(id, subject)))
  return base64url(Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]))
}

/** Undefined for what was sealed by another key, for another event or person, or was changed: the chain tells which. */
function unsealed(key: KeyObject, text: string, id: string, subject: string): string | undefined {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length < 28) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
  decipher.setAAD(Buffer.from(placeOf(id, subject)))
  decipher.setAuthTag(bytes.subarray(-16))
  const clear = decipher.update(bytes.subarray(12, -16), undefined, 'utf8')
  try {
    return clear + decipher.final('utf8')
  } catch {
    return undefined
  }
}

function placeOf(id: string, subject: string): string {
  return `audit_events.body.${subject}.${id}`
}

/** One key does one thing: the one that hashes is derived from the one that seals. */
function nonceKeyOf(key: KeyObject): KeyObject {
  let derived = nonceKeys.get(key)
  if (derived === undefined) {
    derived = createSecretKey(createHmac('sha256', key).update('gatehouse audit nonce').digest())
    nonceKeys.set(key, derived)
  }
  return derived
}

const nonceKeys = new WeakMap<KeyObject, KeyObject>()
