import { type Account, normalEmail } from '../../authn/account/accounts.ts'
import { hold } from '../../authn/account/hold.ts'
import { hasSecond } from '../../authn/factor/factors.ts'
import { levelOf, type Method, methodsFrom } from '../../authn/proof.ts'
import type { Session } from '../../authn/session/session.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Database } from '../../store/database.ts'
import { type Guard, isRefusal } from './guard.ts'
import type { Letters } from './letters.ts'
import type { DeskRooms } from './rooms.ts'
import type { Diary, Visitor } from './visitor.ts'

/** What a person wants to hold: tokens, for a program; or a cookie, for a browser. */
export type Want = 'tokens' | 'browser'

/** The person was let in. Each of the secrets is shown once. */
export interface LetIn {
  readonly account: Account
  readonly session: Session
  readonly refreshToken: string | undefined
  readonly cookie: string | undefined
  readonly deviceToken: string
}

/** Half of it was right: an enrolled second factor is demanded on every way in (A45). */
export interface Halfway {
  readonly challenge: string
  readonly methods: readonly SecondMethod[]
  readonly expiresInSeconds: number
}

export type SecondMethod = 'totp' | 'recovery-code' | 'passkey'
export type SignInOutcome = { readonly letIn: LetIn } | { readonly halfway: Halfway } | Refusal

const challengeMs = 600_000

/** The ways in. Each of them ends in `proceed`, which alone opens sessions. */
export class SignIn {
  readonly #rooms: DeskRooms
  readonly #diary: Diary
  readonly #guard: Guard
  readonly #letters: Letters

  constructor(rooms: DeskRooms, diary: Diary, guard: Guard, letters: Letters) {
    this.#rooms = rooms
    this.#diary = diary
    this.#guard = guard
    this.#letters = letters
  }

