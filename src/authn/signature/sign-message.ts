import type { KeyObject } from 'node:crypto'
import {
  type Component,
  componentOf,
  type SignedMessage,
  signatureBase,
  signatureParams,
} from '../../wire/signature-base.ts'
import { type BareItem, isMalformed } from '../../wire/structured-fields.ts'
import { type MessageSignatureAlgorithm, messageSignatureAlgorithms } from './algorithms.ts'

export { contentDigest } from './content-digest.ts'

/** A request that is going out, and how to sign it. */
export interface OutgoingMessage {
  readonly method: string
  /** The whole address, as it will be asked for. */
  readonly targetUri: string
  /** By names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  /** What is covered, in this order. */
  readonly components: readonly string[]
  readonly keyid: string
  /** Of the key: it is not said in the message, since whoever verifies knows it by the key. */
  readonly alg: MessageSignatureAlgorithm
  readonly key: KeyObject
  /** Seconds since the epoch. */
  readonly created: number
  readonly nonce?: string | undefined
  readonly tag?: string | undefined
  readonly label?: string | undefined
}

/**
 * Signs a request (RFC 9421 §3.1) and answers the values of `Signature-Input` and `Signature`. Throws a `TypeError` where a
 * component is not there: that is a mistake of ours and no property of the request.
 */
export function signMessage(outgoing: OutgoingMessage): { signatureInput: string; signature: string } {
  const { method, headers, keyid, alg, key, created, nonce, tag, label = 'sig' } = outgoing
  const components = outgoing.components.map(componentNamed)
  const parameters = new Map<string, BareItem>([
    ['created', { type: 'integer', value: created }],
    ['keyid', { type: 'string', value: keyid }],
  ])
  if (nonce !== undefined) parameters.set('nonce', { type: 'string', value: nonce })
  if (tag !== undefined) parameters.set('tag', { type: 'string', value: tag })
  const message: SignedMessage = { method, ...partsOf(outgoing.targetUri), lines: (name) => linesIn(headers, name) }
  const made = signatureBase(components, parameters, message)
  if ('problem' in made) throw new TypeError(`cannot sign: ${made.problem}`)
  const signature = messageSignatureAlgorithms[alg].sign(key, Buffer.from(made.base))
  return {
    signatureInput: `${label}=${signatureParams(components, parameters)}`,
    signature: `${label}=:${signature.toString('base64')}:`,
  }
}

function componentNamed(text: string): Component {
  const component = componentOf(text)
  if (isMalformed(component)) throw new TypeError(`cannot sign: \`${text}\` is no component: ${component.problem}`)
  return component
}

/** An address in its parts, as they are spelled. */
function partsOf(uri: string): Required<Pick<SignedMessage, 'scheme' | 'authority' | 'path' | 'query'>> {
  const match = /^(https?):\/\/([^/?#]+)([^?#]*)(\?[^#]*)?/i.exec(uri)
  if (match === null) throw new TypeError('cannot sign: the address has to be an http or https one')
  const [, scheme = '', authority = '', path = '', query = ''] = match
  return { scheme: scheme.toLowerCase(), authority, path: path === '' ? '/' : path, query }
}

function linesIn(headers: ReadonlyMap<string, string>, name: string): readonly string[] {
  const value = headers.get(name)
  return value === undefined ? [] : [value]
}
