import type { Field } from './form.ts'
import type { Page } from './stationery.ts'

export function password(page: Page, name: 'password' | 'current_password', autocomplete: string): Field {
  const label = page.texts.say(name === 'password' ? 'password' : 'currentPassword')
  return { name, id: name.replace('_', '-'), label, type: 'password', autocomplete }
}

/** A password to be chosen: the first of an account, or one in place of another. */
export function newPassword({ texts }: Page, min: number, label: 'password' | 'newPassword'): Field {
  return {
    name: 'password',
    id: 'password',
    label: texts.say(label),
    type: 'password',
    autocomplete: 'new-password',
    hint: texts.say('passwordHint', { min }),
  }
}

export function totpField({ texts }: Page): Field {
  return {
    name: 'code',
    id: 'code',
    label: texts.say('code'),
    autocomplete: 'one-time-code',
    hint: texts.say('codeHint'),
    kind: 'code',
    inputmode: 'numeric',
  }
}

export function recoveryCodeField({ texts }: Page): Field {
  return {
    name: 'recovery_code',
    id: 'recovery-code',
    label: texts.say('recoveryCode'),
    autocomplete: 'off',
    hint: texts.say('recoveryCodeHint'),
  }
}

export function email({ texts }: Page, value: string | undefined): Field {
  return { name: 'email', id: 'email', label: texts.say('email'), type: 'email', autocomplete: 'username', value }
}

export function usernameField({ texts }: Page, value: string | undefined): Field {
  return {
    name: 'username',
    id: 'username',
    label: texts.say('username'),
    autocomplete: 'nickname',
    value,
    hint: texts.say('usernameHint'),
  }
}