  /**
   * By address or username, and password. Unknown, wrong and locked are one answer after the same work (ID2, A40): also a
   * guess that is locked out is checked, and what came of it thrown away.
   */
  async withPassword(visitor: Visitor, identifier: string, password: string, want: Want): Promise<SignInOutcome> {
    const { store, accounts } = this.#rooms
    const aimedAt = await accounts.byIdentifier(store.db, identifier)
    const admission = await this.#guard.admit(visitor, {
      subject: `password:${aimedAt?.id ?? normalEmail(identifier)}`,
      userId: aimedAt?.id,
    })
    const known = await accounts.authenticate(store.db, identifier, password)
    if (isRefusal(known)) {
      await admission.forgive()
      return known
    }
    const outcome = await store.transaction(async (trx) => {
      // Asked once more, now that nobody can change it meanwhile: checking a password takes long enough to be locked in, or
      // to have it replaced.
      if (known !== undefined) await hold(trx, known.id)
      const account = known === undefined || admission.locked ? undefined : await accounts.byId(trx, known.id)
      if (account?.status === 'active' && account.epoch === aimedAt?.epoch) {
        await admission.succeeded(trx)
        return this.proceed(trx, visitor, account, ['password'], want)
      }
      await admission.failed(trx)
      await this.#diary.person(trx, visitor, 'sign-in', 'failure', aimedAt?.id, {
        because: admission.locked ? 'locked-out' : 'credentials-invalid',
      })
      return refuse('credentials-invalid', { reason: admission.locked ? 'too many failures' : 'no such pair' })
    })
    return this.#settled(outcome)
  }

  /** Completes a sign-in with a code: of the app, or from the list of recovery codes. */
  async withCode(
    visitor: Visitor,
    method: 'totp' | 'recovery-code',
    challenge: string,
    code: string,
    want: Want,
  ): Promise<SignInOutcome> {
    const { store, tickets, totp, recoveryCodes } = this.#rooms
    const waiting = await tickets.look(store.db, 'second-factor', challenge)
    if (waiting.kind !== 'good') return refuse('factor-invalid', { reason: `the challenge is ${waiting.kind}` })
    const { userId } = waiting.holds
    const admission = await this.#guard.admit(visitor, { subject: `factor:${userId}`, userId })
    const outcome = await store.transaction(async (trx) => {
      await hold(trx, userId)
      const right =
        !admission.locked &&
        (method === 'totp' ? await totp.verify(trx, userId, code) : await recoveryCodes.use(trx, userId, code))
      if (!right) return this.#wrongFactor(trx, visitor, admission, userId, method)
      await admission.succeeded(trx)
      return this.#complete(trx, visitor, challenge, method, want)
    })
    return this.#settled(outcome)
  }

  /** Begins a passkey ceremony: alone, or to complete the sign-in of a challenge. */
  async passkeyOptions(challenge: string | undefined): Promise<PasskeyCeremony | Refusal> {
    const { store, tickets, passkeys } = this.#rooms
    if (passkeys === undefined) return refuse('not-found', { detail: 'this house has no passkeys' })
    let userId: string | undefined
    if (challenge !== undefined) {
      const waiting = await tickets.look(store.db, 'second-factor', challenge)
      if (waiting.kind !== 'good') return refuse('factor-invalid', { reason: `the challenge is ${waiting.kind}` })
      userId = waiting.holds.userId
    }
    const { options, challenge: asked } = await passkeys.signInOptions(store.db, userId)
    const ticket = await tickets.issue(store.db, {
      purpose: 'passkey',
      subject: userId ?? '',
      holds: { challenge: asked, userId, signIn: challenge },
      ttlMs: challengeMs,
    })
    return { challenge: ticket, options }
  }

  /** Signs in with a passkey that verified its user, or completes a sign-in with one. */
  async withPasskey(visitor: Visitor, ticket: string, credential: unknown, want: Want): Promise<SignInOutcome> {
    const { store, tickets, passkeys, accounts } = this.#rooms
    if (passkeys === undefined) return refuse('not-found', { detail: 'this house has no passkeys' })
    const taken = await store.transaction((trx) => tickets.take(trx, 'passkey', ticket))
    if (taken.kind !== 'good') return refuse('factor-invalid', { reason: `the ceremony is ${taken.kind}` })
    const { challenge, userId, signIn } = taken.holds
    const admission =
      userId === undefined ? undefined : await this.#guard.admit(visitor, { subject: `factor:${userId}`, userId })
    const outcome = await store.transaction(async (trx) => {
      if (userId !== undefined) await hold(trx, userId)
      const shown = await passkeys.verify(trx, credential, challenge, {
        ...(userId === undefined ? {} : { userId }),
        userVerification: signIn === undefined,
      })
      if ('problem' in shown || admission?.locked === true) {
        await admission?.failed(trx)
        const because = 'problem' in shown ? shown.problem : 'locked-out'
        await this.#diary.person(trx, visitor, 'second-factor', 'failure', userId, { because, method: 'passkey' })
        return refuse('factor-invalid', { reason: because })
      }
      await admission?.succeeded(trx)
      const method = shown.userVerified ? 'passkey' : 'security-key'
      if (signIn !== undefined) return this.#complete(trx, visitor, signIn, method, want)
      await hold(trx, shown.userId)
      const account = await accounts.byId(trx, shown.userId)
      if (account?.status !== 'active') return refuse('factor-invalid', { reason: 'the account is locked or gone' })
      return this.proceed(trx, visitor, account, [method], want)
    })
    return this.#settled(outcome)
  }

  /** What would complete a sign-in that is half done, or undefined where there is none. */
  async choices(challenge: string): Promise<readonly SecondMethod[] | undefined> {
    const { store, tickets } = this.#rooms
    const waiting = await tickets.look(store.db, 'second-factor', challenge)
    return waiting.kind === 'good' ? this.#choicesOf(store.db, waiting.holds.userId) : undefined
  }

  /** A provider has vouched for the account. */
  async withProvider(trx: Database, visitor: Visitor, userId: string, want: Want): Promise<SignInOutcome> {
    await hold(trx, userId)
    const account = await this.#rooms.accounts.byId(trx, userId)
    if (account?.status !== 'active') return refuse('provider-failed', { reason: 'the account is locked or gone' })
    return this.proceed(trx, visitor, account, ['provider'], want)
  }

  /**
   * Lets an account in, or halfway in where it has a second factor that was not shown. Every way in ends here, and holds the
   * account: what ends its sessions meanwhile comes before, or after.
   */
  async proceed(
    trx: Database,
    visitor: Visitor,
    account: Account,
    methods: readonly Method[],
    want: Want,
  ): Promise<SignInOutcome> {
    const { factors, tickets } = this.#rooms
    const enrolled = await factors.enrolled(trx, account.id)
    if (hasSecond(enrolled) && levelOf(methods) === 'aal1') {
      const challenge = await tickets.issue(trx, {
        purpose: 'second-factor',
        subject: account.id,
        holds: { userId: account.id, methods },
        ttlMs: challengeMs,
      })
      const choices = await this.#choicesOf(trx, account.id)
      await this.#diary.person(trx, visitor, 'second-factor-request', 'success', account.id, {
        methods: methods.join(' '),
      })
      return { halfway: { challenge, methods: choices, expiresInSeconds: challengeMs / 1000 } }
    }
    return { letIn: await this.#open(trx, visitor, account, methods, want) }
  }

  async #choicesOf(db: Database, userId: string): Promise<readonly SecondMethod[]> {
    const { factors, passkeys } = this.#rooms
    const enrolled = await factors.enrolled(db, userId)
    const choices: SecondMethod[] = []
    if (enrolled.totp) choices.push('totp')
    if (enrolled.passkeys > 0 && passkeys !== undefined) choices.push('passkey')
    if (enrolled.recoveryCodesLeft > 0) choices.push('recovery-code')
    return choices
  }

  async #open(
    trx: Database,
    visitor: Visitor,
    account: Account,
    methods: readonly Method[],
    want: Want,
  ): Promise<LetIn> {
    const { accounts, devices } = this.#rooms
    const known = visitor.deviceToken === undefined ? undefined : devices.read(visitor.deviceToken)
    const familiar = known?.userId === account.id && known.epoch === account.epoch
    const opened = await this.open(trx, visitor, account, methods, want)
    await accounts.signedIn(trx, account.id)
    await this.#diary.person(trx, visitor, 'sign-in', 'success', account.id, {
      methods: methods.join(' '),
      session: opened.session.id,
    })
    // Programs sign in from somewhere new all the time; a person in a browser should hear of it.
    if (want === 'browser' && !familiar) await this.#letters.news(trx, visitor, account, 'new-sign-in')
    return { ...opened, deviceToken: familiar ? (visitor.deviceToken ?? '') : devices.issue(account.id, account.epoch) }
  }

  /** A session of the wanted kind, with a fresh id: at sign-in, and at a step-up (A48). */
  async open(
    trx: Database,
    visitor: Visitor,
    account: Account,
    methods: readonly Method[],
    want: Want,
  ): Promise<Omit<LetIn, 'deviceToken'>> {
    const { sessions, browsers, clock } = this.#rooms
    const proof = { methods, at: clock.now() }
    const device = { address: visitor.address, userAgent: visitor.userAgent }
    if (want === 'browser') {
      const opened = await browsers.open(trx, account.id, device, proof)
      return { account, session: opened.session, refreshToken: undefined, cookie: opened.cookie }
    }
    const opened = await sessions.open(trx, account.id, device, proof)
    return { account, session: opened.session, refreshToken: opened.refreshToken, cookie: undefined }
  }

  /** The second half was right: the first is taken up, once. */
  async #complete(
    trx: Database,
    visitor: Visitor,
    challenge: string,
    method: Method,
    want: Want,
  ): Promise<SignInOutcome> {
    const taken = await this.#rooms.tickets.take(trx, 'second-factor', challenge)
    if (taken.kind !== 'good') return refuse('factor-invalid', { reason: `the challenge is ${taken.kind}` })
    const account = await this.#rooms.accounts.byId(trx, taken.holds.userId)
    if (account?.status !== 'active') return refuse('factor-invalid', { reason: 'the account is locked or gone' })
    return { letIn: await this.#open(trx, visitor, account, [...methodsFrom(taken.holds.methods), method], want) }
  }

  async #wrongFactor(
    trx: Database,
    visitor: Visitor,
    admission: { readonly locked: boolean; failed(trx: Database): Promise<void> },
    userId: string,
    method: Method,
  ): Promise<Refusal> {
    await admission.failed(trx)
    const because = admission.locked ? 'locked-out' : 'wrong'
    await this.#diary.person(trx, visitor, 'second-factor', 'failure', userId, { because, method })
    return refuse('factor-invalid', { reason: because })
  }

  #settled(outcome: SignInOutcome): SignInOutcome {
    this.#rooms.audit.wake()
    if (!('halfway' in outcome)) this.#rooms.meters.signIn('letIn' in outcome ? 'success' : 'failure')
    return outcome
  }
}

export interface PasskeyCeremony {
  /** To be sent back with what the authenticator answers. */
  readonly challenge: string
  /** For `navigator.credentials`. */
  readonly options: unknown
}
