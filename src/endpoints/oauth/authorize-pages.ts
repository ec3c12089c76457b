import { amrOf, levelOf } from '../../authn/proof.ts'
import type { Exchange } from '../../gate/exchange.ts'
import type { PageDraft } from '../../gate/routes.ts'
import { cookieOf } from '../../http/cookies.ts'
import type { Outbound } from '../../http/message.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Engine, Waiting } from '../../oauth/engine.ts'
import { interactionCookie } from '../../oauth/provider.ts'
import type { Desk } from '../desk/desk.ts'
import { isRefusal } from '../desk/guard.ts'
import { type Visitor, visitorOf } from '../desk/visitor.ts'
import { keepsCookies, queryOf, readForm, seeOther } from '../pages/asked.ts'
import type { Html } from '../pages/html.ts'
import { type Page, pageResponse } from '../pages/stationery.ts'
import { consent, oauthProblem } from '../pages/views-consent.ts'
import { arriving, returning } from '../pages/views-passage.ts'
import type { Described } from './described.ts'
import { outboundOf, requestOf } from './machine.ts'

export interface AuthorizeParts {
  readonly path: string
  readonly desk: Desk
  readonly engine: () => Promise<Engine<Visitor>>
  readonly described: Described
  readonly shown: PageDraft['shown']
  readonly page: (acceptLanguage: string | undefined) => Page
  readonly identitySameSite: 'strict' | 'lax'
}

/** Where a request for authorization waits for its person. */
export const consentPath = '/auth/consent'

