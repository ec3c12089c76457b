import type { KeyObject } from 'node:crypto'
import type { RawHeaders } from '../../http/raw-headers.ts'
import type { Refusal } from '../../kernel/error.ts'
import type { Signer } from '../holder.ts'
import { type Checking, nobody, type SignatureParts } from './checking.ts'
import { linesOf } from './field.ts'
import { KeyedHash } from './keyed-hash.ts'
import { isWithin, rememberUntilMs } from './moment.ts'
import { doesNotHold, notAcceptable } from './refusals.ts'

/** What a form of shared secrets reads from the head. */
export interface Presented {
  /** Of 32 bytes. */
  readonly signature: Uint8Array
  /** Seconds since the epoch. */
  readonly at: number
}

/** Around the body: what is hashed before it and after it. */
export interface Framed {
  readonly before: string
  readonly after: string
}

/** How the two forms of shared secrets differ. */
export interface SharedSecretForm {
  readonly form: string
  readonly service: string | undefined
  readonly serviceHeader: string | undefined
  readonly window: number
}

/** Checks a signature by a service's secret over the body between two texts, as the body comes. */
export function checkSharedSecret(
  options: SharedSecretForm,
  { signerOf, isFresh, windowMaxMs, clock }: SignatureParts,
  headers: RawHeaders,
  { signature, at }: Presented,
  { before, after }: Framed,
): Checking | Refusal {
  if (!isWithin(at, options.window, clock)) return notAcceptable('The signature is of another time than now')
  const name = options.service ?? nameIn(headers, options.serviceHeader ?? defaultServiceHeader)
  if (typeof name === 'object') return name
  const signer: Signer | undefined = signerOf(name)
  const hash = new KeyedHash(signer?.secrets ?? [])
  hash.update(before)
  let by: KeyObject | undefined
  return {
    holder: signer?.holder ?? nobody,
    coversBody: true,
    update: (chunk) => hash.update(chunk),
    async finish() {
      hash.update(after)
      by = hash.secretOf(signature)
      if (signer === undefined) return doesNotHold(`no service is called \`${shown(name)}\``)
      if (by === undefined)
        return doesNotHold(
          signer.secrets.length === 0
            ? `\`${signer.name}\` has no secret`
            : `it is not the signature of \`${signer.name}\``,
        )
      // By form and not by scheme: what was sent to one route is not good for another with a scheme of its own.
      const said = `signature ${options.form} ${signer.name} ${Buffer.from(signature).toString('base64')}`
      const fresh = await isFresh(said, rememberUntilMs(at, windowMaxMs))
      return fresh ? undefined : doesNotHold(`\`${signer.name}\` has used it before`)
    },
    signer() {
      const current = signerOf(name)
      return current?.secrets.some((secret) => by?.equals(secret)) === true ? current.holder : undefined
    },
  }
}

/** The one value of a field; undefined where it did not come, a refusal where it came more than once. */
export function soleField(headers: RawHeaders, name: string): string | undefined | Refusal {
  const lines = linesOf(headers, name.toLowerCase())
  return lines.length > 1 ? notAcceptable(`\`${name}\` came more than once`) : lines[0]
}

const defaultServiceHeader = 'X-Service'

function nameIn(headers: RawHeaders, field: string): string | Refusal {
  return soleField(headers, field) ?? notAcceptable(`\`${field}\` has to say who signs`)
}

function shown(name: string): string {
  return name.slice(0, 64)
}
