import { readFileSync, statSync } from 'node:fs'
import { inspect } from 'node:util'

/** A text that is never shown by accident: printing, logging or serialising it shows that it is one, and no more. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  reveal(): string {
    return this.#text
  }

  toString(): string {
    return shown
  }

  toJSON(): string {
    return shown
  }

  [inspect.custom](): string {
    return shown
  }
}

const shown = '[secret]'

/** Where a secret is to be had: an environment variable, or a file that only its owner reads. */
export type SecretRef = { readonly env: string } | { readonly file: string }

/** Fetches a secret, or says in half a sentence why it cannot be had. A line break at the end of a file is no part of it. */
export function resolveSecret(
  ref: SecretRef,
  environment: Readonly<Record<string, string | undefined>>,
): Secret | { readonly problem: string } {
  if ('env' in ref) {
    const text = environment[ref.env]
    return text === undefined || text === ''
      ? { problem: `the environment variable \`${ref.env}\` is not set` }
      : new Secret(text)
  }
  try {
    const { mode } = statSync(ref.file)
    if ((mode & 0o077) !== 0) return { problem: `\`${ref.file}\` can be read by others: \`chmod 600\` it` }
    const text = readFileSync(ref.file, 'utf8').replace(/\r?\n$/, '')
    return text === '' ? { problem: `\`${ref.file}\` is empty` } : new Secret(text)
  } catch (error) {
    return { problem: `\`${ref.file}\` cannot be read: ${(error as Error).message}` }
  }
}
