import { BlockList } from 'node:net'

/** An internet address. An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) is the IPv4 address that it carries. */
export interface Address {
  readonly family: 4 | 6
  /** 4 or 16 bytes in network order. */
  readonly bytes: readonly number[]
}

/** All addresses that begin with the same bits (RFC 4632 §3.1). The bits behind them are zero. */
export interface Cidr {
  readonly network: Address
  readonly prefixBits: number
}

/** Reads an address; undefined where there is more than that: a port, a zone, a bracket, a leading zero in an octet. */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) return ipv4(readOctets(text))
  const bytes = readGroups(text)
  if (bytes === undefined) return undefined
  return isMapped(bytes) ? ipv4(bytes.slice(12)) : { family: 6, bytes }
}

/** Reads `10.0.0.0/8` or `2001:db8::/32`; a bare address stands for itself alone. A bit set behind the prefix is a mistake: undefined. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/')
  const written = slash < 0 ? text : text.slice(0, slash)
  const network = parseAddress(written)
  if (network === undefined) return undefined
  const bits = network.bytes.length * 8
  if (slash < 0) return { network, prefixBits: bits }
  const prefix = text.slice(slash + 1)
  if (!decimal.test(prefix)) return undefined
  // `::ffff:10.0.0.0/104` counts its 96 leading bits too; `::ffff:0:0/90` reaches beyond what is mapped.
  const prefixBits = Number(prefix) - (network.family === 4 && written.includes(':') ? mappedBits : 0)
  if (prefixBits < 0 || prefixBits > bits) return undefined
  return network.bytes.every((byte, at) => (byte & ~maskOf(prefixBits, at)) === 0) ? { network, prefixBits } : undefined
}

/** Whether the address lies in the network. An IPv4 address never lies in an IPv6 network, `::/0` included. */
export function cidrContains(cidr: Cidr, address: Address): boolean {
  if (address.family !== cidr.network.family) return false
  const { bytes } = cidr.network
  for (let at = 0; at * 8 < cidr.prefixBits; at++) {
    if (((address.bytes[at] as number) & maskOf(cidr.prefixBits, at)) !== bytes[at]) return false
  }
  return true
}

/**
 * Prepares a list of networks for one question per request: whether one of them contains the address. What is no
 * address is in no list; the zone of a link-local peer (`fe80::1%eth0`) is passed over.
 */
export function addressList(cidrs: readonly Cidr[]): (address: string) => boolean {
  if (cidrs.length === 0) return () => false
  const list4 = blockList(cidrs, 4)
  const list6 = blockList(cidrs, 6)
  return (address) => {
    if (!address.includes(':')) return list4.check(address, 'ipv4')
    if (list4.check(address, 'ipv6')) return true // looks behind a mapped address by itself
    return list6.check(address, 'ipv6') && !mappedAddresses.check(address, 'ipv6')
  }
}

/** The same for networks as they are written. What is none is passed over: whoever took them in has said so. */
export function networkList(texts: readonly string[]): (address: string) => boolean {
  return addressList(texts.flatMap((text) => parseCidr(text) ?? []))
}

/** The one spelling of an address: RFC 5952 §4, and dotted decimals for IPv4. */
export function addressText({ family, bytes }: Address): string {
  if (family === 4) return bytes.join('.')
  const groups = groupsOf(bytes)
  const zeros = longestZeros(groups)
  if (zeros === undefined) return groups.join(':')
  return `${groups.slice(0, zeros.from).join(':')}::${groups.slice(zeros.to).join(':')}`
}

/**
 * What a limit counts a client by: an IPv4 address whole, an IPv6 address by its /64, since one subscriber is given no
 * less and could use a fresh address for every request. A text that is no address is its own key.
 */
export function limitKey(address: string): string {
  const parsed = parseAddress(address)
  if (parsed === undefined) return address
  if (parsed.family === 4) return address.includes(':') ? addressText(parsed) : address
  return `${addressText({ family: 6, bytes: [...parsed.bytes.slice(0, 8), ...zero64] })}/64`
}

