import { type Address, addressText, type Cidr, limitKey, parseAddress, parseCidr } from '../kernel/ip.ts'
import { withoutZone } from './network-table.ts'

/** The one spelling of a network, a single address included: `10.0.0.0/8`, `192.0.2.1/32`. */
export function networkText({ network, prefixBits }: Cidr): string {
  return `${addressText(network)}/${prefixBits}`
}

/** The network that an address counts as: an IPv4 address alone, one of IPv6 with its /64. Undefined for what is none. */
export function networkOfAddress(address: string): string | undefined {
  if (parseAddress(address) === undefined) return undefined
  const key = limitKey(address)
  return key.includes('/') ? key : `${key}/32`
}

/** What a limit counts the one caller by whose network this is (`limitKey`); undefined for a network of another size. */
export function keyOfNetwork(network: string): string | undefined {
  if (network.includes(':')) return network.endsWith('/64') ? network : undefined
  return network.endsWith('/32') ? network.slice(0, -'/32'.length) : undefined
}

/** All networks that contain an address, in their one spelling, from the widest to the address itself. The zone of a link is passed over. */
export function networksAround(address: string): readonly string[] {
  const parsed = parseAddress(withoutZone(address))
  if (parsed === undefined) return []
  return Array.from({ length: parsed.bytes.length * 8 + 1 }, (_, prefixBits) =>
    networkText({ network: prefixOf(parsed, prefixBits), prefixBits }),
  )
}

/** Whether a network, as it is written, contains an address. */
export function isWithin(address: string, network: string): boolean {
  return networksAround(address).includes(network)
}

/** Reads a network; undefined for what is none. */
export function readNetwork(text: string): string | undefined {
  const parsed = parseCidr(text)
  return parsed === undefined ? undefined : networkText(parsed)
}

function prefixOf({ family, bytes }: Address, prefixBits: number): Address {
  return {
    family,
    bytes: bytes.map((byte, at) => {
      const bits = Math.min(Math.max(prefixBits - at * 8, 0), 8)
      return byte & (0xff00 >> bits) & 0xff
    }),
  }
}
