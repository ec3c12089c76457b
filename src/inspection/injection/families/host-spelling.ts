import { specialPurpose } from '../../../http/special-purpose.ts'
import { type Address, addressText, parseAddress } from '../../../kernel/ip.ts'

/** What a host turns out to be for whoever connects to it. */
export interface HostKind {
  readonly reach: 'metadata' | 'loopback' | 'inner' | 'public'
  /** An address written as hardly anybody writes one, and most readers understand: `2130706433`, `0x7f.1`, `[::ffff:7f00:1]`. */
  readonly disguised: boolean
}

/** Reads a host as the resolvers of the world do; undefined for a name that tells nothing. */
export function hostKind(written: string): HostKind | undefined {
  const host = written.toLowerCase()
  if (host.startsWith('[')) return kindOf6(host)
  const bare = host.endsWith('.') ? host.slice(0, -1) : host
  if (metadataNames.has(bare)) return { reach: 'metadata', disguised: false }
  if (bare === 'localhost' || bare.endsWith('.localhost') || loopbackNames.has(bare))
    return { reach: 'loopback', disguised: bare.endsWith('.localhost') }
  if (innerName.test(bare)) return { reach: 'inner', disguised: false }
  if (wildcardName.test(bare)) return { reach: 'loopback', disguised: true }
  const plain = parseAddress(bare)
  if (plain?.family === 4) return kindOf(plain, bare !== host)
  const spelled = spelledIpv4(bare)
  return spelled === undefined ? undefined : kindOf(spelled, true)
}

/** Where clouds tell a machine its credentials: addresses of their own, and names that lead to them. */
const metadataAddresses: ReadonlySet<string> = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
])
const metadataNames: ReadonlySet<string> = new Set([
  'metadata.google.internal',
  'metadata',
  'metadata.goog',
  'metadata.azure.com',
  'metadata.azure.internal',
  'metadata.tencentyun.com',
  'instance-data',
  'instance-data.ec2.internal',
  'metadata.packet.net',
  'metadata.platformequinix.com',
  'rancher-metadata',
  'metadata.oraclecloud.com',
  'metadata.nicob.net',
  'metadata.digitalocean.com',
])
const loopbackNames: ReadonlySet<string> = new Set([
  'localhost.localdomain',
  'localhost6',
  'ip6-localhost',
  'ip6-loopback',
  'loopback',
  'localhost4',
  'local',
])
const innerName =
  /^(?:(?:host|gateway)\.(?:docker|containers)\.internal|kubernetes(?:\.default(?:\.svc(?:\.cluster\.local)?)?)?|[\w.-]{1,80}\.svc(?:\.cluster\.local)?|docker\.for\.(?:mac|win)\.localhost|[\w-]{1,60}\.(?:internal|intranet|corp|lan|local|localdomain))$/
/** Names of services that answer with whatever address is in the name, and with loopback. */
const wildcardName =
  /(?:^|[.-])(?:(?:\d{1,3}[.-]){3}\d{1,3}\.(?:nip|sslip|xip)\.io|[0-9a-f]{8}\.(?:nip|sslip|xip)\.io|localtest\.me|lvh\.me|vcap\.me|lacolhost\.com|yoogle\.com|127-0-0-1\.\w{2,12}\.\w{2,6}|localh\.st|readme\.localtest\.me|bugbounty\.dod\.network|spoofed\.burpcollaborator\.net|1u\.ms|rbndr\.us|make-\d[\d.-]{4,40}|localdomain\.pw|127\.0\.0\.1\.[\w.-]{3,40}|fbi\.com|sslip\.io|nip\.io|xip\.io)$/

function kindOf6(host: string): HostKind | undefined {
  const close = host.indexOf(']')
  if (close < 0) return undefined
  const inner = host.slice(1, close)
  const zone = inner.indexOf('%')
  const address = parseAddress(zone < 0 ? inner : inner.slice(0, zone)) ?? loose6(inner)
  return address === undefined
    ? undefined
    : kindOf(address, address.family === 4 || zone >= 0 || carried4(address) !== undefined)
}

/** `[0:0:0:0:0:0:169.254.169.254]` and what else has an IPv4 address at its end. */
function loose6(inner: string): Address | undefined {
  const last = inner.slice(inner.lastIndexOf(':') + 1)
  return last.includes('.') && /^[0-9a-f:.]{4,45}$/.test(inner) ? parseAddress(last) : undefined
}

/** The IPv4 address that an IPv6 address translates or tunnels to (RFC 4291 §2.5.5, RFC 6052, RFC 3056): it is a spelling of it. */
function carried4({ bytes }: Address): Address['bytes'] | undefined {
  if (bytes.length !== 16) return undefined
  if (bytes[0] === 0x20 && bytes[1] === 0x02) return bytes.slice(2, 6)
  const last = bytes.slice(12)
  if (bytes[0] === 0 && bytes[1] === 0x64) return last
  const isPlain = last.slice(0, 3).every((byte) => byte === 0) && (last[3] as number) < 2
  return bytes.slice(0, 12).every((byte) => byte === 0) && !isPlain ? last : undefined
}

function kindOf(address: Address, disguised: boolean): HostKind {
  if (metadataAddresses.has(addressText(address))) return { reach: 'metadata', disguised }
  const purpose = specialPurpose(address)
  if (purpose === undefined) return { reach: 'public', disguised }
  if (purpose.startsWith('documentation')) return { reach: 'public', disguised }
  if (purpose.startsWith('loopback') || purpose.startsWith('unspecified') || purpose.startsWith('this network'))
    return { reach: 'loopback', disguised }
  const carried = address.family === 6 ? carried4(address) : undefined
  if (carried !== undefined) return kindOf({ family: 4, bytes: carried }, true)
  return { reach: 'inner', disguised }
}

/** One to four numbers, decimal, octal or hexadecimal, the last one for all bytes that are left: as `inet_aton` reads them. */
function spelledIpv4(host: string): Address | undefined {
  if (host.length > 64 || !/^[0-9a-fx.]{1,64}$/.test(host) || !/^\d/.test(host)) return undefined
  const parts = host.split('.')
  if (parts.length > 4) return undefined
  const numbers: number[] = []
  for (const part of parts) {
    const number = numberOf(part)
    if (number === undefined) return undefined
    numbers.push(number)
  }
  const last = numbers.pop() as number
  if (numbers.some((number) => number > 255)) return overflowing(numbers, last)
  const left = 4 - numbers.length
  if (last >= 256 ** left) return parts.length === 1 ? spelledIpv4(String(last % 256 ** 4)) : overflowing(numbers, last)
  const tail = Array.from({ length: left }, (_, at) => Math.floor(last / 256 ** (left - 1 - at)) % 256)
  return { family: 4, bytes: [...numbers, ...tail] }
}

/** `425.510.425.510`: readers that do not look take every number modulo 256. */
function overflowing(numbers: readonly number[], last: number): Address | undefined {
  if (numbers.length !== 3) return undefined
  const bytes = [...numbers, last]
  return bytes.every((number) => number < 1024) ? { family: 4, bytes: bytes.map((number) => number % 256) } : undefined
}

function numberOf(part: string): number | undefined {
  if (/^0x[0-9a-f]{1,16}$/.test(part)) return Number.parseInt(part.slice(2).slice(-8), 16)
  if (/^0[0-7]{1,24}$/.test(part)) return Number.parseInt(part, 8)
  return /^\d{1,10}$/.test(part) ? Number(part) : undefined
}