/** The platform's own list: native, and as quick with fifty thousand networks as with one. */
function blockList(cidrs: readonly Cidr[], family: Address['family']): BlockList {
  const list = new BlockList()
  for (const { network, prefixBits } of cidrs) {
    if (network.family === family) list.addSubnet(addressText(network), prefixBits, family === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}

/** Kept apart, or else `::/0` would hold every IPv4 address too. */
const mappedAddresses = new BlockList()
mappedAddresses.addSubnet('::ffff:0:0', 96, 'ipv6')

function ipv4(bytes: readonly number[] | undefined): Address | undefined {
  return bytes === undefined ? undefined : { family: 4, bytes }
}

/** `192.0.2.1`. Read by hand, since it is asked for on every request: a third of what a regular expression costs. */
function readOctets(text: string): number[] | undefined {
  const octets: number[] = []
  let octet = empty
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === dot && octet !== empty && octets.length < 3) {
      octets.push(octet)
      octet = empty
    } else if (code >= zero && code <= nine && octet !== 0) {
      // A leading zero is refused above: some readers take `010` for eight (RFC 6943 §3.1.1).
      octet = octet === empty ? code - zero : octet * 10 + code - zero
      if (octet > 255) return undefined
    } else return undefined
  }
  if (octet === empty) return undefined
  octets.push(octet)
  return octets.length === 4 ? octets : undefined
}

const empty = -1
const dot = 0x2e
const zero = 0x30
const nine = 0x39
const colon = 0x3a

/** `2001:db8::1`, and with an IPv4 address for the last two groups `64:ff9b::192.0.2.1` (RFC 4291 §2.2). */
function readGroups(text: string): number[] | undefined {
  const plain = text.includes('.') ? withoutDots(text) : text
  if (plain === undefined) return undefined
  const bytes: number[] = []
  let gap = plain.startsWith('::') ? 0 : empty
  for (let at = gap === 0 ? 2 : 0; at < plain.length; ) {
    const start = at
    let group = 0
    for (; at < start + 4; at++) {
      const digit = hexDigit(plain, at)
      if (digit === empty) break
      group = group * 16 + digit
    }
    if (at === start || bytes.length === 16) return undefined
    bytes.push(group >> 8, group & 0xff)
    if (at === plain.length) break
    if (plain.charCodeAt(at++) !== colon || at === plain.length) return undefined
    if (plain.charCodeAt(at) === colon) {
      if (gap !== empty) return undefined
      gap = bytes.length
      at++
    }
  }
  if (gap === empty) return bytes.length === 16 ? bytes : undefined
  if (bytes.length > 14) return undefined // `::` stands for one group at least
  return [...bytes.slice(0, gap), ...new Array<number>(16 - bytes.length).fill(0), ...bytes.slice(gap)]
}

function withoutDots(text: string): string | undefined {
  const end = text.lastIndexOf(':') + 1
  const octets = readOctets(text.slice(end))
  return octets === undefined ? undefined : text.slice(0, end) + groupsOf(octets).join(':')
}

function hexDigit(text: string, at: number): number {
  const code = text.charCodeAt(at)
  if (code >= zero && code <= nine) return code - zero
  const letter = code | 0x20 // lower case
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : empty
}

/** `::ffff:0:0/96` */
function isMapped(bytes: readonly number[]): boolean {
  return bytes.every((byte, at) => at >= 12 || byte === (at < 10 ? 0 : 0xff))
}

const mappedBits = 96
const decimal = /^(?:0|[1-9][0-9]{0,2})$/

/** The bits of the byte at `at` that belong to the prefix. */
function maskOf(prefixBits: number, at: number): number {
  const bits = Math.min(Math.max(prefixBits - at * 8, 0), 8)
  return (0xff00 >> bits) & 0xff
}

function groupsOf(bytes: readonly number[]): string[] {
  const groups: string[] = []
  for (let at = 0; at < bytes.length; at += 2) {
    groups.push((((bytes[at] as number) << 8) | (bytes[at + 1] as number)).toString(16))
  }
  return groups
}

/** The run of zeros that `::` stands for: the longest, of equals the first, and never a single group (RFC 5952 §4.2). */
function longestZeros(groups: readonly string[]): { from: number; to: number } | undefined {
  let longest = { from: 0, to: 1 }
  for (let from = 0; from < groups.length; from++) {
    let to = from
    while (groups[to] === '0') to++
    if (to - from > longest.to - longest.from) longest = { from, to }
  }
  return longest.to > longest.from + 1 ? longest : undefined
}

const zero64: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0]