/** What a person sees of the authorization endpoint: the way in, the question, and the way back. */
export function authorizePages({
  path,
  desk,
  engine,
  described,
  shown,
  page,
  identitySameSite,
}: AuthorizeParts): readonly PageDraft[] {
  const show = (exchange: Exchange, status: number, view: (page: Page) => Html): Outbound =>
    pageResponse(status, view(page(exchange.request.head.acceptLanguage)))

  return [
    {
      method: 'GET',
      path: `${path}/authorize`,
      limit: 'requests',
      answerer: (exchange) => authorize(exchange, `${path}/authorize`),
      shown,
    },
    {
      method: 'GET',
      path: `${path}/authorize/:uid`,
      limit: 'general',
      answerer: (exchange) => authorize(exchange, `${path}/authorize/${idOf(exchange)}`),
      shown,
    },
    { method: 'GET', path: `${consentPath}/:uid`, limit: 'general', answerer: question, shown },
    { method: 'POST', path: `${consentPath}/:uid`, limit: 'general', answerer: answer, shown },
  ]

  /** Asks the protocol. What may not go back to the client is said to the person (RFC 9700 §4.11.2). */
  async function authorize(exchange: Exchange, at: string): Promise<Outbound | Refusal> {
    if (!keepsCookies(exchange)) return refuse('https-required')
    const query = new URLSearchParams(exchange.request.target.query)
    const outcome = await (await engine()).ask(visitorOf(exchange), requestOf(exchange, 'GET', at, query))
    const { problem } = outcome
    if (problem === undefined) return outboundOf(outcome)
    return show(exchange, outcome.status, (sheet) => oauthProblem(sheet, problem))
  }

  async function question(exchange: Exchange): Promise<Outbound | Refusal> {
    const waiting = await waitingHere(exchange)
    if (isRefusal(waiting)) return waiting
    const here = `${consentPath}/${waiting.uid}`
    const { head } = exchange.request
    const { principal } = exchange
    const { credential } = principal
    if (credential.kind !== 'browser-session') {
      // A browser that comes from elsewhere leaves a Strict cookie behind: one step on our own site brings it along.
      if (identitySameSite === 'strict' && head.fetchSite === 'cross-site' && queryOf(exchange).get('onward') === '')
        return show(exchange, 200, (sheet) => arriving(sheet, { to: `${here}?onward=1` }))
      return seeOther(`/auth/sign-in?return_to=${encodeURIComponent(here)}`)
    }
    if (isAnothers(waiting, principal.id)) return again(waiting)
    if (waiting.prompt === 'login') {
      const fresh = credential.proof.at >= waiting.since * 1000
      const stronger = waiting.reasons.includes('acr_values') && levelOf(credential.proof.methods) !== 'aal2'
      const again = waiting.reasons.some((reason) => reason === 'login_prompt' || reason === 'max_age') || stronger
      if (again && !fresh) return seeOther(`/auth/step-up?return_to=${encodeURIComponent(here)}`)
      const signedIn = {
        userId: principal.id,
        authenticatedAt: Math.floor(credential.proof.at / 1000),
        acr: levelOf(credential.proof.methods),
        amr: amrOf(credential.proof.methods),
      }
      return goOn(waiting.uid, { signedIn }, credential.session)
    }
    if (Object.keys(waiting.asked).length === 0)
      return goOn(waiting.uid, { error: 'invalid_scope', description: 'nothing was asked for' }, credential.session)
    return show(exchange, 200, (sheet) =>
      consent(sheet, {
        action: here,
        again: requestOfWaiting(waiting),
        ...described.consent(sheet, waiting, principal),
      }),
    )
  }

  async function answer(exchange: Exchange): Promise<Outbound | Refusal> {
    const fields = await readForm(exchange)
    if (isRefusal(fields)) return fields
    const waiting = await waitingHere(exchange)
    if (isRefusal(waiting)) return waiting
    const visitor = visitorOf(exchange)
    const { principal } = exchange
    if (principal.credential.kind !== 'browser-session')
      return seeOther(`/auth/sign-in?return_to=${encodeURIComponent(`${consentPath}/${waiting.uid}`)}`)
    if (waiting.prompt !== 'consent') return refuse('link-invalid')
    // The page named another account: nobody allows in the name of one what was shown to the other.
    if (isAnothers(waiting, principal.id)) return again(waiting)
    const { client, asked } = waiting
    const decision = fields.get('decision')
    if (decision !== 'allow' && decision !== 'deny')
      return refuse('bad-request', { detail: 'expected `decision` to be `allow` or `deny`' })
    const about = { clientId: client.id, clientName: client.name, verified: client.verified, asked }
    const refused =
      decision === 'allow' ? await desk.consents.allow(visitor, about) : await desk.consents.deny(visitor, about)
    if (isRefusal(refused)) return refused
    const settled =
      decision === 'allow'
        ? { allowed: asked, userId: principal.id }
        : { error: 'access_denied', description: 'the person said no' }
    const to = await (await engine()).settle(waiting.uid, settled, principal.credential.session)
    if (to === undefined) return refuse('link-invalid')
    // The way out may leave this site, and browsers hold a form's redirects to `form-action`: it begins on a page of its own.
    return show(exchange, 200, (sheet) => returning(sheet, { to, client: client.name }))
  }

  async function goOn(
    uid: string,
    outcome: Parameters<Engine<Visitor>['settle']>[1],
    session: string,
  ): Promise<Outbound | Refusal> {
    const to = await (await engine()).settle(uid, outcome, session)
    return to === undefined ? refuse('link-invalid') : seeOther(to)
  }

  function requestOfWaiting({ parameters }: Waiting): string {
    return `${path}/authorize?${parameters}`
  }

  function again(waiting: Waiting): Outbound {
    return seeOther(requestOfWaiting(waiting))
  }

  /** The request that waits here: named in the path, and by the cookie of the browser in which it began (RFC 9700 §4.7). */
  async function waitingHere(exchange: Exchange): Promise<Waiting | Refusal> {
    const uid = idOf(exchange)
    if (uid === '' || cookieOf(exchange.request.head.cookie, interactionCookie) !== uid) return refuse('link-invalid')
    return (await (await engine()).waiting(uid)) ?? refuse('link-invalid')
  }
}

/** Whether it began in the name of somebody else: who has signed in since begins anew. */
function isAnothers({ userId }: Waiting, who: string): boolean {
  return userId !== undefined && userId !== who
}

/** What is no name of a request is nobody's. */
function idOf({ params }: Exchange): string {
  const uid = params['uid'] ?? ''
  return /^[\w-]{10,64}$/.test(uid) ? uid : ''
}
