import { hasSecond } from '../../authn/factor/factors.ts'
import type { Principal } from '../../authn/principal.ts'
import { flowCookie } from '../../gate/cookie-names.ts'
import type { Answerer, Exchange } from '../../gate/exchange.ts'
import type { PageDraft } from '../../gate/routes.ts'
import { stepUpFor } from '../../gate/step-up.ts'
import { setCookie } from '../../http/cookies.ts'
import type { Outbound } from '../../http/message.ts'
import { catalogue, type Refusal, refuse } from '../../kernel/error.ts'
import type { Desk } from '../desk/desk.ts'
import { isRefusal } from '../desk/guard.ts'
import { deviceName } from '../desk/letters.ts'
import type { Again } from '../desk/own.ts'
import { visitorOf } from '../desk/visitor.ts'
import { type Fields, parsed, queryOf, returnTo, seeOther } from './asked.ts'
import { scopeTexts } from './scope-texts.ts'
import { type Page, pageResponse } from './stationery.ts'
import { account, recoveryCodes, stepUp, totpEnrol } from './views-account.ts'
import { checkYourMail } from './views-joining.ts'
import { refusalText, returning } from './views-passage.ts'

interface AccountParts {
  readonly desk: Desk
  readonly base: string
  readonly shown: PageDraft['shown']
  readonly pageFor: (exchange: Exchange) => Page
  readonly readForm: (exchange: Exchange) => Promise<Fields | Refusal>
  readonly cookies: (opened: { readonly cookie: string | undefined }) => string[]
}

