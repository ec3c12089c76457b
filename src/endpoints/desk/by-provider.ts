import type { Account } from '../../authn/account/accounts.ts'
import type { Flow } from '../../authn/provider/providers.ts'
import { Fault, type Refusal, refuse } from '../../kernel/error.ts'
import type { Database } from '../../store/database.ts'
import { isRefusal } from './guard.ts'
import type { Registrar } from './registration.ts'
import type { DeskRooms } from './rooms.ts'
import type { SignIn, SignInOutcome } from './sign-in.ts'
import type { Diary, Visitor } from './visitor.ts'

const flowMs = 600_000

/** A person is sent to a provider: where to, and what their browser has to bring back. */
export interface Sent {
  readonly url: string
  readonly flowCookie: string
  readonly maxAgeMs: number
}

/** A person is back: let in or halfway in, or linked; and where they wanted to go. */
export type Back = { readonly returnTo: string; readonly outcome: SignInOutcome | { readonly linked: string } }

/** Sign-in with somebody else's account (ID4). The account there is known by issuer and subject, never by its address. */
export class ByProvider {
  readonly #rooms: DeskRooms
  readonly #diary: Diary
  readonly #signIn: SignIn
  readonly #registrar: Registrar

  constructor(rooms: DeskRooms, diary: Diary, signIn: SignIn, registrar: Registrar) {
    this.#rooms = rooms
    this.#diary = diary
    this.#signIn = signIn
    this.#registrar = registrar
  }

  /** Sends somebody off. What they bring back is good once, in this browser, with this provider, for ten minutes. */
  async begin(visitor: Visitor, name: string, returnTo: string, link: boolean): Promise<Sent | Refusal> {
    const { providers, tickets, store } = this.#rooms
    const begun = await providers.begin(name)
    if ('problem' in begun) {
      return begun.problem === 'unavailable'
        ? refuse('unavailable', { detail: 'The provider cannot be reached at the moment', reason: begun.detail })
        : refuse('not-found', { detail: 'no such provider', reason: begun.detail })
    }
    const secret = await tickets.issue(store.db, {
      purpose: 'provider',
      subject: name,
      holds: { flow: begun.flow, returnTo, linkTo: link ? visitor.principal.id : undefined },
      ttlMs: flowMs,
    })
    return { url: begun.url, flowCookie: secret, maxAgeMs: flowMs }
  }

  /** Whether somebody who is signed in set out to link an account: they have to be known when they are back. */
  async isLinking(flowCookie: string | undefined): Promise<boolean> {
    if (flowCookie === undefined) return false
    const waiting = await this.#rooms.tickets.look(this.#rooms.store.db, 'provider', flowCookie)
    return waiting.kind === 'good' && waiting.holds.linkTo !== undefined
  }

  /** Whoever comes back from a provider. Which check failed is for the log; the person reads one sentence. */
  async finish(visitor: Visitor, name: string, url: URL, flowCookie: string | undefined): Promise<Back | Refusal> {
    const { store, tickets, providers } = this.#rooms
    const taken =
      flowCookie === undefined
        ? ({ kind: 'unknown' } as const)
        : await store.transaction((trx) => tickets.take(trx, 'provider', flowCookie))
    if (taken.kind !== 'good') return this.#failed(visitor, name, `state-${taken.kind}`)
    const { flow, returnTo, linkTo } = taken.holds
    const found = await providers.finish(flow as Flow, url, name)
    if ('problem' in found) return this.#failed(visitor, name, found.problem, found.detail)
    const outcome = await store.transaction((trx) =>
      linkTo === undefined ? this.#enter(trx, visitor, found) : this.#link(trx, visitor, found, linkTo),
    )
    this.#rooms.audit.wake()
    return isRefusal(outcome) ? outcome : { returnTo, outcome }
  }

