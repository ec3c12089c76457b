import type { FieldErrors } from '../../kernel/error.ts'
import { password, recoveryCodeField, totpField } from './fields.ts'
import { button, type Field, form, hidden, note, passkeyBlock, pathPart, returnQuery } from './form.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { proofs } from './proofs.ts'
import type { Page } from './stationery.ts'

export interface SignIn {
  readonly action: string
  readonly returnTo?: string | undefined
  readonly identifier?: string | undefined
  readonly error?: string | undefined
  readonly errors?: FieldErrors | undefined
  readonly providers: readonly { readonly name: string; readonly label: string }[]
  readonly passkeys: boolean
  readonly registration: 'open' | 'invited' | 'closed'
  /** Whether letters can be sent: without them nobody can ask for a new password. */
  readonly mail: boolean
  /** Something to say first, such as that the person is signed out. */
  readonly notice?: string | undefined
}

export function signIn(page: Page, model: SignIn): Html {
  const { texts, base } = page
  const onward = { return_to: model.returnTo }
  const or = html`<p class="or">${texts.say('or')}</p>\n`
  const fields: Field[] = [
    {
      name: 'identifier',
      id: 'identifier',
      label: texts.say('identifier'),
      autocomplete: model.passkeys ? 'username webauthn' : 'username',
      value: model.identifier,
      inputmode: 'email',
    },
    password(page, 'password', 'current-password'),
  ]
  const passkey =
    model.passkeys &&
    passkeyBlock(page, {
      kind: 'get',
      action: model.action,
      optionsPath: '/api/auth/login/passkey/options',
      optionsBody: {},
      hidden: onward,
      label: texts.say('signInPasskey'),
      look: 'second',
      autofill: true,
      ...(model.providers.length === 0 ? { before: or } : {}),
    })
  const providers = model.providers.map(
    ({ name, label }) =>
      html`<a class="button second" href="${base}/login/${pathPart(name)}${returnQuery(model.returnTo)}">${texts.say('signInWith', { provider: label })}</a>\n`,
  )
  const below = [
    model.mail && html`<p><a href="${base}/forgot">${texts.say('forgot')}</a></p>\n`,
    model.registration === 'open' &&
      html`<p>${texts.say('registerQuestion')} <a href="${base}/register${returnQuery(model.returnTo)}">${texts.say('registerLink')}</a></p>\n`,
  ].filter((line) => line !== false)
  return layout(page, {
    title: texts.say('signIn'),
    heading: texts.say('signInTo'),
    error: model.error,
    errors: model.errors,
    fields,
    script: model.passkeys,
    body: [
      note(model.notice),
      form(page, {
        action: model.action,
        hidden: onward,
        fields,
        errors: model.errors,
        button: button(texts.say('signIn')),
      }),
      providers.length > 0 && or,
      html`<div class="stack">${passkey}${providers}</div>\n`,
      below.length > 0 && html`<div class="below">${below}</div>\n`,
    ],
  })
}

export interface SecondFactor {
  readonly action: string
  /** What the first step answered. */
  readonly challenge: string
  readonly methods: readonly ('totp' | 'recovery-code' | 'passkey')[]
  readonly returnTo?: string | undefined
  readonly error?: string | undefined
  readonly errors?: FieldErrors | undefined
}

export function secondFactor(page: Page, model: SecondFactor): Html {
  const { texts } = page
  return layout(page, {
    title: texts.say('secondFactor'),
    error: model.error,
    errors: model.errors,
    fields: [totpField(page), recoveryCodeField(page)],
    script: model.methods.includes('passkey'),
    body: [
      html`<p>${texts.say('secondFactorText')}</p>\n`,
      proofs(page, {
        ...model,
        hidden: { challenge: model.challenge, return_to: model.returnTo },
        optionsPath: '/api/auth/login/passkey/options',
        optionsBody: { challenge: model.challenge },
        button: texts.say('continue'),
        passkeyButton: texts.say('secondFactorPasskey'),
      }),
      html`<p class="below"><a href="${page.base}/sign-in${returnQuery(model.returnTo)}">${texts.say('backToSignIn')}</a></p>\n`,
    ],
  })
}

export interface SignOut {
  readonly action: string
  readonly who: string
  readonly returnTo?: string | undefined
}

export function signOut(page: Page, model: SignOut): Html {
  const { texts } = page
  return layout(page, {
    title: texts.say('signOut'),
    heading: texts.say('signOutQuestion'),
    body: html`<p>${texts.say('signOutText', { who: model.who })}</p>
<form class="stack" method="post" action="${model.action}">
${hidden({ return_to: model.returnTo })}${button(texts.say('signOut'))}<a class="button second" href="${page.base}/account">${texts.say('staySignedIn')}</a>
</form>
`,
  })
}
