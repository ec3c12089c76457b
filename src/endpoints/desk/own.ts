import type { Account } from '../../authn/account/accounts.ts'
import { hold } from '../../authn/account/hold.ts'
import { hasSecond } from '../../authn/factor/factors.ts'
import type { Method } from '../../authn/proof.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Database } from '../../store/database.ts'
import { type Guard, isRefusal } from './guard.ts'
import type { Letters } from './letters.ts'
import type { DeskRooms } from './rooms.ts'
import type { LetIn, PasskeyCeremony, SignIn, Want } from './sign-in.ts'
import type { Diary, Visitor } from './visitor.ts'

/** How a person proves themself again. */
export type Again =
  | { readonly method: 'password'; readonly password: string }
  | { readonly method: 'totp' | 'recovery-code'; readonly code: string }
  | { readonly method: 'passkey'; readonly challenge: string; readonly credential: unknown }

const ceremonyMs = 600_000

/** What is a person's own: their sessions, and what proves them. The visitor is the person, and nobody in their stead. */
export class Own {
  readonly #rooms: DeskRooms
  readonly #diary: Diary
  readonly #guard: Guard
  readonly #letters: Letters
  readonly #signIn: SignIn

  constructor(rooms: DeskRooms, diary: Diary, guard: Guard, letters: Letters, signIn: SignIn) {
    this.#rooms = rooms
    this.#diary = diary
    this.#guard = guard
    this.#letters = letters
    this.#signIn = signIn
  }

  /** Ends one of the visitor's sessions. Another's is not there for them. */
  async endSession(visitor: Visitor, id: string): Promise<Refusal | undefined> {
    const { store, sessions, revocations } = this.#rooms
    const { id: userId } = visitor.principal
    const ended = await store.transaction(async (trx) => {
      await hold(trx, userId)
      const gone = await sessions.endOf(trx, userId, id, 'ended by its owner')
      if (gone.length > 0) await this.#diary.person(trx, visitor, 'session-end', 'success', userId, { session: id })
      return gone
    })
    this.#wake()
    if (ended.length === 0) return refuse('not-found', { detail: 'no session of yours has this id' })
    for (const one of ended) revocations.endSession(one)
    return undefined
  }

  /** Ends all sessions of the visitor, or all but this one; answers how many. */
  async endSessions(visitor: Visitor, which: 'all' | 'others'): Promise<number> {
    const { store, sessions, revocations, tickets } = this.#rooms
    const { id: userId, credential } = visitor.principal
    const keep = which === 'others' && 'session' in credential ? credential.session : undefined
    const ended = await store.transaction(async (trx) => {
      await hold(trx, userId)
      const gone = await sessions.endAllOf(trx, userId, 'ended by its owner', keep)
      await tickets.void(trx, 'email-change', userId)
      await this.#diary.person(trx, visitor, 'session-end', 'success', userId, { sessions: gone.length, which })
      return gone
    })
    this.#wake()
    for (const id of ended) revocations.endSession(id)
    return ended.length
  }

  async signOut(visitor: Visitor): Promise<Refusal | undefined> {
    const { store, sessions, revocations } = this.#rooms
    const { id: userId, credential } = visitor.principal
    if (!('session' in credential)) return refuse('first-party-only')
    const ended = await store.transaction(async (trx) => {
      await hold(trx, userId)
      const gone = await sessions.end(trx, credential.session, 'signed out')
      await this.#diary.person(trx, visitor, 'sign-out', 'success', userId, { session: credential.session })
      return gone
    })
    for (const id of [credential.session, ...ended]) revocations.endSession(id)
    this.#wake()
    return undefined
  }