  async #enter(trx: Database, visitor: Visitor, identity: Identity): Promise<SignInOutcome> {
    const { identities, accounts } = this.#rooms
    const { issuer, subject, provider } = identity
    const known = await identities.find(trx, issuer, subject)
    const account =
      known === undefined ? await this.#accountFor(trx, visitor, identity) : await accounts.byId(trx, known.userId)
    if (isRefusal(account)) return account
    if (account?.status !== 'active') {
      await this.#diary.person(trx, visitor, 'sign-in', 'failure', account?.id, { because: 'locked', provider })
      return refuse('provider-failed', { reason: 'the account is locked or gone' })
    }
    if (known !== undefined) await identities.touch(trx, issuer, subject, identity.refreshToken)
    return this.#signIn.withProvider(trx, visitor, account.id, 'browser')
  }

  /** An account for somebody who was never here: theirs by an address that both sides have proven, or a new one (A47). */
  async #accountFor(trx: Database, visitor: Visitor, identity: Identity): Promise<Account | Refusal> {
    const { accounts, identity: options, tickets, clock } = this.#rooms
    const { email, emailVerified, provider } = identity
    if (email === undefined || !emailVerified) {
      return this.#unfit(trx, visitor, provider, 'The provider does not vouch for an e-mail address')
    }
    const holder = await accounts.byIdentifier(trx, email)
    if (holder !== undefined) {
      if (holder.emailVerifiedAt === undefined) {
        return this.#unfit(
          trx,
          visitor,
          provider,
          'An account has this address and has not proven it: sign in with its password',
        )
      }
      return (await this.#attach(trx, visitor, identity, holder.id))
        ? holder
        : refuse('conflict', { detail: 'Try again' })
    }
    const [waiting] = await tickets.living(trx, 'invitation', email)
    const invitation = waiting !== undefined && (await this.#registrar.stands(trx, waiting.holds)) ? waiting : undefined
    if (options.registration !== 'open' && invitation === undefined) {
      return this.#unfit(trx, visitor, provider, 'Registration is closed', 'registration-closed')
    }
    const prepared = await accounts.prepare({ email, name: shortName(identity.name, email) }, undefined)
    if (isRefusal(prepared)) return this.#unfit(trx, visitor, provider, 'The address cannot be used here')
    const made = await accounts.insert(trx, prepared, invitation?.holds.roles ?? options.defaultRoles, clock.now())
    if ('taken' in made) return refuse('conflict', { detail: 'Try again' })
    await tickets.void(trx, 'invitation', email)
    await this.#diary.person(trx, visitor, 'registration', 'success', made.account.id, { provider, verified: true })
    if (!(await this.#attach(trx, visitor, identity, made.account.id)))
      throw new Fault('unavailable', 'two came with one new account at once')
    return made.account
  }

  /** Whoever is signed in here and there at once says that both are theirs. */
  async #link(
    trx: Database,
    visitor: Visitor,
    identity: Identity,
    userId: string,
  ): Promise<SignInOutcome | { readonly linked: string }> {
    const { identities } = this.#rooms
    const { principal } = visitor
    if (principal.id !== userId || principal.actor !== undefined)
      return refuse('provider-failed', { reason: 'another person is signed in now' })
    const known = await identities.find(trx, identity.issuer, identity.subject)
    if (known !== undefined && known.userId !== userId)
      return refuse('conflict', { detail: 'This account of the provider belongs to another person here' })
    if (known === undefined) await this.#attach(trx, visitor, identity, userId)
    return { linked: identity.provider }
  }

  async #attach(trx: Database, visitor: Visitor, identity: Identity, userId: string): Promise<boolean> {
    const { issuer, subject, provider, email, refreshToken } = identity
    const linked = await this.#rooms.identities.link(trx, { issuer, subject, provider, userId, email, refreshToken })
    if (linked) await this.#diary.person(trx, visitor, 'identity-link', 'success', userId, { issuer, provider })
    return linked
  }

  async #unfit(
    trx: Database,
    visitor: Visitor,
    provider: string,
    detail: string,
    code: 'provider-failed' | 'registration-closed' = 'provider-failed',
  ): Promise<Refusal> {
    await this.#diary.person(trx, visitor, 'sign-in', 'failure', undefined, { because: detail, provider })
    return refuse(code, { detail, reason: detail })
  }

  async #failed(visitor: Visitor, provider: string, because: string, detail = ''): Promise<Refusal> {
    await this.#rooms.store.transaction((trx) =>
      this.#diary.person(trx, visitor, 'sign-in', 'failure', undefined, { because, provider }),
    )
    this.#rooms.audit.wake()
    this.#rooms.meters.signIn('failure')
    return refuse('provider-failed', { reason: `${because} ${detail}`.trim() })
  }
}

interface Identity {
  readonly provider: string
  readonly issuer: string
  readonly subject: string
  readonly email: string | undefined
  readonly emailVerified: boolean
  readonly name: string | undefined
  readonly refreshToken: string | undefined
}

/** What somebody is called elsewhere, as far as it can be a name here. */
function shortName(name: string | undefined, email: string): string {
  const text = (name ?? '')
    .replace(/[\p{Cc}\p{Cs}]/gu, ' ')
    .trim()
    .slice(0, 200)
  return text === '' ? email : text
}
