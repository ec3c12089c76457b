import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
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
    const text = readOwnFile(ref.file)?.replace(/\r?\n$/, '')
    if (text === undefined) return { problem: `\`${ref.file}\` can be read by others: \`chmod 600\` it` }
    return text === '' ? { problem: `\`${ref.file}\` is empty` } : new Secret(text)
  } catch (error) {
    return { problem: `\`${ref.file}\` cannot be read (${(error as NodeJS.ErrnoException).code})` }
  }
}

/**
 * What a file holds, or undefined where more people than allowed may use it: group and others, unless `forbidden` names other
 * bits of its mode. The file that is judged is the one that is read.
 */
export function readOwnFile(path: string, forbidden = 0o077): string | undefined {
  const file = openSync(path, 'r')
  try {
    const shared = process.platform !== 'win32' && (fstatSync(file).mode & forbidden) !== 0
    return shared ? undefined : readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}
