import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The letters of a folder, decoded, oldest first. */
export function lettersIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.eml'))
    .toSorted()
    .map((name) => decoded(readFileSync(join(folder, name), 'utf8')))
}

/** The token of the link in a letter. */
export function tokenIn(letter: string | undefined): string | undefined {
  return /[?&]token=([\w-]{43})/.exec(letter ?? '')?.[1]
}

/** Quoted-printable, undone. */
function decoded(letter: string): string {
  return letter
    .replaceAll(/=\r?\n/g, '')
    .replaceAll(/(?:=[0-9A-F]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll('=', ''), 'hex').toString('utf8'))
}
