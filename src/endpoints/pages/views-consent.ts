import { button, type Field, form, hidden, momentText, tame } from './form.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { isOwnPath } from './own-path.ts'
import type { Page } from './stationery.ts'
import type { TextKey } from './texts-en.ts'

/** Who asks. The name is the client's own word; the host is where people are sent, or where the client is described. */
export interface AskingClient {
  readonly name: string
  /** Undefined for a program on the person's own device. */
  readonly host: string | undefined
  /** Whether an operator made the client. */
  readonly verified: boolean
}

export interface AskedScope {
  readonly name: string
  readonly text: string
}

export interface Consent {
  readonly action: string
  readonly client: AskingClient
  /** Where the answer goes, where that is elsewhere than the client's host: another host, or this very device. */
  readonly back?: { readonly host: string | undefined } | undefined
  readonly scopes: readonly AskedScope[]
  readonly resources: readonly string[]
  /** How long at most, where the client goes on while the person is away; else it ends with their session here. */
  readonly lifetimeMs: number | undefined
  /** Who would grant it. */
  readonly account: string
  /** The request itself, as a path of ours: where somebody comes back to who signs out to use another account. */
  readonly again?: string | undefined
}

/** Asks whether a client may act for a person. Answers with `decision` being `allow` or `deny`. */
export function consent(page: Page, model: Consent): Html {
  const { texts } = page
  const { back } = model
  const { host, verified } = model.client
  const client = nameOf(page, model.client)
  // biome-ignore format: a table
  const facts = [
    { name: texts.say('consentAccount'),  value: model.account },
    { name: texts.say('consentResource'), value: model.resources.map(tame).join(', ') },
    { name: texts.say('consentBack'),     value: back === undefined ? '' : tame(back.host ?? texts.say('consentBackHere')) },
    { name: texts.say('consentLifetime'), value: lasting(page, model.lifetimeMs) },
  ].filter(({ value }) => value !== '')
  return layout(page, {
    title: texts.say('consent', { client }),
    body: html`${unchecked(page, verified)}<p>${
      host === undefined
        ? texts.say('consentTextHere', { client })
        : texts.say('consentText', { client, host: tame(host) })
    }</p>
${scopeList(model.scopes)}<dl class="facts">
${facts.map(({ name, value }) => html`<dt>${name}</dt><dd><bdi>${value}</bdi></dd>\n`)}</dl>
<div class="note"><p>${
      host === undefined ? texts.say('consentWarningHere') : texts.say('consentWarning', { host: tame(host) })
    }</p></div>
${choice(page, model.action, {})}<p class="below small quiet">${texts.say('consentEnd')}</p>
${otherAccount(page, model.again)}`,
  })
}

export interface DeviceCode {
  readonly action: string
  /** What was typed, or stood in the address. It is typed in for the person, and never sent for them (RFC 8628 §5.4). */
  readonly code?: string | undefined
  readonly wrong: boolean
}

/** Where a person types the code that their device shows (RFC 8628 §3.3): `user_code`, with or without hyphens and capitals. */
export function deviceCode(page: Page, { action, code, wrong }: DeviceCode): Html {
  const { texts } = page
  const typed: Field = {
    name: 'user_code',
    id: 'user-code',
    label: texts.say('deviceCode'),
    hint: texts.say('deviceCodeHint'),
    autocomplete: 'off',
    value: code,
    kind: 'code',
  }
  return layout(page, {
    title: texts.say('device'),
    error: wrong ? texts.say('deviceCodeWrong') : undefined,
    fields: [typed],
    body: html`<p>${texts.say('deviceText')}</p>
${form(page, { action, fields: [typed], button: button(texts.say('continue')) })}`,
  })
}

export interface DeviceConfirm {
  readonly action: string
  readonly code: string
  readonly client: AskingClient
  readonly scopes: readonly AskedScope[]
  readonly resources?: readonly string[]
  /** Where the device asked from, and when, in milliseconds since the epoch. */
  readonly device: { readonly name: string; readonly address: string; readonly at?: number | undefined }
  readonly account: string
}

/**
 * Asks whether the device in front of the person may act for them. The code is shown again, to be held against it: somebody
 * elsewhere may have begun this, and sent the code along (RFC 8628 §5.4).
 */