  /** Proves the visitor again. The session goes on under a new id, and the old one ends (A48). */
  async stepUp(visitor: Visitor, again: Again): Promise<Omit<LetIn, 'deviceToken'> | Refusal> {
    const { store, accounts, sessions, revocations, totp, recoveryCodes, passkeys, tickets, factors } = this.#rooms
    const { id: userId, credential } = visitor.principal
    if (!('session' in credential)) return refuse('first-party-only')
    const enrolled = await factors.enrolled(store.db, userId)
    if (again.method === 'password' && hasSecond(enrolled)) {
      // A password alone would make an old second factor as good as new.
      return refuse('factor-invalid', { detail: 'Prove yourself by your second factor' })
    }
    const subject = again.method === 'password' ? `password:${userId}` : `factor:${userId}`
    const admission = await this.#guard.admit(visitor, { subject, userId })
    const password = again.method === 'password' ? await accounts.isPasswordOf(store.db, userId, again.password) : false
    if (isRefusal(password)) {
      await admission.forgive()
      return password
    }
    const want: Want = credential.kind === 'browser-session' ? 'browser' : 'tokens'
    const outcome = await store.transaction(async (trx) => {
      await hold(trx, userId)
      const shown = admission.locked ? undefined : await prove(trx)
      const account = await accounts.byId(trx, userId)
      // Of two that prove themselves at once in one session, one goes on with it; what clients hold of it goes along.
      if (
        shown === undefined ||
        account?.status !== 'active' ||
        !(await sessions.replace(trx, credential.session, 'stepped up'))
      ) {
        await admission.failed(trx)
        await this.#diary.person(trx, visitor, 'step-up', 'failure', userId, { method: again.method })
        return again.method === 'password'
          ? refuse('credentials-invalid', { detail: 'Invalid password' })
          : refuse('factor-invalid')
      }
      await admission.succeeded(trx)
      const methods = [...new Set([...credential.proof.methods, shown])]
      const opened = await this.#signIn.open(trx, visitor, account, methods, want)
      await sessions.adopt(trx, credential.session, opened.session.id)
      await this.#diary.person(trx, visitor, 'step-up', 'success', userId, {
        from: credential.session,
        method: shown,
        session: opened.session.id,
      })
      return opened
    })
    this.#wake()
    if (!isRefusal(outcome)) revocations.endSession(credential.session)
    return outcome

    async function prove(trx: Database): Promise<Method | undefined> {
      switch (again.method) {
        case 'password':
          return password === true ? 'password' : undefined
        case 'totp':
          return (await totp.verify(trx, userId, again.code)) ? 'totp' : undefined
        case 'recovery-code':
          return (await recoveryCodes.use(trx, userId, again.code)) ? 'recovery-code' : undefined
        case 'passkey': {
          const taken = await tickets.take(trx, 'passkey', again.challenge)
          if (passkeys === undefined || taken.kind !== 'good' || taken.holds.userId !== userId) return undefined
          const verified = await passkeys.verify(trx, again.credential, taken.holds.challenge, {
            userId,
            userVerification: false,
          })
          if ('problem' in verified) return undefined
          return verified.userVerified ? 'passkey' : 'security-key'
        }
      }
    }
  }

  /** Begins a ceremony in which the visitor shows one of their passkeys. */
  async passkeyOptions(visitor: Visitor): Promise<PasskeyCeremony | Refusal> {
    const { passkeys, store } = this.#rooms
    if (passkeys === undefined) return noPasskeys
    const { options, challenge } = await passkeys.signInOptions(store.db, visitor.principal.id)
    return { challenge: await this.#ceremony(visitor, challenge), options }
  }

  async beginTotp(
    visitor: Visitor,
  ): Promise<{ readonly secret: string; readonly uri: string; readonly qrSvg: string } | Refusal> {
    const { store, totp, accounts } = this.#rooms
    const account = await accounts.byId(store.db, visitor.principal.id)
    if (account === undefined) return refuse('credentials-required')
    const begun = await totp.begin(store.db, account.id, account.email)
    return begun === 'enrolled-already'
      ? refuse('conflict', { detail: 'An authenticator app is enrolled already: remove it first' })
      : begun
  }

  /** Enrols the app with its first code. With the first factor come recovery codes. */
  async confirmTotp(visitor: Visitor, code: string): Promise<{ readonly recoveryCodes: readonly string[] } | Refusal> {
    const { store, totp } = this.#rooms
    const { id: userId } = visitor.principal
    const admission = await this.#guard.admit(visitor, { subject: `factor:${userId}`, userId })
    const outcome = await store.transaction(async (trx) => {
      await hold(trx, userId)
      if (admission.locked || !(await totp.confirm(trx, userId, code))) {
        await admission.failed(trx)
        return refuse('body-invalid', { errors: { code: ['is not the code that the app shows now'] } })
      }
      await admission.succeeded(trx)
      return this.#added(trx, visitor, 'totp')
    })
    return this.#changed(outcome)
  }

  async removeTotp(visitor: Visitor): Promise<Refusal | undefined> {
    const { totp } = this.#rooms
    return this.#remove(visitor, 'totp', (trx, userId) => totp.remove(trx, userId))
  }

  async renewRecoveryCodes(visitor: Visitor): Promise<{ readonly recoveryCodes: readonly string[] } | Refusal> {
    const { store, recoveryCodes, factors } = this.#rooms
    const { id: userId } = visitor.principal
    const outcome = await store.transaction(async (trx) => {
      const enrolled = await factors.enrolled(trx, userId)
      if (!hasSecond(enrolled))
        return refuse('conflict', { detail: 'Recovery codes stand in for a second factor: enrol one first' })
      const codes = await recoveryCodes.renew(trx, userId)
      await this.#diary.person(trx, visitor, 'recovery-codes', 'success', userId)
      return { recoveryCodes: codes }
    })
    this.#wake()
    return outcome
  }

  async newPasskeyOptions(visitor: Visitor): Promise<PasskeyCeremony | Refusal> {
    const { passkeys, store, accounts } = this.#rooms
    const account = await accounts.byId(store.db, visitor.principal.id)
    if (passkeys === undefined || account === undefined) return noPasskeys
    const { options, challenge } = await passkeys.registrationOptions(store.db, account)
    return { challenge: await this.#ceremony(visitor, challenge), options }
  }

  async addPasskey(
    visitor: Visitor,
    ticket: string,
    credential: unknown,
    name: string,
  ): Promise<{ readonly id: string; readonly recoveryCodes: readonly string[] } | Refusal> {
    const { store, tickets, passkeys } = this.#rooms
    if (passkeys === undefined) return noPasskeys
    const { id: userId } = visitor.principal
    const taken = await store.transaction((trx) => tickets.take(trx, 'passkey', ticket))
    if (taken.kind !== 'good' || taken.holds.userId !== userId)
      return refuse('factor-invalid', { detail: 'The ceremony has run out: begin again' })
    const { challenge } = taken.holds
    const outcome = await store.transaction(async (trx) => {
      await hold(trx, userId)
      const registered = await passkeys.register(trx, userId, credential, challenge, name)
      if ('problem' in registered)
        return refuse('factor-invalid', { detail: 'The passkey was not accepted', reason: registered.problem })
      return { ...(await this.#added(trx, visitor, 'passkey')), id: registered.passkey.id }
    })
    return this.#changed(outcome)
  }

  async removePasskey(visitor: Visitor, id: string): Promise<Refusal | undefined> {
    const { passkeys } = this.#rooms
    if (passkeys === undefined) return noPasskeys
    return this.#remove(visitor, 'passkey', (trx, userId) => passkeys.remove(trx, userId, id))
  }

  async unlink(visitor: Visitor, provider: string): Promise<Refusal | undefined> {
    const { store, identities, accounts, factors } = this.#rooms
    const { id: userId } = visitor.principal
    const outcome = await store.transaction(async (trx) => {
      await hold(trx, userId)
      const account = await accounts.byId(trx, userId)
      const linked = await identities.of(trx, userId)
      if (!linked.some((identity) => identity.provider === provider))
        return refuse('not-found', { detail: 'no such link' })
      const enrolled = await factors.enrolled(trx, userId)
      const others = linked.some((identity) => identity.provider !== provider)
      if (account?.password === 'none' && !others && enrolled.passkeys === 0)
        return refuse('conflict', { detail: 'This is the only way in: set a password or enrol a passkey first' })
      await identities.unlink(trx, userId, provider)
      await this.#diary.person(trx, visitor, 'identity-unlink', 'success', userId, { provider })
      return undefined
    })
    this.#wake()
    return outcome
  }

  async #ceremony(visitor: Visitor, challenge: string): Promise<string> {
    const { tickets, store } = this.#rooms
    const { id: userId } = visitor.principal
    return tickets.issue(store.db, {
      purpose: 'passkey',
      subject: userId,
      holds: { challenge, userId, signIn: undefined },
      ttlMs: ceremonyMs,
    })
  }

  /** A factor was enrolled: whoever was let in without it is let in no more. */
  async #added(trx: Database, visitor: Visitor, factor: string): Promise<Added> {
    const { recoveryCodes } = this.#rooms
    const { id: userId } = visitor.principal
    const codes = (await recoveryCodes.left(trx, userId)) > 0 ? [] : await recoveryCodes.renew(trx, userId)
    return { recoveryCodes: codes, ended: await this.#factorChanged(trx, visitor, 'factor-add', factor) }
  }

  async #remove(
    visitor: Visitor,
    factor: 'totp' | 'passkey',
    remove: (trx: Database, userId: string) => Promise<unknown>,
  ): Promise<Refusal | undefined> {
    const { store, accounts, factors, recoveryCodes } = this.#rooms
    const { id: userId } = visitor.principal
    const outcome = await store.transaction(async (trx) => {
      await hold(trx, userId)
      const account = await accounts.byId(trx, userId)
      const before = await factors.enrolled(trx, userId)
      if (factor === 'totp' && !before.totp) return refuse('not-found', { detail: 'no authenticator app is enrolled' })
      const last = (before.totp ? 1 : 0) + before.passkeys === 1
      if (last && account?.password === 'short')
        return refuse('conflict', {
          detail: 'The password is long enough only beside a second factor: choose a longer one first',
        })
      if (last && (await this.#isOnlyWayIn(trx, account)))
        return refuse('conflict', { detail: 'This is the only way in: set a password first' })
      if ((await remove(trx, userId)) === false)
        return refuse('not-found', { detail: 'no passkey of yours has this id' })
      if (last) await recoveryCodes.removeAll(trx, userId)
      return { recoveryCodes: [], ended: await this.#factorChanged(trx, visitor, 'factor-remove', factor) }
    })
    const settled = this.#changed(outcome)
    return isRefusal(settled) ? settled : undefined
  }

  async #isOnlyWayIn(trx: Database, account: Account | undefined): Promise<boolean> {
    if (account === undefined || account.password !== 'none') return false
    return (await this.#rooms.identities.of(trx, account.id)).length === 0
  }

  async #factorChanged(
    trx: Database,
    visitor: Visitor,
    action: 'factor-add' | 'factor-remove',
    factor: string,
  ): Promise<readonly string[]> {
    const { sessions, accounts, tickets } = this.#rooms
    const { id: userId, credential } = visitor.principal
    const keep = 'session' in credential ? credential.session : undefined
    const ended = await sessions.endAllOf(trx, userId, action, keep)
    for (const purpose of ['second-factor', 'email-change'] as const) await tickets.void(trx, purpose, userId)
    await accounts.beginEpoch(trx, userId)
    await this.#diary.person(trx, visitor, action, 'success', userId, { factor, sessions: ended.length })
    const account = await accounts.byId(trx, userId)
    if (account !== undefined)
      await this.#letters.news(trx, visitor, account, action === 'factor-add' ? 'factor-added' : 'factor-removed')
    return ended
  }

  #changed<T extends Added>(outcome: T | Refusal): T | Refusal {
    this.#wake()
    if (!isRefusal(outcome)) for (const id of outcome.ended) this.#rooms.revocations.endSession(id)
    return outcome
  }

  #wake(): void {
    this.#rooms.audit.wake()
  }
}

interface Added {
  readonly recoveryCodes: readonly string[]
  readonly ended: readonly string[]
}

const noPasskeys = refuse('not-found', { detail: 'this house has no passkeys: it has no public address' })
