import type { AdminAction, Details } from '../../audit/event.ts'
import {
  type CertificateName,
  checkDefinition,
  type DraftDefinition,
  type ServiceDefinition,
} from '../../authn/service/definition.ts'
import { isServiceName, serviceNameProblem } from '../../authn/service/service-name.ts'
import { type Claimed, claimedBy, type SecretView, type ServiceView, secretsMax } from '../../authn/service/services.ts'
import { covers } from '../../authz/permissions.ts'
import { type FieldErrors, type Refusal, refuse } from '../../kernel/error.ts'
import type { Database } from '../../store/database.ts'
import { refusalBeyond, refusalOfRoles } from './given.ts'
import { isRefusal } from './guard.ts'
import type { DeskRooms } from './rooms.ts'
import type { Diary, Visitor } from './visitor.ts'

export type ServiceRooms = Pick<DeskRooms, 'store' | 'audit' | 'services' | 'serviceBook' | 'keyBook' | 'roleBook'>

/** Whoever changes services: an administrator at the desk, or an operator at the machine. */
export interface ServiceAuthor {
  holds(permission: string): boolean
  note(trx: Database, action: AdminAction, service: string, details: Details): Promise<void>
}

/** A secret as it is shown this once. */
export interface MadeSecret {
  readonly id: string
  readonly secret: string
  /** When the one before it ends, in milliseconds since the epoch; undefined where there was none. */
  readonly previousUntil: number | undefined
}

export interface MadeService {
  readonly service: ServiceView
  /** Undefined where it was made without one. */
  readonly secret: MadeSecret | undefined
}

/** A place in the list of services: the name of the last one shown. */
export interface ServicePage {
  readonly services: readonly ServiceView[]
  readonly next: string | undefined
}

/**
 * Services as operators make, change and remove them. A change holds on the next request here, and within a second on other
 * nodes. Nobody gives a service what they do not hold themself, nor takes a service over that holds more.
 */
export class ServiceAdministration {
  readonly #rooms: ServiceRooms
  readonly #clients: { isConfigured(id: string): boolean } | undefined

  /** `clients` are those of other people, where there is an authorization server. */
  constructor(rooms: ServiceRooms, clients: { isConfigured(id: string): boolean } | undefined) {
    this.#rooms = rooms
    this.#clients = clients
  }

  /** Those of the configuration first, then those of the store by name, from a name on. */
  async page(limit: number, after: string | undefined): Promise<ServicePage> {
    const { services, serviceBook, store } = this.#rooms
    const page = await services.page(store.db, { limit, after })
    const own = after === undefined ? [...serviceBook.configured.keys()].toSorted().map((name) => this.#own(name)) : []
    return {
      services: [
        ...own.flatMap((one) => one ?? []),
        ...page.services.filter(({ name }) => this.#own(name) === undefined),
      ],
      next: page.next,
    }
  }

  /** Of the configuration or of the store, disabled or not. */
  async show(name: string): Promise<ServiceView | undefined> {
    const { services, store } = this.#rooms
    return this.#own(name) ?? (isServiceName(name) ? services.show(store.db, name) : undefined)
  }

  /** The living secrets of a service of the store, the newest first; those of the configuration have no ids. */
  async secretsOf(name: string): Promise<readonly SecretView[]> {
    const { services, store } = this.#rooms
    return this.#own(name) === undefined ? services.secretsOf(store.db, name) : []
  }

  /** A new service; with its first secret, where it wants one. */
  async create(
    author: ServiceAuthor,
    name: string,
    draft: DraftDefinition,
    withSecret: boolean,
  ): Promise<MadeService | Refusal> {
    const problem = serviceNameProblem(name)
    if (problem !== undefined) return invalid({ name: [problem] })
    if (this.#own(name) !== undefined) return configured
    const definition = this.#checked(draft)
    if (isRefusal(definition)) return definition
    const { store, services } = this.#rooms
    const outcome = await store.transaction(
      async (trx): Promise<(MadeService & { readonly keys: readonly string[] }) | Refusal> => {
        await services.takeTurns(trx)
        const refused = await this.#ungiven(trx, author, definition)
        if (refused !== undefined) return refused
        const claimed = await this.#claimed(trx, name, definition)
        if (claimed !== undefined) return claimed
        if ((await services.count(trx)) >= servicesMax)
          return refuse('conflict', { detail: `There are ${servicesMax} services: remove one first` })
        const isClient = this.#clients?.isConfigured(name) === true || (await services.isClient(trx, name))
        if (isClient || !(await services.insert(trx, name, definition)))
          return refuse('conflict', { detail: `\`${name}\` is taken`, errors: { name: ['is taken'] } })
        // Under a name that was somebody's before, nothing of theirs goes on.
        const keys = await services.endKeys(trx, name, 'the service is another one')
        await author.note(trx, 'service.create', name, detailsOf(definition))
        const secret = withSecret ? await services.rotate(trx, name, 0) : undefined
        if (secret !== undefined) await author.note(trx, 'service.secret-add', name, { secret_id: secret.id })
        const service = await services.show(trx, name)
        if (service === undefined) throw new Error('it was written down a moment ago')
        return { service, secret, keys }
      },
    )
    if (isRefusal(outcome)) return outcome
    await this.#heed(name, outcome.keys)
    return outcome
  }

  /** Says anew what a service may and how it is known. Its secrets stay. */
  async change(author: ServiceAuthor, name: string, draft: DraftDefinition): Promise<ServiceView | Refusal> {
    const definition = this.#checked(draft)
    if (isRefusal(definition)) return definition
    const refused = await this.#withService(name, async (trx, before) => {
      const refused =
        (await this.#beyond(trx, author, before.definition)) ?? (await this.#ungiven(trx, author, definition))
      if (refused !== undefined) return refused
      const claimed = await this.#claimed(trx, name, definition)
      if (claimed !== undefined) return claimed
      await this.#rooms.services.change(trx, name, definition)
      await author.note(trx, 'service.change', name, {
        ...detailsOf(definition),
        changed: changedMembers(before.definition, definition).join(' '),
      })
      return undefined
    })
    return refused ?? (await this.show(name)) ?? nobody
  }

  /** Removes a service, its secrets and its API keys. */
  remove(author: ServiceAuthor, name: string): Promise<Refusal | undefined> {
    return this.#withService(name, async (trx, _service, ended) => {
      const keys = await this.#rooms.services.endKeys(trx, name, 'the service was removed')
      ended.push(...keys)
      await this.#rooms.services.remove(trx, name)
      await author.note(trx, 'service.remove', name, { keys_ended: keys.length })
      return undefined
    })
  }

