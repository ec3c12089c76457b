import { readFileSync } from 'node:fs'
import { Fault } from '../../kernel/error.ts'
import { readOwnFile } from '../../kernel/secret.ts'

/** What a TLS connection to a sink is made with, as PEM. */
export interface Trust {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** Reads the files that a sink names. Throws a Fault that names the one that cannot be had. */
export function readTrust(
  name: string,
  { ca, cert, key }: { readonly [Part in keyof Trust]?: string | undefined },
): Trust {
  return {
    ...(ca === undefined ? {} : { ca: read(name, 'ca', ca, (path) => readFileSync(path, 'utf8')) }),
    ...(cert === undefined ? {} : { cert: read(name, 'cert', cert, (path) => readFileSync(path, 'utf8')) }),
    ...(key === undefined ? {} : { key: read(name, 'key', key, readOwnFile) }),
  }
}

function read(name: string, part: string, path: string, from: (path: string) => string | undefined): string {
  let text: string | undefined
  try {
    text = from(path)
  } catch (error) {
    throw new Fault('unavailable', `${name}: \`${part}\`: \`${path}\` cannot be read`, error)
  }
  if (text === undefined)
    throw new Fault('unavailable', `${name}: \`${part}\`: \`${path}\` can be read by others: \`chmod 600\` it`)
  return text
}
