import type { FieldErrors } from '../../kernel/error.ts'
import { password, recoveryCodeField, totpField } from './fields.ts'
import { button, form, passkeyBlock } from './form.ts'
import { type Html, html } from './html.ts'
import type { Page } from './stationery.ts'

export interface Proofs {
  readonly action: string
  readonly methods: readonly ('password' | 'totp' | 'recovery-code' | 'passkey')[]
  readonly errors?: FieldErrors | undefined
  readonly hidden: Readonly<Record<string, string | undefined>>
  readonly optionsPath: string
  readonly optionsBody?: Readonly<Record<string, string | undefined>>
  /** Whose password it is, so that a password manager finds it. */
  readonly account?: string | undefined
  readonly button: string
  readonly passkeyButton: string
}

/** The ways in which a person may prove themself, each a form of its own. */
export function proofs(page: Page, model: Proofs): Html {
  const { texts } = page
  const { action, hidden, errors, methods } = model
  const has = (method: (typeof methods)[number]) => methods.includes(method)
  const first = button(model.button)
  const later = button(model.button, 'second')
  const blocks = [
    has('passkey') &&
      html`${passkeyBlock(page, {
        kind: 'get',
        action,
        optionsPath: model.optionsPath,
        ...(model.optionsBody === undefined ? {} : { optionsBody: model.optionsBody }),
        hidden,
        label: model.passkeyButton,
        ...(has('totp') || has('password') ? { look: 'second' as const } : {}),
      })}${!has('totp') && !has('password') && html`<p data-without-passkey>${texts.say('secondFactorScriptless')}</p>\n`}`,
    has('password') &&
      form(page, {
        action,
        hidden,
        errors,
        owner: model.account,
        fields: [password(page, 'password', 'current-password')],
        button: first,
      }),
    has('totp') &&
      form(page, { action, hidden, errors, fields: [totpField(page)], button: has('password') ? later : first }),
  ]
  // A passkey is a click; but it may be hidden, so it stands below what is always there.
  const [passkey, ...others] = blocks
  const recovery = form(page, { action, hidden, errors, fields: [recoveryCodeField(page)], button: later })
  const lone = methods.length === 1
  return html`<div class="stack apart">
${others}${passkey}</div>
${
  has('recovery-code') &&
  (lone
    ? recovery
    : html`<details${errors?.['recovery_code'] !== undefined && ' open'}><summary>${texts.say('useRecoveryCode')}</summary>\n${recovery}</details>\n`)
}`
}