  /** Turns a service away, whatever it shows, or lets it come again. */
  setDisabled(author: ServiceAuthor, name: string, disabled: boolean): Promise<Refusal | undefined> {
    return this.#withService(name, async (trx, { definition }) => {
      const beyond = disabled ? undefined : await this.#beyond(trx, author, definition)
      if (beyond !== undefined) return beyond
      if (!(await this.#rooms.services.setDisabled(trx, name, disabled)))
        return refuse('conflict', { detail: `The service is ${disabled ? 'disabled' : 'enabled'} already` })
      await author.note(trx, 'service.change', name, { disabled })
      return undefined
    })
  }

  /** A new secret. The one before it is good for `overlapMs` more; with 0 all before it end at once. */
  async rotate(author: ServiceAuthor, name: string, overlapMs: number): Promise<MadeSecret | Refusal> {
    let made: MadeSecret | undefined
    const refused = await this.#withService(name, async (trx, { definition }) => {
      // Whoever has the secret is the service.
      const beyond = await this.#beyond(trx, author, definition)
      if (beyond !== undefined) return beyond
      made = await this.#rooms.services.rotate(trx, name, overlapMs)
      if (made === undefined)
        return refuse('conflict', {
          detail: `The service has ${secretsMax} secrets: remove one first, or rotate without an overlap`,
        })
      await author.note(trx, 'service.secret-add', name, { overlap_seconds: overlapMs / 1000, secret_id: made.id })
      return undefined
    })
    return refused ?? made ?? nobody
  }

  /** Removes a secret: what it signs is void with the next request. */
  removeSecret(author: ServiceAuthor, name: string, secretId: string): Promise<Refusal | undefined> {
    return this.#withService(name, async (trx) => {
      if (!uuidForm.test(secretId) || !(await this.#rooms.services.removeSecret(trx, name, secretId)))
        return refuse('not-found', { detail: 'the service has no secret of this id' })
      await author.note(trx, 'service.secret-remove', name, { secret_id: secretId })
      return undefined
    })
  }

  /** One change to one service of the store. */
  async #withService(
    name: string,
    work: (trx: Database, service: ServiceView, endedKeys: string[]) => Promise<Refusal | undefined>,
  ): Promise<Refusal | undefined> {
    if (this.#own(name) !== undefined) return configured
    if (!isServiceName(name)) return nobody
    const { store, services } = this.#rooms
    const endedKeys: string[] = []
    const refused = await store.transaction(async (trx) => {
      // Nothing is left behind by a call that is about nobody.
      if ((await services.show(trx, name)) === undefined) return nobody
      await services.takeTurns(trx)
      const service = await services.show(trx, name)
      return service === undefined ? nobody : work(trx, service, endedKeys)
    })
    if (refused === undefined) await this.#heed(name, endedKeys)
    return refused
  }

  /** Takes the change over here. Where it cannot be read back, what is known of the service is not believed any more. */
  async #heed(name: string, endedKeys: readonly string[]): Promise<void> {
    const { audit, serviceBook, keyBook, store } = this.#rooms
    audit.wake()
    for (const id of endedKeys) keyBook.forget(id)
    try {
      await serviceBook.hear(store.db)
    } catch {
      serviceBook.forget(name)
    }
  }

  /** A service of the configuration. */
  #own(name: string): ServiceView | undefined {
    const found = this.#rooms.serviceBook.configured.get(name)
    if (found === undefined) return undefined
    const { definition } = found
    return { name, origin: 'configuration', definition, createdAt: undefined, disabledAt: undefined }
  }

  #checked(draft: DraftDefinition): ServiceDefinition | Refusal {
    const checked = checkDefinition(draft)
    return 'errors' in checked ? invalid(checked.errors) : checked.definition
  }

  /** The refusal where a certificate or a key is another service's already. */
  async #claimed(trx: Database, name: string, definition: ServiceDefinition): Promise<Refusal | undefined> {
    const { serviceBook, services } = this.#rooms
    let claimed: Claimed | undefined
    for (const one of serviceBook.configured.values()) claimed ??= claimedBy(one, definition)
    claimed ??= await services.claimed(trx, name, definition)
    if (claimed === undefined) return undefined
    const { field, owner } = claimed
    const errors = { [wireName(field)]: [`\`${owner}\` has it already`] }
    return refuse('conflict', { detail: `\`${owner}\` has a certificate or a key of this service already`, errors })
  }

  /** The refusal where a service holds more than whoever makes it, or would have its secret. */
  async #beyond(
    trx: Database,
    author: ServiceAuthor,
    { permissions, roles }: ServiceDefinition,
  ): Promise<Refusal | undefined> {
    const { table } = await this.#rooms.roleBook.hold(trx) // what a role comes to stays so until this is done
    return refusalBeyond(author.holds, [...permissions, ...table.permissionsOf(roles)])
  }

  /** The refusal where a service cannot be given what its definition says: roles that are none or kept apart, or too much. */
  async #ungiven(trx: Database, author: ServiceAuthor, definition: ServiceDefinition): Promise<Refusal | undefined> {
    const { table } = await this.#rooms.roleBook.hold(trx)
    return refusalOfRoles(table, definition.roles) ?? this.#beyond(trx, author, definition)
  }
}

