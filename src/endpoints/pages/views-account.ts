import type { FieldErrors } from '../../kernel/error.ts'
import { newPassword, password, recoveryCodeField, totpField } from './fields.ts'
import { button, type Field, form, hidden, momentText, note, passkeyBlock, tame } from './form.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { proofs } from './proofs.ts'
import type { Page } from './stationery.ts'
import { type Application, applicationList } from './views-applications.ts'

export interface Account {
  readonly person: {
    readonly name: string
    readonly email: string
    readonly emailVerified: boolean
    readonly username?: string | undefined
    readonly hasPassword: boolean
  }
  readonly sessions: readonly {
    readonly id: string
    readonly device: string
    readonly address: string
    readonly lastSeen: number
    readonly current: boolean
  }[]
  /** Undefined where the house has none. */
  readonly passkeys:
    | readonly {
        readonly id: string
        readonly name: string
        readonly createdAt: number
        readonly lastUsed?: number | undefined
      }[]
    | undefined
  readonly totp: boolean
  readonly recoveryCodesLeft: number
  readonly identities: readonly {
    readonly provider: string
    readonly label: string
    readonly account?: string | undefined
  }[]
  /** Providers that are not linked yet. */
  readonly providers: readonly { readonly name: string; readonly label: string }[]
  /** What the person has allowed other people's clients; undefined where the house gives no tokens to any. */
  readonly applications: readonly Application[] | undefined
  readonly passwordLengthMin: number
  /** Whether letters can be sent: without them nobody can change their address. */
  readonly mail: boolean
  /** Whether somebody else acts as the person: nothing that proves them is theirs to change. */
  readonly impersonated: boolean
  readonly notice?: string | undefined
  readonly error?: string | undefined
  readonly errors?: FieldErrors | undefined
}

/**
 * What a person has here, and a form for each thing that they may do with it. Actions, under `base`/account:
 * `/sessions/end` (`session`), `/sessions/end-others`, `/passkeys` (`challenge`, `credential`, `name`),
 * `/passkeys/remove` (`passkey`), `/totp`, `/totp/remove`, `/recovery-codes`, `/password` (`current_password`, `password`),
 * `/email` (`email`), `/identities/link` and `/identities/unlink` (`provider`), `/applications/withdraw` (`application`).
 */
