import { flowCookie } from '../../gate/cookie-names.ts'
import type { Answerer, Exchange } from '../../gate/exchange.ts'
import type { PageDraft } from '../../gate/routes.ts'
import { cookieOf, setCookie } from '../../http/cookies.ts'
import type { Outbound } from '../../http/message.ts'
import { catalogue, type Refusal, refuse } from '../../kernel/error.ts'
import { letInFields, signedOutFields } from '../browser-cookies.ts'
import type { Desk } from '../desk/desk.ts'
import { isRefusal } from '../desk/guard.ts'
import type { LetIn, SignInOutcome } from '../desk/sign-in.ts'
import { visitorOf } from '../desk/visitor.ts'
import { accountPages } from './account-pages.ts'
import { type Fields, keepsCookies, parsed, queryOf, readForm, returnTo, seeOther } from './asked.ts'
import type { Html } from './html.ts'
import type { PageOptions } from './options.ts'
import { assetResponse, type Page, pageResponse, prepareStationery } from './stationery.ts'
import { secondFactor, signIn, signOut } from './views-door.ts'
import { checkYourMail, forgot, invitation, register, reset, verify } from './views-joining.ts'
import { refusalText, refused, signedIn } from './views-passage.ts'

const base = '/auth'

/** The hosted pages: what people without a program of their own see of the house. They work without a script. */
export function pagesOf(desk: Desk, options: PageOptions): readonly PageDraft[] {
  const { rooms } = desk
  const { identity } = rooms
  const stationery = prepareStationery(options, base)
  const lengthMin = identity.password.minLength
  const letters = rooms.outbox !== undefined && rooms.publicUrl !== undefined
  const username = identity.username !== 'off'

  const shown = (refusal: Refusal, requestId: string, acceptLanguage: string | undefined): Outbound => {
    const view = refused(stationery.page(acceptLanguage), refusal, requestId)
    return pageResponse(catalogue[refusal.code].status, view)
  }
  const pageFor = ({ request }: Exchange): Page => stationery.page(request.head.acceptLanguage)
  const show = (exchange: Exchange, status: number, view: (page: Page) => Html, ...headers: string[]): Outbound =>
    pageResponse(status, view(pageFor(exchange)), ...headers)

  const drafts: PageDraft[] = []
  const add = (method: 'GET' | 'POST', path: string, limit: PageDraft['limit'], answerer: Answerer): void => {
    drafts.push({ method, path: `${base}${path}`, limit, answerer, shown })
  }
  /** A form: read, then answered. */
  const take = (path: string, answer: (exchange: Exchange, fields: Fields) => Promise<Outbound | Refusal>): void => {
    add('POST', path, 'authentication', async (exchange) => {
      const fields = await readForm(exchange)
      return isRefusal(fields) ? fields : answer(exchange, fields)
    })
  }

  for (const asset of stationery.assets) {
    drafts.push({ method: 'GET', path: asset.path, limit: 'health', answerer: () => assetResponse(asset), shown })
  }

  add('GET', '/sign-in', 'general', (exchange) => {
    const query = queryOf(exchange)
    if (exchange.principal.type !== 'anonymous') return seeOther(returnTo(query) ?? `${base}/account`)
    return signInPage(exchange, 200, query)
  })

  take('/sign-in', async (exchange, fields) => {
    if (!keepsCookies(exchange)) return insecure
    const visitor = visitorOf(exchange)
    const credential = fields.optional('credential')
    const outcome =
      credential === undefined
        ? await desk.signIn.withPassword(visitor, fields.get('identifier'), fields.get('password'), 'browser')
        : await desk.signIn.withPasskey(visitor, fields.get('challenge'), parsed(credential), 'browser')
    return welcome(exchange, fields, outcome)
  })

  take('/second-factor', async (exchange, fields) => {
    if (!keepsCookies(exchange)) return insecure
    const visitor = visitorOf(exchange)
    const challenge = fields.get('challenge')
    const credential = fields.optional('credential')
    const recovery = fields.optional('recovery_code')
    const outcome =
      credential !== undefined
        ? await desk.signIn.withPasskey(visitor, challenge, parsed(credential), 'browser')
        : recovery !== undefined
          ? await desk.signIn.withCode(visitor, 'recovery-code', challenge, recovery, 'browser')
          : await desk.signIn.withCode(visitor, 'totp', challenge, fields.get('code'), 'browser')
    if (!isRefusal(outcome) || outcome.code !== 'factor-invalid') return welcome(exchange, fields, outcome)
    const methods = await desk.signIn.choices(challenge)
    if (methods === undefined) return signInPage(exchange, 401, fields, outcome)
    return show(exchange, 401, (page) =>
      secondFactor(page, {
        action: `${base}/second-factor`,
        challenge,
        methods,
        returnTo: returnTo(fields),
        error: refusalText(page, outcome),
      }),
    )
  })

  add('GET', '/register', 'general', (exchange) => {
    if (identity.registration !== 'open') return refuse('registration-closed')
    return registerPage(exchange, 200, queryOf(exchange))
  })

  take('/register', async (exchange, fields) => {
    const outcome = await desk.registrar.register(visitorOf(exchange), {
      email: fields.get('email'),
      name: fields.get('name'),
      username: fields.optional('username'),
      password: fields.get('password'),
    })
    if (isRefusal(outcome)) {
      return isAboutTheForm(outcome) ? registerPage(exchange, catalogue[outcome.code].status, fields, outcome) : outcome
    }
    if ('pending' in outcome)
      return show(exchange, 202, (page) => checkYourMail(page, { kind: 'register', address: fields.get('email') }))
    return enter(exchange, fields, outcome.account.email)
  })

  add('GET', '/forgot', 'general', (exchange) =>
    letters ? show(exchange, 200, (page) => forgot(page, { action: `${base}/forgot` })) : noLetters,
  )

  take('/forgot', async (exchange, fields) => {
    const email = fields.get('email')
    const outcome = await desk.recovery.forgot(visitorOf(exchange), email)
    if (outcome === undefined)
      return show(exchange, 202, (page) => checkYourMail(page, { kind: 'reset', address: email }))
    if (!isAboutTheForm(outcome)) return outcome
    return show(exchange, 422, (page) => forgot(page, { action: `${base}/forgot`, email, errors: outcome.errors }))
  })

  add('GET', '/reset', 'general', (exchange) => resetPage(exchange, 200, queryOf(exchange)))

  take('/reset', async (exchange, fields) => {
    const outcome = await desk.recovery.reset(visitorOf(exchange), fields.get('token'), fields.get('password'))
    if (outcome !== undefined)
      return isAboutTheForm(outcome) ? resetPage(exchange, catalogue[outcome.code].status, fields, outcome) : outcome
    return signInPage(exchange, 200, fields, undefined, (page) => page.texts.say('resetDone'))
  })

  add('GET', '/verify', 'general', async (exchange) => {
    const query = queryOf(exchange)
    const kind = await desk.registrar.kindOf(query.get('token'))
    return kind === undefined ? refuse('link-invalid') : verifyPage(exchange, 200, query, kind === 'registration')
  })

  take('/verify', async (exchange, fields) => {
    const token = fields.get('token')
    const kind = await desk.registrar.kindOf(token)
    if (kind === undefined) return refuse('link-invalid')
    const visitor = visitorOf(exchange)
    if (kind === 'registration') {
      // Whoever opens the letter may not be who registered: the password that was chosen then says that they are (A47).
      const right = await desk.registrar.isChosen(visitor, token, fields.get('password'))
      if (isRefusal(right)) return right
      if (!right) return verifyPage(exchange, 422, fields, true, { password: ['is not the one that was chosen'] })
    }
    const outcome = await desk.registrar.verify(visitor, token)
    if (isRefusal(outcome)) {
      const back = encodeURIComponent(`${base}/verify?token=${encodeURIComponent(token)}`)
      return outcome.code === 'credentials-required' ? seeOther(`${base}/sign-in?return_to=${back}`) : outcome
    }
    return kind === 'registration' ? enter(exchange, fields, outcome.account.email) : seeOther(`${base}/account`)
  })

  add('GET', '/invitation', 'general', (exchange) => invitationPage(exchange, 200, queryOf(exchange)))

  take('/invitation', async (exchange, fields) => {
    const outcome = await desk.registrar.accept(visitorOf(exchange), fields.get('token'), {
      name: fields.optional('name'),
      username: fields.optional('username'),
      password: fields.get('password'),
    })
    if (isRefusal(outcome))
      return isAboutTheForm(outcome)
        ? invitationPage(exchange, catalogue[outcome.code].status, fields, outcome)
        : outcome
    return enter(exchange, fields, outcome.account.email)
  })

  add('GET', '/sign-out', 'general', (exchange) => {
    const { principal } = exchange
    if (principal.type === 'anonymous') return seeOther(`${base}/sign-in`)
    const who = String(principal.attributes['email'] ?? principal.id)
    return show(exchange, 200, (page) => signOut(page, { action: `${base}/sign-out`, who }))
  })

  take('/sign-out', async (exchange, fields) => {
    if (exchange.principal.type !== 'anonymous') {
      const refusal = await desk.own.signOut(visitorOf(exchange))
      if (refusal !== undefined) return refusal
    }
    return seeOther(returnTo(fields) ?? `${base}/sign-in`, ...signedOutFields())
  })

  add('GET', '/login/:provider', 'authentication', async (exchange) => {
    if (!keepsCookies(exchange)) return insecure
    const to = returnTo(queryOf(exchange)) ?? `${base}/account`
    const sent = await desk.byProvider.begin(visitorOf(exchange), exchange.params['provider'] ?? '', to, false)
    if (isRefusal(sent)) return sent
    const bound = setCookie(flowCookie, sent.flowCookie, { maxAgeMs: sent.maxAgeMs, sameSite: 'lax' })
    return seeOther(sent.url, 'Set-Cookie', bound)
  })

  add('GET', '/callback/:provider', 'authentication', async (exchange) => {
    const { target, head } = exchange.request
    const url = new URL(target.path + target.query, rooms.publicUrl ?? 'http://localhost')
    const flow = cookieOf(head.cookie, flowCookie)
    const query = queryOf(exchange)
    url.searchParams.delete(onward)
    // A browser that comes from elsewhere leaves a Strict cookie behind: one step on our own site brings it along.
    const anonymous = exchange.principal.type === 'anonymous'
    if (anonymous && query.get(onward) === '' && (await desk.byProvider.isLinking(flow)))
      return show(exchange, 200, (page) => signedIn(page, { to: `${target.path}${target.query}&${onward}=1` }))
    const back = await desk.byProvider.finish(visitorOf(exchange), exchange.params['provider'] ?? '', url, flow)
    const spent = ['Set-Cookie', setCookie(flowCookie, '', { maxAgeMs: 0, sameSite: 'lax' })]
    if (isRefusal(back)) return back
    const { outcome, returnTo: to } = back
    if (isRefusal(outcome)) return outcome
    if ('linked' in outcome) return show(exchange, 200, (page) => signedIn(page, { to }), ...spent)
    if ('letIn' in outcome)
      return show(exchange, 200, (page) => signedIn(page, { to }), ...spent, ...cookies(outcome.letIn))
    return halfwayPage(exchange, to, outcome.halfway, spent)
  })

  return [...drafts, ...accountPages({ desk, base, shown, pageFor, readForm, cookies })]

  /** The door, with what went wrong before. */
  function signInPage(
    exchange: Exchange,
    status: number,
    fields: Fields,
    refusal?: Refusal,
    notice?: (page: Page) => string,
  ): Outbound {
    return show(exchange, status, (page) =>
      signIn(page, {
        action: `${base}/sign-in`,
        returnTo: returnTo(fields),
        identifier: fields.optional('identifier'),
        error: refusal === undefined ? undefined : refusalText(page, refusal),
        providers: rooms.providers.list(),
        passkeys: rooms.passkeys !== undefined,
        registration: identity.registration,
        mail: letters,
        notice: notice?.(page),
      }),
    )
  }

  function registerPage(exchange: Exchange, status: number, fields: Fields, refusal?: Refusal): Outbound {
    return show(exchange, status, (page) =>
      register(page, {
        action: `${base}/register`,
        returnTo: returnTo(fields),
        error: refusal === undefined || refusal.errors !== undefined ? undefined : refusalText(page, refusal),
        errors: refusal?.errors,
        values: {
          email: fields.optional('email'),
          name: fields.optional('name'),
          username: fields.optional('username'),
        },
        username,
        passwordLengthMin: lengthMin,
      }),
    )
  }

  function resetPage(exchange: Exchange, status: number, fields: Fields, refusal?: Refusal): Outbound {
    return show(exchange, status, (page) =>
      reset(page, {
        action: `${base}/reset`,
        token: fields.get('token'),
        errors: refusal?.errors,
        error: refusal === undefined || refusal.errors !== undefined ? undefined : refusalText(page, refusal),
        passwordLengthMin: lengthMin,
      }),
    )
  }

  function verifyPage(
    exchange: Exchange,
    status: number,
    fields: Fields,
    askPassword: boolean,
    errors?: Refusal['errors'],
  ): Outbound {
    return show(exchange, status, (page) =>
      verify(page, { action: `${base}/verify`, token: fields.get('token'), askPassword, errors }),
    )
  }

  async function invitationPage(
    exchange: Exchange,
    status: number,
    fields: Fields,
    refusal?: Refusal,
  ): Promise<Outbound | Refusal> {
    const token = fields.get('token')
    const invited = await desk.registrar.invited(token)
    if (invited === undefined) return refuse('link-invalid')
    return show(exchange, status, (page) =>
      invitation(page, {
        action: `${base}/invitation`,
        token,
        email: invited.email,
        values: { name: fields.optional('name') ?? invited.name, username: fields.optional('username') },
        username,
        passwordLengthMin: lengthMin,
        errors: refusal?.errors,
        error: refusal === undefined || refusal.errors !== undefined ? undefined : refusalText(page, refusal),
      }),
    )
  }

  /** Whoever has just chosen a password comes in by it: one door for all. */
  async function enter(exchange: Exchange, fields: Fields, email: string): Promise<Outbound | Refusal> {
    if (!keepsCookies(exchange)) return insecure
    const visitor = visitorOf(exchange)
    return welcome(exchange, fields, await desk.signIn.withPassword(visitor, email, fields.get('password'), 'browser'))
  }

  function welcome(exchange: Exchange, fields: Fields, outcome: SignInOutcome): Outbound | Refusal {
    const to = returnTo(fields) ?? `${base}/account`
    if ('letIn' in outcome) return seeOther(to, ...cookies(outcome.letIn))
    if ('halfway' in outcome) return halfwayPage(exchange, to, outcome.halfway, [])
    return catalogue[outcome.code].status === 401 ? signInPage(exchange, 401, fields, outcome) : outcome
  }

  function halfwayPage(
    exchange: Exchange,
    to: string,
    { challenge, methods }: Extract<SignInOutcome, { halfway: unknown }>['halfway'],
    headers: readonly string[],
  ): Outbound {
    return show(
      exchange,
      200,
      (page) => secondFactor(page, { action: `${base}/second-factor`, challenge, methods, returnTo: to }),
      ...headers,
    )
  }

  /** What a browser keeps of it. */
  function cookies({
    cookie,
    deviceToken,
  }: {
    readonly cookie: LetIn['cookie']
    readonly deviceToken?: string
  }): string[] {
    return letInFields(identity.session, cookie ?? '', deviceToken)
  }
}

/** Whether a refusal is for whoever filled the form in, who may correct it. */
function isAboutTheForm({ code }: Refusal): boolean {
  return code === 'body-invalid' || code === 'conflict'
}

/** Says that a browser has come here from a page of ours. */
const onward = 'onward'
const insecure = refuse('https-required')
const noLetters = refuse('unavailable', {
  detail: 'This house sends no letters: ask its administrator for a new password',
})
