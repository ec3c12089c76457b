import type { KeyObject } from 'node:crypto'
import { sha256Hex } from '../../kernel/bytes.ts'
import type { Refusal } from '../../kernel/error.ts'
import { type SignedMessage, signatureBase, structuredFields } from '../../wire/signature-base.ts'
import { type Dictionary, isMalformed, parseDictionary } from '../../wire/structured-fields.ts'
import type { Signer } from '../holder.ts'
import { algorithmOf, messageSignatureAlgorithms } from './algorithms.ts'
import type { SignatureParts, SignatureScheme, SignedHead } from './checking.ts'
import { DigestCheck } from './content-digest.ts'
import { coverageOf } from './coverage.ts'
import { linesOf } from './field.ts'
import { KeyedHash } from './keyed-hash.ts'
import { isWithin, rememberUntilMs } from './moment.ts'
import type { MessageSignatureOptions } from './options.ts'
import { doesNotHold, notAcceptable, required } from './refusals.ts'
import { readSignature, type SignatureInput } from './signature-input.ts'

/**
 * HTTP message signatures (RFC 9421) on requests. The signature is over the head, and the body by its digest (RFC 9530): it
 * is checked before a byte of the body is read, and the body as it comes.
 */
export function messageSignatures(options: MessageSignatureOptions, parts: SignatureParts): SignatureScheme {
  const { isFresh, windowMaxMs, clock } = parts
  const structures = new Map([...structuredFields, ...Object.entries(options.structured)])
  const covers = coverageOf(options)

  return {
    begin(head) {
      const read = chosen(head)
      if ('code' in read) return read
      const { components, parameters, created, expires, nonce, keyid, alg } = read
      if (!isWithin(created, options.window, clock)) return notAcceptable('The signature is of another time than now')
      if (expires !== undefined && expires * 1000 <= clock.now()) return notAcceptable('The signature has expired')
      const coverage = covers(components, head.hasBody)
      if ('problem' in coverage) return notAcceptable(coverage.problem)
      const digests = coverage.body ? DigestCheck.of(linesOf(head.headers, 'content-digest')) : undefined
      if (digests !== undefined && 'problem' in digests) return notAcceptable(digests.problem)
      const made = signatureBase(components, parameters, messageOf(head), structures)
      if ('problem' in made) return notAcceptable(`The signature covers what cannot be told: ${made.problem}`)
      const verified = verify(keyid, alg, Buffer.from(made.base), read.signature)
      if ('code' in verified) return verified
      const { signer } = verified
      // ECDSA has two signatures for one: it is the text that was signed, not its signature, that is good once.
      const once = nonce !== undefined ? `nonce ${nonce}` : sha256Hex(made.base)
      const said = `signature rfc9421 ${signer.name} ${once}`
      return {
        holder: signer.holder,
        coversBody: digests !== undefined,
        update: (chunk) => digests?.update(chunk),
        async finish() {
          if (digests?.fits() === false) return doesNotHold(`the body is not the one that \`${signer.name}\` signed`)
          const fresh = await isFresh(said, rememberUntilMs(created, windowMaxMs))
          return fresh ? undefined : doesNotHold(`\`${signer.name}\` has used it before`)
        },
        signer() {
          const current = keyOf(keyid)
          if (current?.signer.name !== signer.name) return undefined
          const keys = current.publicKey === undefined ? current.signer.secrets : [current.publicKey]
          return keys.some((key) => key.equals(verified.by)) ? current.signer.holder : undefined
        },
      }
    },
  }

  /** The signature that counts, or why there is none. */
  function chosen({ headers }: SignedHead): SignatureInput | Refusal {
    const inputLines = linesOf(headers, 'signature-input')
    const signatureLines = linesOf(headers, 'signature')
    if (inputLines.length === 0) return required('Signature-Input')
    if (signatureLines.length === 0) return required('Signature')
    const inputs = parseDictionary(inputLines.join(', '))
    if (isMalformed(inputs)) return notAcceptable(`\`Signature-Input\` is malformed: ${inputs.problem}`)
    const signatures = parseDictionary(signatureLines.join(', '))
    if (isMalformed(signatures)) return notAcceptable(`\`Signature\` is malformed: ${signatures.problem}`)
    const label = options.label ?? onlyLabel(inputs)
    if (typeof label === 'object') return label
    if (!inputs.has(label)) return required(`Signature-Input: ${label}`)
    const read = readSignature(label, inputs, signatures)
    if ('problem' in read) return notAcceptable(read.problem)
    if (options.tag !== undefined && read.tag !== options.tag)
      return notAcceptable(`The signature has to be for \`${options.tag}\``)
    return options.nonce && read.nonce === undefined ? notAcceptable('The signature has to carry a nonce') : read
  }

  /** The only signature that fits: by its tag where one is asked for, by a key that is known where there are others. */
  function onlyLabel(inputs: Dictionary): string | Refusal {
    if (inputs.size > labelsMax) return notAcceptable(`There are more than ${labelsMax} signatures`)
    const tagged = [...inputs].filter(([, { parameters }]) => {
      const tag = parameters.get('tag')
      return options.tag === undefined || (tag?.type === 'string' && tag.value === options.tag)
    })
    const [first, ...more] = tagged
    if (first === undefined) return required(options.tag === undefined ? 'Signature-Input' : `tag ${options.tag}`)
    if (more.length === 0) return first[0]
    const known = tagged.filter(([, { parameters }]) => {
      const keyid = parameters.get('keyid')
      return keyid?.type === 'string' && keyOf(keyid.value) !== undefined
    })
    const [only, ...others] = known
    if (only === undefined) return doesNotHold('no signature names a key that is known here')
    return others.length === 0 ? only[0] : notAcceptable('More than one signature could be meant')
  }

  /** Who signs with a key, and by what: the secrets of a service by its name, or the public key of that id. */
  function keyOf(keyid: string): { readonly signer: Signer; readonly publicKey: KeyObject | undefined } | undefined {
    const found = (): ReturnType<typeof keyOf> => {
      const named = parts.signerOf(keyid)
      if (named !== undefined && named.secrets.length > 0) return { signer: named, publicKey: undefined }
      const owner = parts.byKeyId(keyid)
      const publicKey = owner?.publicKeys.find(({ kid }) => kid === keyid)?.key
      return owner === undefined || publicKey === undefined ? undefined : { signer: owner, publicKey }
    }
    const key = found()
    return options.service === undefined || key?.signer.name === options.service ? key : undefined
  }

  /** Who has signed, and by which of their keys; or why nobody has. */
  function verify(
    keyid: string,
    alg: string | undefined,
    base: Buffer,
    signature: Uint8Array,
  ): { readonly signer: Signer; readonly by: KeyObject } | Refusal {
    const key = keyOf(keyid)
    if (key?.publicKey !== undefined) {
      const algorithm = algorithmOf(key.publicKey, options.rsa)
      if (algorithm === undefined) return doesNotHold(`the key \`${keyid}\` is of a kind that signs no messages`)
      if (alg !== undefined && alg !== algorithm) return doesNotHold(`the key \`${keyid}\` is for ${algorithm}`)
      return messageSignatureAlgorithms[algorithm].verify(key.publicKey, base, signature)
        ? { signer: key.signer, by: key.publicKey }
        : doesNotHold(`it is no signature by the key \`${keyid}\``)
    }
    const hash = new KeyedHash(key?.signer.secrets ?? [])
    hash.update(base)
    const by = hash.secretOf(signature)
    if (key === undefined) return doesNotHold(`no key here is called \`${keyid.slice(0, 128)}\``)
    if (alg !== undefined && alg !== 'hmac-sha256') return doesNotHold(`the secret of \`${keyid}\` is for hmac-sha256`)
    return by === undefined ? doesNotHold(`it is not the signature of \`${keyid}\``) : { signer: key.signer, by }
  }
}

const labelsMax = 8

function messageOf({ method, path, query, authority, scheme, headers }: SignedHead): SignedMessage {
  return { method, path, query, authority, scheme, lines: (name) => linesOf(headers, name) }
}
