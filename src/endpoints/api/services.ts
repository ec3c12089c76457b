import type { z } from 'zod'
import type { DraftDefinition } from '../../authn/service/definition.ts'
import { isServiceName } from '../../authn/service/service-name.ts'
import type { SecretView, ServiceView } from '../../authn/service/services.ts'
import type { Answerer, Exchange } from '../../gate/exchange.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type * as wire from '../../wire/services.ts'
import type { Desk } from '../desk/desk.ts'
import { isRefusal } from '../desk/guard.ts'
import { type MadeSecret, type ServiceAuthor, serviceAuthorAt } from '../desk/services.ts'
import { visitorOf } from '../desk/visitor.ts'
import { input } from './auth.ts'
import { readPage } from './page.ts'
import { json } from './reply.ts'

type Keeps = keyof typeof wire.services

/** Services, for administrators. */
export function serviceEndpoints({ services, diary }: Desk): Record<Keeps, Answerer> {
  const done = (refused: Refusal | undefined): ReturnType<Answerer> => refused ?? json(200, { status: 'done' })
  const author = (exchange: Exchange): ServiceAuthor => serviceAuthorAt(diary, visitorOf(exchange))

  return {
    async listServices({ request }) {
      const asked = readPage(new URLSearchParams(request.target.query), (text) =>
        isServiceName(text) ? text : undefined,
      )
      if (isRefusal(asked)) return asked
      const page = await services.page(asked.limit, asked.after)
      return json(200, {
        services: page.services.map(serviceOf),
        ...(page.next === undefined ? {} : { next: page.next }),
      })
    },

    async createService(exchange) {
      const { name, secret, ...body } = input<typeof wire.newServiceBody>(exchange)
      const made = await services.create(author(exchange), name, draftOf(body), secret)
      if (isRefusal(made)) return made
      return json(201, { ...serviceOf(made.service), ...(made.secret === undefined ? {} : secretOnce(made.secret)) })
    },

    async showService({ params }) {
      const service = await services.show(nameOf(params))
      if (service === undefined) return refuse('not-found', { detail: 'no service has this name' })
      const secrets = await services.secretsOf(service.name)
      return json(200, { ...serviceOf(service), secrets: secrets.map(secretOf) })
    },

    async changeService(exchange) {
      const draft = draftOf(input<typeof wire.serviceBody>(exchange))
      const changed = await services.change(author(exchange), nameOf(exchange.params), draft)
      return isRefusal(changed) ? changed : json(200, serviceOf(changed))
    },

    async removeService(exchange) {
      return done(await services.remove(author(exchange), nameOf(exchange.params)))
    },

    async rotateServiceSecret(exchange) {
      const { overlap } = input<typeof wire.rotateServiceBody>(exchange)
      const made = await services.rotate(author(exchange), nameOf(exchange.params), overlap * 1000)
      return isRefusal(made) ? made : json(201, secretOnce(made))
    },

    async removeServiceSecret(exchange) {
      const { params } = exchange
      return done(await services.removeSecret(author(exchange), nameOf(params), params['secret'] ?? ''))
    },

    async disableService(exchange) {
      return done(await services.setDisabled(author(exchange), nameOf(exchange.params), true))
    },

    async enableService(exchange) {
      return done(await services.setDisabled(author(exchange), nameOf(exchange.params), false))
    },
  }
}

/** A definition of the API's, as the room knows it. */
export function draftOf({ public_keys, limit, ...body }: z.output<typeof wire.serviceBody>): DraftDefinition {
  return {
    ...body,
    publicKeys: public_keys,
    limit: limit && { limit: limit.limit, windowMs: limit.window * 1000 },
  }
}

/** A service as the API, and the command, tell of it. */
export function serviceOf({ name, origin, definition, createdAt, disabledAt }: ServiceView): Record<string, unknown> {
  const { permissions, roles, publicKeys, certificates, addresses, limit } = definition
  return {
    name,
    origin,
    status: disabledAt === undefined ? 'active' : 'disabled',
    permissions,
    roles,
    public_keys: publicKeys,
    certificates,
    addresses,
    ...(limit === undefined ? {} : { limit: { limit: limit.limit, window: limit.windowMs / 1000 } }),
    ...(createdAt === undefined ? {} : { created_at: isoOf(createdAt) }),
  }
}

export function secretOf({ id, createdAt, expiresAt }: SecretView): Record<string, unknown> {
  return { id, created_at: isoOf(createdAt), ...(expiresAt === undefined ? {} : { expires_at: isoOf(expiresAt) }) }
}

function secretOnce({ id, secret, previousUntil }: MadeSecret): Record<string, unknown> {
  return {
    secret_id: id,
    secret,
    ...(previousUntil === undefined ? {} : { previous_expires_at: isoOf(previousUntil) }),
  }
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}

function nameOf(params: Exchange['params']): string {
  return params['name'] ?? '' // a text that can be no name is asked for nowhere
}
