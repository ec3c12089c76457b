import { hidden, momentText, tame } from './form.ts'
import { type Html, html } from './html.ts'
import type { Page } from './stationery.ts'
import { type AskedScope, nameOf } from './views-consent.ts'

/** A program that a person has allowed to act for them. */
export interface Application {
  readonly handle: string
  readonly name: string
  /** Whether an operator made the client, nobody checked it, or it is not there any more. */
  readonly client: 'verified' | 'unverified' | 'gone'
  readonly hosts: readonly string[]
  readonly scopes: readonly AskedScope[]
  /** Milliseconds since the epoch. */
  readonly since: number
  readonly lastUsed: number | undefined
  /** How many sessions of it go on. */
  readonly sessions: number
}

/** What a person has allowed, with a button to withdraw each, for whoever it is theirs. */
export function applicationList(page: Page, applications: readonly Application[], mine: boolean): Html {
  const { texts } = page
  if (applications.length === 0) return html`<p>${texts.say('applicationsNone')}</p>\n`
  return html`<ul class="list">
${applications.map((one) => applicationRow(page, one, mine))}</ul>
`
}

function applicationRow(page: Page, one: Application, mine: boolean): Html {
  const { texts } = page
  const name = nameOf(page, one)
  const when = [
    texts.say('applicationSince', { when: momentText(page, one.since) }),
    ...(one.lastUsed === undefined ? [] : [texts.say('passkeyUsed', { when: momentText(page, one.lastUsed) })]),
    texts.say('applicationSessions', { count: one.sessions }),
  ].join(', ')
  return html`<li><div class="what"><h3><bdi>${name}</bdi></h3>
${one.hosts.length > 0 && html`<p class="small"><bdi>${one.hosts.map(tame).join(', ')}</bdi></p>\n`}${
  one.client !== 'verified' &&
  html`<p class="small quiet">${texts.say(one.client === 'gone' ? 'applicationGone' : 'consentUnknown')}</p>\n`
}<ul class="scopes small">
${one.scopes.map(({ text }) => html`<li>${tame(text)}</li>\n`)}</ul>
<p class="small quiet">${when}</p></div>${mine && withdrawal(page, one.handle, name)}</li>
`
}

function withdrawal({ texts, base }: Page, handle: string, name: string): Html {
  return html`<form method="post" action="${base}/account/applications/withdraw">${hidden({ application: handle })}<button class="button grave small" type="submit" aria-label="${texts.say('applicationWithdrawFrom', { client: name })}">${texts.say('applicationWithdraw')}</button></form>`
}
