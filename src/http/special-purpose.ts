import { type Address, type Cidr, cidrContains, parseCidr } from '../kernel/ip.ts'

/**
 * What an address is set aside for, where it is no host of the public internet (RFC 6890, and the IANA registries that
 * grew out of it); undefined for one that is. What carries an IPv4 address is what that address is.
 */
export function specialPurpose(address: Address): string | undefined {
  if (address.family === 6 && cidrContains(nat64, address))
    return specialPurpose({ family: 4, bytes: address.bytes.slice(12) })
  const found = table.find(({ network }) => cidrContains(network, address))
  if (found !== undefined) return found.purpose
  // What is not given out yet may be given out for anything (RFC 4291 §2.4).
  return address.family === 4 || cidrContains(globalUnicast, address) ? undefined : 'not global unicast'
}

/** The IPv4 internet behind a translator (RFC 6052 §2.1): a host there is as public as its IPv4 address. */
const nat64 = cidr('64:ff9b::/96')
const globalUnicast = cidr('2000::/3')

// biome-ignore format: a table
const table: readonly { readonly network: Cidr; readonly purpose: string }[] = [
  row('0.0.0.0/8',          'this network (RFC 791)'),
  row('10.0.0.0/8',         'private use (RFC 1918)'),
  row('100.64.0.0/10',      'shared address space (RFC 6598)'),
  row('127.0.0.0/8',        'loopback (RFC 1122)'),
  row('168.63.129.16/32',   'the host of an Azure machine, for that machine'),
  row('169.254.0.0/16',     'link local (RFC 3927)'),
  row('172.16.0.0/12',      'private use (RFC 1918)'),
  row('192.0.0.0/24',       'IETF protocol assignments (RFC 6890)'),
  row('192.0.2.0/24',       'documentation (RFC 5737)'),
  row('192.31.196.0/24',    'AS112 (RFC 7535)'),
  row('192.52.193.0/24',    'AMT (RFC 7450)'),
  row('192.88.99.0/24',     '6to4 relays (RFC 7526)'),
  row('192.168.0.0/16',     'private use (RFC 1918)'),
  row('192.175.48.0/24',    'AS112 (RFC 7534)'),
  row('198.18.0.0/15',      'benchmarking (RFC 2544)'),
  row('198.51.100.0/24',    'documentation (RFC 5737)'),
  row('203.0.113.0/24',     'documentation (RFC 5737)'),
  row('224.0.0.0/4',        'multicast (RFC 5771)'),
  row('240.0.0.0/4',        'reserved (RFC 1112)'),
  row('::/128',             'unspecified (RFC 4291)'),
  row('::1/128',            'loopback (RFC 4291)'),
  row('::/96',              'IPv4-compatible (RFC 4291)'),
  row('::ffff:0:0:0/96',    'IPv4-translated (RFC 2765)'),
  row('64:ff9b:1::/48',     'translation for local use (RFC 8215)'),
  row('100::/64',           'discard only (RFC 6666)'),
  row('100:0:0:1::/64',     'dummy prefix (RFC 9780)'),
  row('2001::/32',          'Teredo (RFC 4380)'),
  row('2001::/23',          'IETF protocol assignments (RFC 2928)'),
  row('2001:db8::/32',      'documentation (RFC 3849)'),
  row('2002::/16',          '6to4 (RFC 3056)'),
  row('2620:4f:8000::/48',  'AS112 (RFC 7534)'),
  row('3fff::/20',          'documentation (RFC 9637)'),
  row('5f00::/16',          'segment routing (RFC 9602)'),
  row('fc00::/7',           'unique local (RFC 4193)'),
  row('fe80::/10',          'link local (RFC 4291)'),
  row('fec0::/10',          'site local (RFC 3879)'),
  row('ff00::/8',           'multicast (RFC 4291)'),
]

function row(network: string, purpose: string): { readonly network: Cidr; readonly purpose: string } {
  return { network: cidr(network), purpose }
}

function cidr(text: string): Cidr {
  const network = parseCidr(text)
  if (network === undefined) throw new Error(`expected a network, got \`${text}\``)
  return network
}
