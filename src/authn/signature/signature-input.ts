import type { Component } from '../../wire/signature-base.ts'
import type { BareItem, Dictionary, Malformed, Parameters } from '../../wire/structured-fields.ts'

/** One signature of a message, read (RFC 9421 §4). */
export interface SignatureInput {
  readonly components: readonly Component[]
  /** As they came, in their order: they are part of what was signed. */
  readonly parameters: Parameters
  /** Seconds since the epoch. */
  readonly created: number
  readonly expires: number | undefined
  readonly keyid: string
  readonly nonce: string | undefined
  readonly alg: string | undefined
  readonly tag: string | undefined
  readonly signature: Buffer
}

/** Reads the signature of a label, or says what is wrong with it. `created` and `keyid` have to be there. */
export function readSignature(label: string, inputs: Dictionary, signatures: Dictionary): SignatureInput | Malformed {
  const input = inputs.get(label)
  if (input === undefined || !('items' in input)) return malformed(label, 'has to be a list of components')
  const signature = signatures.get(label)
  if (signature === undefined) return { problem: `\`Signature\` has no \`${label}\`` }
  if (!('item' in signature) || signature.item.type !== 'bytes')
    return { problem: `\`Signature\`: \`${label}\` has to be bytes` }
  if (input.items.length > componentsMax) return malformed(label, `covers more than ${componentsMax} components`)

  const components: Component[] = []
  for (const { item, parameters } of input.items) {
    if (item.type !== 'string') return malformed(label, 'names a component that is no string')
    components.push({ name: item.value, parameters })
  }
  const read = readParameters(input.parameters)
  if ('problem' in read) return malformed(label, read.problem)
  return {
    ...read,
    components,
    parameters: input.parameters,
    signature: Buffer.from(signature.item.base64, 'base64'),
  }
}

const componentsMax = 64

/** The parameters that are registered (RFC 9421 §6.3), with their types. */
const types: Readonly<Record<string, BareItem['type']>> = {
  created: 'integer',
  expires: 'integer',
  nonce: 'string',
  alg: 'string',
  keyid: 'string',
  tag: 'string',
}

type Read = Pick<SignatureInput, 'created' | 'expires' | 'keyid' | 'nonce' | 'alg' | 'tag'>

function readParameters(parameters: Parameters): Read | Malformed {
  for (const [key, { type }] of parameters) {
    const expected = Object.hasOwn(types, key) ? types[key] : undefined
    if (expected === undefined) return { problem: `has a parameter \`${key}\`, which is not supported` }
    if (type !== expected) return { problem: `has a \`${key}\` that is no ${expected}` }
  }
  const created = numberOf(parameters.get('created'))
  const keyid = textOf(parameters.get('keyid'))
  if (created === undefined || created < 0) return { problem: 'has to say when it was `created`' }
  if (keyid === undefined || keyid === '') return { problem: 'has to say its `keyid`' }
  const [nonce, expires] = [textOf(parameters.get('nonce')), numberOf(parameters.get('expires'))]
  if (nonce !== undefined && (nonce === '' || nonce.length > nonceLengthMax))
    return { problem: `has to have a nonce of 1 to ${nonceLengthMax} characters` }
  if (expires !== undefined && expires < created) return { problem: 'expires before it was created' }
  return { created, expires, keyid, nonce, alg: textOf(parameters.get('alg')), tag: textOf(parameters.get('tag')) }
}

const nonceLengthMax = 256

function numberOf(item: BareItem | undefined): number | undefined {
  return item?.type === 'integer' ? item.value : undefined
}

function textOf(item: BareItem | undefined): string | undefined {
  return item?.type === 'string' ? item.value : undefined
}

function malformed(label: string, what: string): Malformed {
  return { problem: `\`Signature-Input\`: \`${label}\` ${what}` }
}