export function deviceConfirm(page: Page, model: DeviceConfirm): Html {
  const { texts } = page
  const client = nameOf(page, model.client)
  const { host, verified } = model.client
  const { name, address, at } = model.device
  const from = [name, address].map(tame).filter((part) => part !== '')
  // biome-ignore format: a table
  const facts = [
    { name: texts.say('consentAccount'),  value: model.account },
    { name: texts.say('consentResource'), value: (model.resources ?? []).map(tame).join(', ') },
    { name: texts.say('deviceFrom'),      value: from.join(', ') },
    { name: texts.say('deviceAt'),        value: at === undefined ? '' : momentText(page, at) },
  ].filter(({ value }) => value !== '')
  return layout(page, {
    title: texts.say('deviceConfirm', { client }),
    body: html`<div class="note grave"><p>${texts.say('deviceWarning')}</p></div>
${unchecked(page, verified)}<p>${texts.say('deviceConfirmText')}</p>
<p class="shown-code"><code>${spelled(model.code)}</code></p>
<p>${
      host === undefined
        ? texts.say('deviceClientText', { client })
        : texts.say('consentText', { client, host: tame(host) })
    }</p>
${scopeList(model.scopes)}<dl class="facts">
${facts.map(({ name, value }) => html`<dt>${name}</dt><dd><bdi>${value}</bdi></dd>\n`)}</dl>
${choice(page, model.action, { user_code: model.code })}<p class="below small quiet">${texts.say('consentEnd')}</p>
`,
  })
}

export function deviceDone(page: Page, { allowed }: { readonly allowed: boolean }): Html {
  const { texts } = page
  return layout(page, {
    title: texts.say(allowed ? 'deviceAllowed' : 'deviceDenied'),
    body: html`<p role="status">${texts.say(allowed ? 'deviceAllowedText' : 'deviceDeniedText')}</p>
<p class="below"><a href="${page.base}/account">${texts.say('account')}</a></p>
`,
  })
}

/**
 * What no client may be told by redirect, for it may not be its own redirect (RFC 9700 §4.11.2). It leads nowhere: whatever
 * address was asked for is a stranger's.
 */
export function oauthProblem(
  page: Page,
  { error, description }: { readonly error: string; readonly description: string },
): Html {
  const { texts } = page
  const text = Object.hasOwn(oauthProblems, error) ? oauthProblems[error] : undefined
  return layout(page, {
    title: texts.say('oauthProblem'),
    body: html`<p>${texts.say(text ?? 'oauthProblemText')}</p>
<p>${texts.say('oauthProblemNext')}</p>
<p class="below small quiet"><code>${tame(error).slice(0, 100)}</code> ${tame(description).slice(0, 500)}</p>
`,
  })
}

const oauthProblems: Readonly<Record<string, Extract<TextKey, `oauthProblem${string}`>>> = {
  invalid_client: 'oauthProblemClient',
  invalid_redirect_uri: 'oauthProblemRedirect',
}

/** What a client calls itself. A name of which nothing can be seen is no name. */
export function nameOf({ texts }: Page, { name }: Pick<AskingClient, 'name'>): string {
  return tame(name) || texts.say('clientNameless')
}

function unchecked({ texts }: Page, verified: boolean): Html | undefined {
  if (verified) return undefined
  return html`<div class="note grave"><p>${texts.say('consentUnknown')}</p></div>\n`
}

function lasting({ texts }: Page, lifetimeMs: number | undefined): string {
  if (lifetimeMs === undefined) return texts.say('consentSession')
  return texts.say('consentAway', { duration: lifetime(texts.language, lifetimeMs) })
}

function scopeList(scopes: readonly AskedScope[]): Html {
  return html`<ul class="scopes">
${scopes.map(({ name, text }) => html`<li>${tame(text)} <code class="quiet">${tame(name)}</code></li>\n`)}</ul>
`
}

/** Two buttons of equal weight. */
function choice({ texts }: Page, action: string, unseen: Readonly<Record<string, string>>): Html {
  return html`<form method="post" action="${action}">
${hidden(unseen)}<div class="row choice">
${button(texts.say('consentAllow'), 'second', { name: 'decision', value: 'allow' })}${button(texts.say('consentDeny'), 'second', { name: 'decision', value: 'deny' })}</div>
</form>
`
}

function otherAccount({ texts, base }: Page, again: string | undefined): Html {
  const label = texts.say('consentOther')
  if (again === undefined || !isOwnPath(again))
    return html`<p class="below small"><a href="${base}/sign-out">${label}</a></p>\n`
  return html`<form class="below" method="post" action="${base}/sign-out">
${hidden({ return_to: again })}<button class="plain" type="submit">${label}</button>
</form>
`
}

/** `wdjb mjht` → `WDJB-MJHT`, as devices show it. */
function spelled(code: string): string {
  const letters = code.toUpperCase().replace(/[^A-Z0-9]/g, '')
  return letters.replace(/.{4}(?=.)/g, '$&-')
}

/** `2592000000` → `30 days`: the largest unit that says it in whole numbers. */
function lifetime(language: string, ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000))
  const unit = minutes % 1440 === 0 ? 'day' : minutes % 60 === 0 ? 'hour' : 'minute'
  const size = { day: 1440, hour: 60, minute: 1 }[unit]
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(minutes / size)
}
