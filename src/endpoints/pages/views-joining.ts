import type { FieldErrors } from '../../kernel/error.ts'
import { email, newPassword, password, usernameField } from './fields.ts'
import { button, type Field, form, returnQuery } from './form.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import type { Page } from './stationery.ts'

export interface Register {
  readonly action: string
  readonly returnTo?: string | undefined
  readonly error?: string | undefined
  readonly errors?: FieldErrors | undefined
  readonly values: {
    readonly email?: string | undefined
    readonly name?: string | undefined
    readonly username?: string | undefined
  }
  /** Whether people have user names. */
  readonly username: boolean
  readonly passwordLengthMin: number
}

export function register(page: Page, model: Register): Html {
  const { texts, options } = page
  const { terms } = options.links
  const fields: Field[] = [
    { name: 'name', id: 'name', label: texts.say('name'), autocomplete: 'name', value: model.values.name },
    email(page, model.values.email),
    ...(model.username ? [usernameField(page, model.values.username)] : []),
    newPassword(page, model.passwordLengthMin, 'password'),
  ]
  return layout(page, {
    title: texts.say('register'),
    error: model.error,
    errors: model.errors,
    fields,
    body: [
      form(page, {
        action: model.action,
        hidden: { return_to: model.returnTo },
        fields,
        errors: model.errors,
        button: button(texts.say('registerButton')),
        remark:
          terms === undefined
            ? undefined
            : html`<p class="small quiet">${texts.say('registerTerms')} <a href="${terms}">${texts.say('readTerms')}</a></p>\n`,
      }),
      html`<p class="below">${texts.say('signInQuestion')} <a href="${page.base}/sign-in${returnQuery(model.returnTo)}">${texts.say('signIn')}</a></p>\n`,
    ],
  })
}

export interface CheckYourMail {
  readonly kind: 'register' | 'reset' | 'email'
  readonly address: string
}

/** Says the same whether or not there is an account: the letter tells its reader, and the page tells nobody. */
export function checkYourMail(page: Page, { kind, address }: CheckYourMail): Html {
  const { texts, base } = page
  const said = { register: 'mailRegister', reset: 'mailReset', email: 'mailEmail' } as const
  const back =
    kind === 'email'
      ? html`<a href="${base}/account">${texts.say('account')}</a>`
      : html`<a href="${base}/sign-in">${texts.say('backToSignIn')}</a>`
  return layout(page, {
    title: texts.say('checkYourMail'),
    body: html`<p>${texts.say(said[kind], { address })}</p>
<p class="quiet small">${texts.say('mailLate')}</p>
<p class="below">${back}</p>
`,
  })
}

export interface Forgot {
  readonly action: string
  readonly email?: string | undefined
  readonly error?: string | undefined
  readonly errors?: FieldErrors | undefined
}

export function forgot(page: Page, model: Forgot): Html {
  const { texts } = page
  const fields = [email(page, model.email)]
  return layout(page, {
    title: texts.say('forgot'),
    error: model.error,
    errors: model.errors,
    fields,
    body: [
      html`<p>${texts.say('forgotText')}</p>\n`,
      form(page, { action: model.action, fields, errors: model.errors, button: button(texts.say('forgotButton')) }),
      html`<p class="below"><a href="${page.base}/sign-in">${texts.say('backToSignIn')}</a></p>\n`,
    ],
  })
}

export interface Reset {
  readonly action: string
  readonly token: string
  readonly error?: string | undefined
  readonly errors?: FieldErrors | undefined
  readonly passwordLengthMin: number
}

export function reset(page: Page, model: Reset): Html {
  const { texts } = page
  const fields = [newPassword(page, model.passwordLengthMin, 'newPassword')]
  return layout(page, {
    title: texts.say('reset'),
    error: model.error,
    errors: model.errors,
    fields,
    body: [
      html`<p>${texts.say('resetText')}</p>\n`,
      form(page, {
        action: model.action,
        hidden: { token: model.token },
        fields,
        errors: model.errors,
        button: button(texts.say('resetButton')),
      }),
    ],
  })
}

export interface Verify {
  readonly action: string
  readonly token: string
  /** Whether whoever has the link has to be who registered: the password says so. */
  readonly askPassword: boolean
  readonly error?: string | undefined
  readonly errors?: FieldErrors | undefined
}

/** A button, and no answer to the link alone: scanners of mail follow links, and press nothing. */
export function verify(page: Page, model: Verify): Html {
  const { texts } = page
  const fields = model.askPassword ? [password(page, 'password', 'current-password')] : []
  return layout(page, {
    title: texts.say('verify'),
    error: model.error,
    errors: model.errors,
    fields,
    body: [
      html`<p>${texts.say(model.askPassword ? 'verifyPasswordText' : 'verifyText')}</p>\n`,
      form(page, {
        action: model.action,
        hidden: { token: model.token },
        fields,
        errors: model.errors,
        button: button(texts.say('verifyButton')),
      }),
    ],
  })
}

export interface Invitation {
  readonly action: string
  readonly token: string
  readonly email: string
  readonly values: { readonly name?: string | undefined; readonly username?: string | undefined }
  readonly username: boolean
  readonly passwordLengthMin: number
  readonly error?: string | undefined
  readonly errors?: FieldErrors | undefined
}

export function invitation(page: Page, model: Invitation): Html {
  const { texts } = page
  const fields: Field[] = [
    { name: 'name', id: 'name', label: texts.say('name'), autocomplete: 'name', value: model.values.name },
    ...(model.username ? [usernameField(page, model.values.username)] : []),
    newPassword(page, model.passwordLengthMin, 'password'),
  ]
  return layout(page, {
    title: texts.say('invitation'),
    error: model.error,
    errors: model.errors,
    fields,
    body: [
      html`<p>${texts.say('invitationText', { address: model.email })}</p>\n`,
      form(page, {
        owner: model.email,
        action: model.action,
        hidden: { token: model.token },
        fields,
        errors: model.errors,
        button: button(texts.say('invitationButton')),
      }),
    ],
  })
}
