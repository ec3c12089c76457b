import type { Code, Refusal } from '../../kernel/error.ts'
import { button, hidden, tame } from './form.ts'
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

export interface Consent {
  readonly action: string
  /** The interaction that is decided on. */
  readonly uid: string
  readonly client: { readonly name: string; readonly host: string }
  readonly scopes: readonly { readonly name: string; readonly text: string }[]
  readonly resource?: string | undefined
  readonly lifetimeMs?: number | undefined
  /** Who would grant it. */
  readonly account: string
}

/** Asks whether a client may act for a person. Answers with `decision` being `allow` or `deny`. */
export function consent(page: Page, model: Consent): Html {
  const { texts } = page
  const client = tame(model.client.name)
  const host = tame(model.client.host)
  // biome-ignore format: a table
  const facts = [
    { name: texts.say('consentAccount'),  value: model.account },
    { name: texts.say('consentResource'), value: model.resource },
    { name: texts.say('consentLifetime'), value: model.lifetimeMs === undefined ? undefined : lifetime(texts.language, model.lifetimeMs) },
  ].filter(({ value }) => value !== undefined)
  return layout(page, {
    title: texts.say('consent', { client }),
    body: html`<p>${texts.say('consentText', { client, host })}</p>
<ul class="scopes">
${model.scopes.map(({ name, text }) => html`<li>${tame(text)} <code class="quiet">${tame(name)}</code></li>\n`)}</ul>
<dl class="facts">
${facts.map(({ name, value }) => html`<dt>${name}</dt><dd><bdi>${value}</bdi></dd>\n`)}</dl>
<div class="note"><p>${texts.say('consentWarning', { host })}</p></div>
<form method="post" action="${model.action}">
${hidden({ uid: model.uid })}<div class="row choice">
${button(texts.say('consentAllow'), undefined, { name: 'decision', value: 'allow' })}${button(texts.say('consentDeny'), 'second', { name: 'decision', value: 'deny' })}</div>
</form>
`,
  })
}

/** `2592000000` → `30 days`: the largest unit that says it in whole numbers. */
function lifetime(language: string, ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000))
  const unit = minutes % 1440 === 0 ? 'day' : minutes % 60 === 0 ? 'hour' : 'minute'
  const size = { day: 1440, hour: 60, minute: 1 }[unit]
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(minutes / size)
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
