import { type Address, parseAddress, parseCidr } from '../../kernel/ip.ts'

/** The bits that all addresses of a network begin with, behind their family: a text of zeros and ones. Undefined for what is none. */
export function networkBits(text: string): string | undefined {
  const cidr = parseCidr(text)
  return cidr === undefined ? undefined : firstBits(cidr.network, cidr.prefixBits)
}

/** The bits of an address, likewise; the zone of a link-local one says nothing about its network. */
export function bitsOf(address: unknown): string | undefined {
  if (typeof address !== 'string') return undefined
  // What one request says is asked for again and again.
  if (address !== last.text) last = { text: address, bits: readBits(address) }
  return last.bits
}

let last: { readonly text: string; readonly bits: string | undefined } = { text: '', bits: undefined }

function readBits(text: string): string | undefined {
  const zone = text.indexOf('%')
  const address = parseAddress(zone < 0 ? text : text.slice(0, zone))
  return address === undefined ? undefined : firstBits(address, address.bytes.length * 8)
}

function firstBits({ family, bytes }: Address, count: number): string {
  let bits = ''
  for (let at = 0; at * 8 < count; at++) bits += bitsOfByte[bytes[at] as number]
  return family + bits.slice(0, count)
}

const bitsOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(2).padStart(8, '0'))
