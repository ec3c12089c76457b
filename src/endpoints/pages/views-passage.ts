import type { Code, Refusal } from '../../kernel/error.ts'
import { tame } from './form.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { isOwnPath } from './own-path.ts'
import type { Page } from './stationery.ts'
import type { TextKey } from './texts-en.ts'

export interface SignedIn {
  /** A path of this origin; anything else leads to the account. */
  readonly to: string
}

/**
 * A stop on the way on. A cookie that is `SameSite=Strict` is not sent on redirects that began on another site, and it is
 * on a step that begins here.
 */
export function signedIn(page: Page, { to }: SignedIn): Html {
  const { texts } = page
  const target = isOwnPath(to) ? to : `${page.base}/account`
  return layout(page, {
    title: texts.say('signedIn'),
    refresh: target,
    body: html`<p role="status">${texts.say('signedInText')}</p>
<a class="button" href="${target}">${texts.say('continue')}</a>
`,
  })
}

export interface Arriving {
  /** This page again, as a step from our own site. */
  readonly to: string
}

/** The same stop for somebody who comes from elsewhere, and of whom nobody knows yet whether they are signed in. */
export function arriving(page: Page, { to }: Arriving): Html {
  const { texts } = page
  const target = isOwnPath(to) ? to : `${page.base}/account`
  return layout(page, {
    title: texts.say('arriving'),
    refresh: target,
    body: html`<p role="status">${texts.say('arrivingText')}</p>
<a class="button" href="${target}">${texts.say('continue')}</a>
`,
  })
}

export interface Returning {
  /** Where the client or the provider waits. The caller has checked that it is theirs. */
  readonly to: string
  /** Who waits there. */
  readonly client: string
}

/**
 * The way out to another site after a form of ours: browsers hold the redirects that answer a form to `form-action` too,
 * and would stop one that leaves (CSP3 §6.4.1.2).
 */
export function returning(page: Page, { to, client }: Returning): Html {
  const { texts } = page
  // A client chooses its own scheme, but never one that runs in the page.
  if (!/^[a-z][a-z0-9+.-]*:/i.test(to) || /^(?:javascript|data|vbscript|blob|file|about|view-source):/i.test(to))
    return problem(page, { detail: texts.say('refusedOther') })
  return layout(page, {
    title: texts.say('returning', { client: tame(client) }),
    refresh: to,
    body: html`<p role="status">${texts.say('returningText')}</p>
<a class="button" href="${to}">${texts.say('continue')}</a>
`,
  })
}

export interface Problem {
  readonly title?: string | undefined
  readonly detail: string
  readonly requestId?: string | undefined
  readonly signInLink?: boolean
}

export function problem(page: Page, model: Problem): Html {
  const { texts } = page
  return layout(page, {
    title: model.title ?? texts.say('problem'),
    body: [
      html`<p>${model.detail}</p>\n`,
      model.signInLink === true &&
        html`<a class="button" href="${page.base}/sign-in">${texts.say('backToSignIn')}</a>\n`,
      model.requestId !== undefined &&
        html`<p class="below small quiet">${texts.say('problemRequest', { id: model.requestId })}</p>\n`,
    ],
  })
}

/** A refusal as a whole page. */
export function refused(page: Page, refusal: Refusal, requestId: string): Html {
  return problem(page, {
    detail: refusalText(page, refusal),
    requestId,
    signInLink: leadsToSignIn.includes(refusal.code),
  })
}

/** A refusal in the words of the page, for its form to say. */
export function refusalText({ texts }: Page, refusal: Refusal): string {
  // What contradicts what, only the room knows, and it says so in English.
  if (refusal.code === 'conflict' && /^en\b/.test(texts.language)) return refusal.detail
  return texts.say(refusals[refusal.code] ?? 'refusedOther')
}

type PlainKey = Extract<TextKey, `refused${string}`>

const refusals: Readonly<Partial<Record<Code, PlainKey>>> = {
  'bad-request': 'refusedBody',
  'body-invalid': 'refusedBody',
  'content-too-large': 'refusedBody',
  'media-type-unsupported': 'refusedBody',
  'credentials-invalid': 'refusedCredentials',
  'credentials-required': 'refusedSession',
  'session-ended': 'refusedSession',
  'token-expired': 'refusedSession',
  'token-invalid': 'refusedSession',
  'token-revoked': 'refusedSession',
  'factor-invalid': 'refusedFactor',
  'second-factor-required': 'refusedStepUp',
  'step-up-required': 'refusedStepUp',
  'provider-failed': 'refusedProvider',
  'link-invalid': 'refusedLink',
  'cross-site': 'refusedCrossSite',
  'https-required': 'refusedHttps',
  'in-person-only': 'refusedInPerson',
  'registration-closed': 'refusedRegistration',
  conflict: 'refusedConflict',
  'permission-required': 'refusedPermission',
  'not-found': 'refusedMissing',
  'method-not-allowed': 'refusedMissing',
  'rate-limited': 'refusedLimit',
  unavailable: 'refusedUnavailable',
  draining: 'refusedUnavailable',
  'request-timeout': 'refusedUnavailable',
}

const leadsToSignIn: readonly Code[] = [
  'credentials-required',
  'session-ended',
  'token-expired',
  'token-invalid',
  'token-revoked',
  'provider-failed',
  'link-invalid',
  'factor-invalid',
]