/** What is a person's own, as pages: the account, and the door to prove oneself at again. */
export function accountPages({ desk, base, shown, pageFor, readForm, cookies }: AccountParts): readonly PageDraft[] {
  const { rooms, own, recovery } = desk
  const { store, identity } = rooms
  const home = `${base}/account`
  const drafts: PageDraft[] = []
  const add = (method: 'GET' | 'POST', path: string, answerer: Answerer): void => {
    drafts.push({ method, path, limit: method === 'GET' ? 'general' : 'authentication', answerer, shown })
  }

  /** A form of somebody who is signed in, in person, and recently where it says so. */
  const take = (
    path: string,
    recent: 'recent' | 'anytime',
    answer: (exchange: Exchange, fields: Fields) => Promise<Outbound | Refusal>,
  ): void => {
    add('POST', `${home}${path}`, async (exchange) => {
      const fields = await readForm(exchange)
      if (isRefusal(fields)) return fields
      if (exchange.principal.type === 'anonymous') return toSignIn()
      if (exchange.principal.actor !== undefined) return refuse('in-person-only')
      return recent === 'recent' && isStale(exchange.principal) ? toStepUp() : answer(exchange, fields)
    })
  }
  const done = async (exchange: Exchange, refused: Refusal | undefined): Promise<Outbound | Refusal> =>
    refused === undefined ? seeOther(home) : again(exchange, refused)

  add('GET', home, (exchange) => (exchange.principal.type === 'anonymous' ? toSignIn() : accountPage(exchange, 200)))
  take('/sessions/end', 'anytime', async (exchange, fields) =>
    done(exchange, await own.endSession(visitorOf(exchange), fields.get('session'))),
  )
  take('/sessions/end-others', 'anytime', async (exchange) => {
    await own.endSessions(visitorOf(exchange), 'others')
    return seeOther(home)
  })
  take('/password', 'recent', async (exchange, fields) =>
    done(
      exchange,
      await recovery.change(visitorOf(exchange), fields.optional('current_password'), fields.get('password')),
    ),
  )
  take('/email', 'recent', async (exchange, fields) => {
    const email = fields.get('email')
    const refused = await recovery.changeEmail(visitorOf(exchange), email)
    if (refused !== undefined) return again(exchange, refused)
    return pageResponse(202, checkYourMail(pageFor(exchange), { kind: 'email', address: email }))
  })
  take('/totp', 'recent', async (exchange) => {
    const begun = await own.beginTotp(visitorOf(exchange))
    if (isRefusal(begun)) return again(exchange, begun)
    return pageResponse(200, totpEnrol(pageFor(exchange), { action: `${home}/totp/confirm`, ...begun }))
  })
  take('/totp/confirm', 'recent', async (exchange, fields) => {
    const visitor = visitorOf(exchange)
    const outcome = await own.confirmTotp(visitor, fields.get('code'))
    if (!isRefusal(outcome)) return codesPage(exchange, outcome.recoveryCodes)
    // The same picture again: somebody who mistyped need not scan once more.
    const person = await rooms.accounts.byId(store.db, exchange.principal.id)
    const pending = await rooms.totp.pending(store.db, exchange.principal.id, person?.email ?? '')
    if (pending === undefined) return again(exchange, outcome)
    return pageResponse(
      422,
      totpEnrol(pageFor(exchange), { action: `${home}/totp/confirm`, ...pending, errors: outcome.errors }),
    )
  })
  take('/totp/remove', 'recent', async (exchange) => done(exchange, await own.removeTotp(visitorOf(exchange))))
  take('/recovery-codes', 'recent', async (exchange) => {
    const outcome = await own.renewRecoveryCodes(visitorOf(exchange))
    return isRefusal(outcome) ? again(exchange, outcome) : codesPage(exchange, outcome.recoveryCodes)
  })
  take('/passkeys', 'recent', async (exchange, fields) => {
    const visitor = visitorOf(exchange)
    const name = fields.optional('name') ?? deviceName(visitor.userAgent)
    const outcome = await own.addPasskey(visitor, fields.get('challenge'), parsed(fields.get('credential')), name)
    if (isRefusal(outcome)) return again(exchange, outcome)
    return outcome.recoveryCodes.length > 0 ? codesPage(exchange, outcome.recoveryCodes) : seeOther(home)
  })
  take('/passkeys/remove', 'recent', async (exchange, fields) =>
    done(exchange, await own.removePasskey(visitorOf(exchange), fields.get('passkey'))),
  )
  take('/identities/link', 'recent', async (exchange, fields) => {
    const provider = fields.get('provider')
    const sent = await desk.byProvider.begin(visitorOf(exchange), provider, home, true)
    if (isRefusal(sent)) return again(exchange, sent)
    const client = rooms.providers.list().find(({ name }) => name === provider)?.label ?? provider
    const bound = setCookie(flowCookie, sent.flowCookie, { maxAgeMs: sent.maxAgeMs, sameSite: 'lax' })
    return pageResponse(200, returning(pageFor(exchange), { to: sent.url, client }), 'Set-Cookie', bound)
  })
  take('/identities/unlink', 'recent', async (exchange, fields) =>
    done(exchange, await own.unlink(visitorOf(exchange), fields.get('provider'))),
  )

  take('/applications/withdraw', 'anytime', async (exchange, fields) =>
    done(exchange, await desk.consents.withdraw(visitorOf(exchange), fields.get('application'))),
  )

  add('GET', `${base}/step-up`, (exchange) =>
    exchange.principal.type === 'anonymous' ? toSignIn() : stepUpPage(exchange, 200, queryOf(exchange)),
  )
  add('POST', `${base}/step-up`, async (exchange) => {
    const fields = await readForm(exchange)
    if (isRefusal(fields)) return fields
    if (exchange.principal.type === 'anonymous') return toSignIn()
    if (exchange.principal.actor !== undefined) return refuse('in-person-only')
    const outcome = await own.stepUp(visitorOf(exchange), againOf(fields))
    if (!isRefusal(outcome))
      return seeOther(returnTo(fields) ?? home, ...(outcome.cookie === undefined ? [] : cookies(outcome)))
    return catalogue[outcome.code].status === 401 ? stepUpPage(exchange, 401, fields, outcome) : outcome
  })

  return drafts

  function isStale(principal: Principal): boolean {
    return (
      stepUpFor(principal, { withinMs: identity.session.recent, multiFactor: false }, rooms.clock.now()) !== undefined
    )
  }

  /** The account once more, with what was wrong. */
  async function again(exchange: Exchange, refusal: Refusal): Promise<Outbound | Refusal> {
    const { status } = catalogue[refusal.code]
    return status < 500 && status !== 404 ? accountPage(exchange, status, refusal) : refusal
  }

  function codesPage(exchange: Exchange, codes: readonly string[]): Outbound {
    return codes.length === 0 ? seeOther(home) : pageResponse(200, recoveryCodes(pageFor(exchange), { codes }))
  }

  async function accountPage(exchange: Exchange, status: number, refusal?: Refusal): Promise<Outbound | Refusal> {
    const { principal } = exchange
    const person = await rooms.accounts.byId(store.db, principal.id)
    if (person === undefined) return toSignIn()
    const [living, keys, enrolled, linked, allowed] = await Promise.all([
      rooms.sessions.list(store.db, person.id, identity.session.idle),
      rooms.passkeys?.list(store.db, person.id),
      rooms.factors.enrolled(store.db, person.id),
      rooms.identities.of(store.db, person.id),
      desk.consents.list(visitorOf(exchange)),
    ])
    const current = 'session' in principal.credential ? principal.credential.session : ''
    const offered = rooms.providers.list()
    const page = pageFor(exchange)
    const second = hasSecond(enrolled)
    const { scopeTexts: known } = rooms
    return pageResponse(
      status,
      account(page, {
        person: {
          name: person.name,
          email: person.email,
          emailVerified: person.emailVerifiedAt !== undefined,
          username: person.username,
          hasPassword: person.password !== 'none',
        },
        sessions: living.map(({ id, userAgent, address, seenAt }) => ({
          id,
          device: deviceName(userAgent),
          address,
          lastSeen: seenAt,
          current: id === current,
        })),
        passkeys: keys?.map(({ id, name, createdAt, lastUsedAt }) => ({ id, name, createdAt, lastUsed: lastUsedAt })),
        totp: enrolled.totp,
        recoveryCodesLeft: enrolled.recoveryCodesLeft,
        identities: linked.map(({ provider, email }) => ({
          provider,
          label: offered.find(({ name }) => name === provider)?.label ?? provider,
          account: email,
        })),
        providers: offered.filter(({ name }) => !linked.some(({ provider }) => provider === name)),
        applications:
          known &&
          allowed.map((grant) => ({
            handle: grant.handle,
            name: grant.clientName,
            client: grant.client,
            hosts: grant.hosts,
            scopes: scopeTexts(page, grant.allowed, known),
            since: grant.createdAt,
            lastUsed: grant.usedAt,
            sessions: grant.sessions,
          })),
        passwordLengthMin: second ? identity.password.minLengthWithSecondFactor : identity.password.minLength,
        mail: rooms.outbox !== undefined,
        impersonated: principal.actor !== undefined,
        errors: refusal?.errors,
        error: refusal === undefined || refusal.errors !== undefined ? undefined : refusalText(page, refusal),
      }),
    )
  }

  async function stepUpPage(
    exchange: Exchange,
    status: number,
    fields: Fields,
    refusal?: Refusal,
  ): Promise<Outbound | Refusal> {
    const { principal } = exchange
    const person = await rooms.accounts.byId(store.db, principal.id)
    if (person === undefined) return toSignIn()
    const enrolled = await rooms.factors.enrolled(store.db, person.id)
    const methods: ('password' | 'totp' | 'recovery-code' | 'passkey')[] = []
    if (person.password !== 'none' && !hasSecond(enrolled)) methods.push('password')
    if (enrolled.totp) methods.push('totp')
    if (enrolled.passkeys > 0) methods.push('passkey')
    if (enrolled.recoveryCodesLeft > 0) methods.push('recovery-code')
    const page = pageFor(exchange)
    return pageResponse(
      status,
      stepUp(page, {
        action: `${base}/step-up`,
        methods,
        account: person.email,
        returnTo: returnTo(fields),
        error: refusal === undefined ? undefined : refusalText(page, refusal),
      }),
    )
  }

  function againOf(fields: Fields): Again {
    const credential = fields.optional('credential')
    const recovery = fields.optional('recovery_code')
    const code = fields.optional('code')
    if (credential !== undefined)
      return { method: 'passkey', challenge: fields.get('challenge'), credential: parsed(credential) }
    if (recovery !== undefined) return { method: 'recovery-code', code: recovery }
    if (code !== undefined) return { method: 'totp', code }
    return { method: 'password', password: fields.get('password') }
  }
}

/** Made anew for each: an answer is edited on its way out. */
const toSignIn = (): Outbound => seeOther('/auth/sign-in?return_to=%2Fauth%2Faccount')
const toStepUp = (): Outbound => seeOther('/auth/step-up?return_to=%2Fauth%2Faccount')
