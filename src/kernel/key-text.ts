import { crc32 } from 'node:zlib'

/** What an API key says of itself in clear. */
export interface KeyText {
  /** `gh_live` */
  readonly prefix: string
  readonly id: string
}

/**
 * Reads an API key: `<prefix>_<id>_<secret><checksum>`, where the checksum is the CRC-32 of all before it in base 62. Tells
 * nothing of whether the key is good; undefined for what was not written as a key, mistyped or cut.
 */
export function readKeyText(text: string): KeyText | undefined {
  const idAt = text.length - keyTailLength
  if (idAt < 2 || idAt > prefixLengthMax + 1 || !form.test(text)) return undefined
  const sumAt = text.length - sumLength
  if (crc32(text.slice(0, sumAt)) !== numberOf(text, sumAt)) return undefined
  return { prefix: text.slice(0, idAt - 1), id: text.slice(idAt, idAt + idLength) }
}

/** The whole text of a key: what was chosen of it, and its checksum. */
export function writeKeyText(prefix: string, id: string, secret: string): string {
  const text = `${prefix}_${id}_${secret}`
  return text + base62(BigInt(crc32(text)), sumLength)
}

/** A whole number in base 62, digits before capitals before small letters, with zeros in front. */
export function base62(value: bigint, width: number): string {
  let text = ''
  for (let rest = value; text.length < width; rest /= 62n) text = digits.charAt(Number(rest % 62n)) + text
  return text
}

export const prefixLengthMax = 20
export const idLength = 15
/** 62^43 exceeds 2^256. */
export const secretLength = 43
const sumLength = 6
/** From the id to the end. */
export const keyTailLength = idLength + 1 + secretLength + sumLength

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const form = /^[a-z0-9]+(?:_[a-z0-9]+)*_[0-9A-Za-z]{15}_[0-9A-Za-z]{49}$/

function numberOf(text: string, from: number): number {
  let value = 0
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    value = value * 62 + (code < 0x3a ? code - 0x30 : code < 0x5b ? code - 0x37 : code - 0x3d)
  }
  return value
}