export function account(page: Page, model: Account): Html {
  const { texts, base } = page
  const { errors, person } = model
  const newEmail: Field = {
    name: 'email',
    id: 'new-email',
    label: texts.say('newEmail'),
    type: 'email',
    autocomplete: 'email',
  }
  const passwords = [
    ...(person.hasPassword ? [password(page, 'current_password', 'current-password')] : []),
    newPassword(page, model.passwordLengthMin, person.hasPassword ? 'newPassword' : 'password'),
  ]
  const passkeyName: Field = {
    name: 'name',
    id: 'passkey-name',
    label: texts.say('passkeyName'),
    autocomplete: 'off',
    hint: texts.say('passkeyNameHint'),
    optional: true,
  }
  const change = (title: string, action: string, fields: readonly Field[], said: string, verb: string) => {
    const open = fields.some(({ name }) => errors?.[name] !== undefined) && ' open'
    const remark = html`<p class="small quiet">${said}</p>\n`
    const owner = fields === passwords ? person.email : undefined
    return html`<details${open}><summary>${title}</summary>
${form(page, { action, owner, fields, errors, remark, button: button(verb, 'second') })}</details>
`
  }
  // biome-ignore format: a table
  const changes = [
    model.mail && change(texts.say('changeEmail'), `${base}/account/email`, [newEmail], texts.say('changeEmailText'), texts.say('changeEmailButton')),
    change(texts.say(person.hasPassword ? 'changePassword' : 'setPassword'), `${base}/account/password`, passwords, texts.say('changePasswordText'), texts.say('changePasswordButton')),
  ]
  const signOut = html`<form method="post" action="${base}/sign-out"><button class="plain" type="submit">${texts.say('signOut')}</button></form>`
  const mine = !model.impersonated
  return layout(page, {
    title: texts.say('account'),
    error: model.error,
    errors,
    fields: [newEmail, ...passwords, passkeyName],
    script: mine && model.passkeys !== undefined,
    wide: true,
    corner: signOut,
    body: [
      model.impersonated &&
        html`<div class="note grave" role="status"><p>${texts.say('impersonation', { who: person.name })}</p></div>\n`,
      note(model.notice),
      html`<dl class="facts">
<dt>${texts.say('name')}</dt><dd><bdi>${person.name}</bdi></dd>
<dt>${texts.say('email')}</dt><dd><bdi>${person.email}</bdi>${!person.emailVerified && html` <span class="quiet">(${texts.say('unverified')})</span>`}</dd>
${person.username !== undefined && html`<dt>${texts.say('username')}</dt><dd>${person.username}</dd>\n`}</dl>
`,
      mine && html`<div>${changes}</div>\n`,
      model.passkeys !== undefined &&
        section(
          texts.say('passkeys'),
          html`<p class="quiet">${texts.say('passkeysText')}</p>
${model.passkeys.length === 0 && html`<p>${texts.say('passkeysNone')}</p>\n`}${model.passkeys.length > 0 && html`<ul class="list">\n${model.passkeys.map((one) => passkeyRow(page, one, mine))}</ul>\n`}${
  mine &&
  html`${passkeyBlock(page, {
    kind: 'create',
    action: `${base}/account/passkeys`,
    optionsPath: '/api/auth/passkeys/options',
    fields: [passkeyName],
    errors,
    label: texts.say('addPasskey'),
    look: 'second',
  })}<p class="small quiet" data-without-passkey>${texts.say('passkeyUnsupported')}</p>\n`
}`,
        ),
      section(
        texts.say('factors'),
        html`<p>${texts.say(model.totp ? 'totpOn' : 'totpOff')}</p>
${model.totp && html`<p>${texts.say('recoveryCodesLeft', { count: model.recoveryCodesLeft })}. <span class="quiet">${texts.say('recoveryCodesRenewText')}</span></p>\n`}${
  mine &&
  html`<div class="row">
${
  model.totp
    ? [
        act(`${base}/account/recovery-codes`, texts.say('recoveryCodesRenew'), 'second small'),
        act(`${base}/account/totp/remove`, texts.say('totpRemoveButton'), 'grave small'),
      ]
    : act(`${base}/account/totp`, texts.say('totpEnrolButton'), 'second small')
}</div>\n`
}`,
      ),
      model.identities.length + model.providers.length > 0 &&
        section(
          texts.say('identities'),
          html`<p class="quiet">${texts.say('identitiesText')}</p>
${
  model.identities.length > 0 &&
  html`<ul class="list">\n${model.identities.map(
    ({ provider, label, account }) =>
      html`<li><div class="what"><h3>${label}</h3>${account !== undefined && html`<p class="small quiet"><bdi>${tame(account)}</bdi></p>`}</div>${mine && act(`${base}/account/identities/unlink`, texts.say('unlink', { provider: label }), 'grave small', { provider })}</li>\n`,
  )}</ul>\n`
}${
  mine &&
  model.providers.length > 0 &&
  html`<div class="row">${model.providers.map(({ name, label }) => act(`${base}/account/identities/link`, texts.say('link', { provider: label }), 'second small', { provider: name }))}</div>\n`
}`,
        ),
      model.applications !== undefined &&
        section(
          texts.say('applications'),
          html`<p class="quiet">${texts.say('applicationsText')}</p>
${applicationList(page, model.applications, mine)}`,
        ),
      section(
        texts.say('sessions'),
        html`<ul class="list">
${model.sessions.map((one) => sessionRow(page, one, mine))}</ul>
${mine && model.sessions.length > 1 && html`<p class="small quiet">${texts.say('sessionsOther')}</p>\n${act(`${base}/account/sessions/end-others`, texts.say('sessionsEndOthers'), 'grave small')}`}`,
      ),
    ],
  })
}

function section(heading: string, body: Html): Html {
  return html`<section>
<h2>${heading}</h2>
${body}</section>
`
}

/** A form that is a button. `label` is read out where the button's own words leave open what it is about. */
function act(
  action: string,
  text: string,
  look: 'second small' | 'grave small',
  values: Readonly<Record<string, string>> = {},
  label?: string,
): Html {
  const said = label !== undefined && html` aria-label="${label}"`
  return html`<form method="post" action="${action}">${hidden(values)}<button class="button ${look}" type="submit"${said}>${text}</button></form>\n`
}

