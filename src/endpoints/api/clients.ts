import type { Answerer, Exchange } from '../../gate/exchange.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import { responseTypesOf } from '../../oauth/client-metadata.ts'
import type { SecretView } from '../../oauth/client-secrets.ts'
import type { ClientView } from '../../oauth/clients.ts'
import type * as wire from '../../wire/clients.ts'
import { type Author, authorAt, type ClientAdministration, type MadeSecret } from '../desk/clients.ts'
import type { Desk } from '../desk/desk.ts'
import { isRefusal } from '../desk/guard.ts'
import { visitorOf } from '../desk/visitor.ts'
import { input } from './auth.ts'
import { momentAndId, readPage } from './page.ts'
import { json } from './reply.ts'

type Keeps = keyof typeof wire.clients

/** The programs of other people, for administrators. */
export function clientEndpoints(desk: Desk): Record<Keeps, Answerer> {
  const { db } = desk.rooms.store
  const done = (refused: Refusal | undefined): ReturnType<Answerer> => refused ?? json(200, { status: 'done' })

  return {
    listClients: here(async (administration, { request }) => {
      const asked = readPage(new URLSearchParams(request.target.query), momentAndId(/^[A-Za-z0-9._~-]{3,64}$/))
      if (isRefusal(asked)) return asked
      const { clients, next } = await administration.clients.page(db, asked)
      return json(200, {
        clients: clients.map(clientOf),
        ...(next === undefined ? {} : { next: `${next.createdAt}.${next.id}` }),
      })
    }),

    createClient: here(async (administration, exchange) => {
      const { client_id, ...draft } = input<typeof wire.newClientBody>(exchange)
      const made = await administration.create(author(exchange), client_id, draft)
      if (isRefusal(made)) return made
      return json(201, { ...clientOf(made.client), ...(made.secret === undefined ? {} : secretOnce(made.secret)) })
    }),

    showClient: here(async (administration, { params }) => {
      const client = await administration.clients.show(db, idOf(params))
      if (client === undefined) return nobody
      const secrets = await administration.clients.secrets.list(db, client.id)
      return json(200, { ...clientOf(client), secrets: secrets.map(secretOf) })
    }),

    changeClient: here(async (administration, exchange) => {
      const draft = input<typeof wire.clientBody>(exchange)
      const changed = await administration.change(author(exchange), idOf(exchange.params), draft)
      return isRefusal(changed) ? changed : json(200, clientOf(changed))
    }),

    removeClient: here(async (administration, exchange) =>
      done(await administration.remove(author(exchange), idOf(exchange.params))),
    ),

    addClientSecret: here(async (administration, exchange) => {
      const { expires_in } = input<typeof wire.newSecretBody>(exchange)
      const ttlMs = expires_in === undefined ? undefined : expires_in * 1000
      const made = await administration.addSecret(author(exchange), idOf(exchange.params), ttlMs)
      return isRefusal(made) ? made : json(201, secretOnce(made))
    }),

    removeClientSecret: here(async (administration, exchange) => {
      const query = new URLSearchParams(exchange.request.target.query)
      const endTokens = query.get('end_tokens') ?? 'false'
      if (endTokens !== 'true' && endTokens !== 'false')
        return refuse('body-invalid', {
          detail: 'A parameter is wrong',
          errors: { end_tokens: ['must be `true` or `false`'] },
        })
      const secret = exchange.params['secret'] ?? ''
      if (!uuidForm.test(secret)) return refuse('not-found', { detail: 'the client has no secret of this id' })
      const id = idOf(exchange.params)
      return done(await administration.removeSecret(author(exchange), id, secret, endTokens === 'true'))
    }),

    disableClient: here(async (administration, exchange) =>
      done(await administration.setDisabled(author(exchange), idOf(exchange.params), true)),
    ),

    enableClient: here(async (administration, exchange) =>
      done(await administration.setDisabled(author(exchange), idOf(exchange.params), false)),
    ),

    createRegistrationToken: here(async (administration, exchange) => {
      const { expires_in } = input<typeof wire.registrationTokenBody>(exchange)
      const made = await administration.inviteClient(author(exchange), expires_in * 1000)
      return isRefusal(made) ? made : json(201, { token: made.token, expires_at: isoOf(made.expiresAt) })
    }),
  }

  /** Where the house gives no tokens to clients, it has none. */
  function here(answer: (administration: ClientAdministration, exchange: Exchange) => ReturnType<Answerer>): Answerer {
    return (exchange) =>
      desk.clients === undefined
        ? refuse('not-found', { detail: 'no authorization server is configured: see `oauth`' })
        : answer(desk.clients, exchange)
  }

  function author(exchange: Exchange): Author {
    return authorAt(desk.diary, visitorOf(exchange))
  }
}

/** In the words of RFC 7591 §3.2.1, and what we know beside. */
function clientOf({ id, origin, metadata, createdAt, disabledAt }: ClientView): Record<string, unknown> {
  return {
    client_id: id,
    ...metadata,
    response_types: responseTypesOf(metadata.grant_types),
    origin,
    status: disabledAt === undefined ? 'active' : 'disabled',
    ...(createdAt === undefined ? {} : { created_at: isoOf(createdAt) }),
  }
}

function secretOnce({ id, secret, expiresAt }: MadeSecret): Record<string, unknown> {
  // 0 is RFC 7591's word for never.
  return { secret_id: id, client_secret: secret, client_secret_expires_at: Math.floor((expiresAt ?? 0) / 1000) }
}

function secretOf({ id, createdAt, expiresAt }: SecretView): Record<string, unknown> {
  return { id, created_at: isoOf(createdAt), ...(expiresAt === undefined ? {} : { expires_at: isoOf(expiresAt) }) }
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}

function idOf(params: Exchange['params']): string {
  return params['id'] ?? '' // a text that can be no id is asked for nowhere
}

const uuidForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const nobody = refuse('not-found', { detail: 'no client has this id' })
