import type { KeyOwner, KeyView, MadeKey } from '../../authn/key/key-record.ts'
import type { KeyCursor } from '../../authn/key/keys.ts'
import type { Answerer, Exchange } from '../../gate/exchange.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type * as wire from '../../wire/keys.ts'
import type { Desk } from '../desk/desk.ts'
import { isRefusal } from '../desk/guard.ts'
import { type KeyAuthor, type KeyDraft, keyAuthorAt } from '../desk/keys.ts'
import { visitorOf } from '../desk/visitor.ts'
import { input } from './auth.ts'
import { momentAndId, type Page, readPage, wrongParameter } from './page.ts'
import { json } from './reply.ts'

type Keeps = keyof typeof wire.keys

/** API keys: a person's own, a key renewing itself, and everybody's for administrators. */
export function keyEndpoints(desk: Desk): Record<Keeps, Answerer> {
  const { keys, store } = desk.rooms
  const { db } = store

  return {
    async listKeys(exchange) {
      const asked = readPage(queryOf(exchange), cursorOf)
      return isRefusal(asked) ? asked : list(ownerAt(exchange), asked)
    },

    async createKey(exchange) {
      const draft = draftOf(input<typeof wire.newKeyBody>(exchange))
      return shownOnce(await desk.keys.create(author(exchange), ownerAt(exchange), draft))
    },

    async rotateCurrentKey(exchange) {
      const { credential } = exchange.principal
      if (credential.kind !== 'api-key')
        return refuse('api-key-required', { detail: 'Here an API key renews itself; yours are renewed by their id' })
      const key = await keys.show(db, credential.id)
      if (key === undefined) return nobody
      const { replace } = input<typeof wire.rotateKeyBody>(exchange)
      return shownOnce(await desk.keys.rotate(author(exchange), key, replace, 'itself'))
    },

    async showKey(exchange) {
      const key = await own(exchange)
      return key === undefined ? nobody : json(200, keyOf(key))
    },

    async revokeKey(exchange) {
      return revoke(exchange, await own(exchange), 'its owner')
    },

    async rotateKey(exchange) {
      return rotate(exchange, await own(exchange), 'its owner')
    },

    async listAllKeys(exchange) {
      const asked = readPage(queryOf(exchange), cursorOf, { owner_type: fine, owner_id: fine })
      if (isRefusal(asked)) return asked
      const owner = readOwner(exchange)
      return isRefusal(owner) ? owner : list(owner, asked)
    },

    async createKeyFor(exchange) {
      const { owner, ...draft } = input<typeof wire.newKeyForBody>(exchange)
      return shownOnce(await desk.keys.create(author(exchange), owner, draftOf(draft)))
    },

    async showAnyKey(exchange) {
      const key = await any(exchange)
      return key === undefined ? nobody : json(200, keyOf(key))
    },

    async revokeAnyKey(exchange) {
      return revoke(exchange, await any(exchange), 'an administrator')
    },

    async rotateAnyKey(exchange) {
      return rotate(exchange, await any(exchange), 'an administrator')
    },
  }

  async function list(owner: KeyOwner | undefined, page: Page<KeyCursor>): Promise<ReturnType<typeof json>> {
    const found = await keys.page(db, { owner, ...page })
    const { next } = found
    return json(200, {
      keys: found.keys.map(keyOf),
      ...(next === undefined ? {} : { next: `${next.createdAt}.${next.id}` }),
    })
  }

  async function revoke(
    exchange: Exchange,
    key: KeyView | undefined,
    by: 'its owner' | 'an administrator',
  ): Promise<ReturnType<typeof json> | Refusal> {
    const only = new URLSearchParams(exchange.request.target.query).get('only') ?? 'false'
    if (only !== 'true' && only !== 'false') return wrongParameter({ only: ['must be `true` or `false`'] })
    if (key === undefined) return nobody
    const ended = await desk.keys.revoke(author(exchange), key, only === 'true', by)
    return isRefusal(ended) ? ended : json(200, { status: 'done', ended })
  }

  async function rotate(
    exchange: Exchange,
    key: KeyView | undefined,
    by: 'its owner' | 'an administrator',
  ): Promise<ReturnType<typeof json> | Refusal> {
    if (key === undefined) return nobody
    const { replace } = input<typeof wire.rotateKeyBody>(exchange)
    return shownOnce(await desk.keys.rotate(author(exchange), key, replace, by))
  }

  /** A key of whoever asks. Another's is not there for them. */
  async function own(exchange: Exchange): Promise<KeyView | undefined> {
    const key = await any(exchange)
    return key?.owner.type === 'user' && key.owner.id === exchange.principal.id ? key : undefined
  }

  function any({ params }: Exchange): Promise<KeyView | undefined> {
    return keys.show(db, params['id'] ?? '')
  }

  function author(exchange: Exchange): KeyAuthor {
    return keyAuthorAt(desk.diary, desk.letters, visitorOf(exchange))
  }
}

/** These endpoints take sign-ins of people alone: whoever asks is the owner. */
function ownerAt({ principal }: Exchange): KeyOwner {
  return { type: 'user', id: principal.id }
}

type Body = ReturnType<typeof input<typeof wire.newKeyBody>>

function draftOf({ name, permissions, scopes, addresses, expires_in, limit }: Body): KeyDraft {
  return {
    name,
    permissions,
    scopes,
    addresses,
    lifetimeMs: expires_in === undefined ? undefined : expires_in * 1000,
    limit: limit && { limit: limit.limit, windowMs: limit.window * 1000 },
  }
}

function shownOnce(made: MadeKey | Refusal): ReturnType<typeof json> | Refusal {
  return isRefusal(made) ? made : json(201, { key: made.text, ...keyOf(made.view) })
}

function keyOf(view: KeyView): Record<string, unknown> {
  return {
    id: view.id,
    prefix: view.prefix,
    name: view.name,
    owner: view.owner,
    state: view.state,
    permissions: view.permissions,
    scopes: view.scopes,
    addresses: view.addresses,
    limit: view.limit && { limit: view.limit.limit, window: view.limit.windowMs / 1000 },
    created_at: isoOf(view.createdAt),
    created_by: view.createdBy,
    expires_at: isoOf(view.expiresAt),
    family: view.family,
    generation: view.generation,
    successor: view.successor,
    retires_at: isoOf(view.retiresAt),
    managed: view.managed,
    revoked_at: isoOf(view.revokedAt),
    revoked_reason: view.revokedReason,
    use_count: view.useCount,
    last_used_at: isoOf(view.lastUsedAt),
    last_used_address: view.lastUsedAddress,
  }
}

/** What is undefined is left out of an answer. */
function isoOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString()
}

/** A place in the list of keys. */
const cursorOf = momentAndId(/^[0-9A-Za-z]{15}$/)

function queryOf({ request }: Exchange): URLSearchParams {
  return new URLSearchParams(request.target.query)
}

/** What is wrong with an owner is said by whoever reads both halves of it. */
const fine = (): undefined => undefined

function readOwner(exchange: Exchange): KeyOwner | undefined | Refusal {
  const query = queryOf(exchange)
  const [type, id] = [query.get('owner_type'), query.get('owner_id')]
  if (type === null && id === null) return undefined
  if (type !== 'user' && type !== 'service' && type !== 'organisation')
    return wrongParameter({ owner_type: ['must be `user`, `service` or `organisation`'] })
  if (id === null || !/^[A-Za-z0-9._-]{1,64}$/.test(id))
    return wrongParameter({ owner_id: ['must be an id or a name'] })
  return { type, id }
}

const nobody = refuse('not-found', { detail: 'no key has this id' })