/** An administrator, as whoever changes services. */
export function serviceAuthorAt(diary: Diary, visitor: Visitor): ServiceAuthor {
  const { permissions } = visitor.principal
  return {
    holds: (permission) => covers(permissions, permission),
    note: (trx, action, id, details) => diary.change(trx, visitor, action, { id, type: 'service' }, details),
  }
}

/** What a name of a certificate says, in a word: `dns:billing.internal`. */
export function certificateText(name: CertificateName): string {
  return Object.entries(name)
    .map(([kind, value]) => `${kind}:${value}`)
    .join()
}

function changedMembers(before: ServiceDefinition, after: ServiceDefinition): readonly string[] {
  const names = Object.keys({ ...before, ...after }) as (keyof ServiceDefinition)[]
  return names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name])).toSorted()
}

/** What a reader of the record wants to know. */
function detailsOf({ permissions, roles, publicKeys, certificates, addresses, limit }: ServiceDefinition): Details {
  return {
    addresses: shortened(addresses.join(' ')),
    certificates: shortened(certificates.map(certificateText).join(' ')),
    keys: publicKeys.map(({ kid }) => kid).join(' '),
    limit: limit === undefined ? '' : `${limit.limit}/${limit.windowMs}ms`,
    permissions: shortened(permissions.join(' ')),
    roles: roles.join(' '),
  }
}

function shortened(text: string): string {
  return text.length > 1_000 ? `${text.slice(0, 1_000).toWellFormed()}…` : text
}

function invalid(errors: FieldErrors): Refusal {
  const named = Object.fromEntries(Object.entries(errors).map(([field, messages]) => [wireName(field), messages]))
  return refuse('body-invalid', { detail: 'The service cannot be as described', errors: named })
}

/** The API's word for a field. */
function wireName(field: string): string {
  return field.replace(/^publicKeys/, 'public_keys')
}

/** All of them are held in memory. */
const servicesMax = 10_000
const uuidForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const nobody = refuse('not-found', { detail: 'no service has this name' })
const configured = refuse('conflict', {
  detail: 'The service stands in the configuration: it is changed there, and nowhere else',
})