function passkeyRow(page: Page, one: NonNullable<Account['passkeys']>[number], mine: boolean): Html {
  const { texts } = page
  const name = tame(one.name) || texts.say('passkeyNameless')
  const said = [
    texts.say('passkeyMade', { when: momentText(page, one.createdAt) }),
    ...(one.lastUsed === undefined ? [] : [texts.say('passkeyUsed', { when: momentText(page, one.lastUsed) })]),
  ].join(', ')
  return html`<li><div class="what"><h3><bdi>${name}</bdi></h3><p class="small quiet">${said}</p></div>${
    mine &&
    act(
      `${page.base}/account/passkeys/remove`,
      texts.say('remove'),
      'grave small',
      { passkey: one.id },
      texts.say('removePasskey', { name }),
    )
  }</li>
`
}

function sessionRow(page: Page, one: Account['sessions'][number], mine: boolean): Html {
  const { texts } = page
  const device = tame(one.device) || texts.say('sessionDeviceless')
  const when = momentText(page, one.lastSeen)
  return html`<li><div class="what"><h3><bdi>${device}</bdi>${one.current && html` <span class="mark">${texts.say('sessionCurrent')}</span>`}</h3><p class="small quiet"><bdi>${one.address}</bdi> · ${texts.say('sessionSeen', { when })}</p></div>${
    mine &&
    !one.current &&
    act(
      `${page.base}/account/sessions/end`,
      texts.say('sessionEnd'),
      'second small',
      { session: one.id },
      texts.say('sessionEndOf', { device, when }),
    )
  }</li>
`
}

export interface TotpEnrol {
  readonly action: string
  /** The code as a picture of ours. */
  readonly qrSvg: string
  /** In base32. */
  readonly secret: string
  readonly error?: string | undefined
  readonly errors?: FieldErrors | undefined
}

export function totpEnrol(page: Page, model: TotpEnrol): Html {
  const { texts } = page
  const picture = `data:image/svg+xml;base64,${Buffer.from(model.qrSvg).toString('base64')}`
  const fields = [totpField(page)]
  return layout(page, {
    title: texts.say('totpEnrol'),
    error: model.error,
    errors: model.errors,
    fields,
    body: [
      html`<p>${texts.say('totpScan')}</p>
<img class="qr" src="${picture}" alt="${texts.say('totpQr')}" width="208" height="208">
<p>${texts.say('totpType')}<br><code>${model.secret.replace(/(.{4})(?=.)/g, '$1 ')}</code></p>
<p>${texts.say('totpConfirm')}</p>
`,
      form(page, {
        action: model.action,
        fields,
        errors: model.errors,
        button: button(texts.say('totpConfirmButton')),
      }),
      html`<p class="below"><a href="${page.base}/account">${texts.say('cancel')}</a></p>\n`,
    ],
  })
}

export interface RecoveryCodes {
  readonly codes: readonly string[]
}

export function recoveryCodes(page: Page, { codes }: RecoveryCodes): Html {
  const { texts } = page
  return layout(page, {
    title: texts.say('recoveryCodes'),
    body: html`<p>${texts.say('recoveryCodesText')}</p>
<ul class="codes">
${codes.map((code) => html`<li>${code}</li>\n`)}</ul>
<a class="button screen" href="${page.base}/account">${texts.say('recoveryCodesDone')}</a>
`,
  })
}

export interface StepUp {
  readonly action: string
  readonly methods: readonly ('password' | 'totp' | 'recovery-code' | 'passkey')[]
  /** Whose password it is. */
  readonly account: string
  readonly challenge?: string | undefined
  readonly returnTo?: string | undefined
  readonly error?: string | undefined
  readonly errors?: FieldErrors | undefined
}

export function stepUp(page: Page, model: StepUp): Html {
  const { texts } = page
  return layout(page, {
    title: texts.say('stepUp'),
    error: model.error,
    errors: model.errors,
    fields: [password(page, 'password', 'current-password'), totpField(page), recoveryCodeField(page)],
    script: model.methods.includes('passkey'),
    body: [
      html`<p>${texts.say('stepUpText')}</p>\n`,
      proofs(page, {
        action: model.action,
        methods: model.methods,
        errors: model.errors,
        hidden: { challenge: model.challenge, return_to: model.returnTo },
        optionsPath: '/api/auth/step-up/passkey/options',
        account: model.account,
        button: texts.say('stepUpButton'),
        passkeyButton: texts.say('stepUpPasskey'),
      }),
      html`<p class="below"><a href="${page.base}/account">${texts.say('cancel')}</a></p>\n`,
    ],
  })
}
