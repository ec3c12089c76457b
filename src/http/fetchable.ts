import { parseAddress } from '../kernel/ip.ts'
import { specialPurpose } from './special-purpose.ts'

/**
 * Why an address that a stranger names may not be fetched, in half a sentence; undefined where nothing speaks against it
 * yet: what its name resolves to is asked when it is.
 */
export function fetchProblem(
  address: string,
  { ports = [443] }: { readonly ports?: readonly number[] } = {},
): string | undefined {
  if (address.length > lengthMax) return `expected at most ${lengthMax} characters, got ${address.length}`
  const url = URL.parse(address)
  if (url === null || url.protocol !== 'https:') return 'expected an `https:` address'
  if (url.username !== '' || url.password !== '' || /^[^/]*\/\/[^/?]*@/.test(address))
    return 'expected no user name in it'
  if (address.includes('#')) return 'expected no fragment'
  // Decimal and octal hosts, tabs, backslashes and dot segments are spelled otherwise by the URL standard.
  if (url.href !== address && url.href !== `${address}/`) return 'expected its usual spelling'
  if (!ports.includes(Number(url.port === '' ? 443 : url.port))) return `expected port ${ports.join(' or ')}`
  return hostProblem(url.hostname)
}

const lengthMax = 2000

function hostProblem(hostname: string): string | undefined {
  const literal = parseAddress(hostname.replace(/^\[(.*)\]$/, '$1'))
  if (literal !== undefined) return specialPurpose(literal) === undefined ? undefined : 'expected a public address'
  if (hostname.endsWith('.')) return 'expected a host without a dot at its end'
  // Names without a dot are completed by the machine's search list; the others are nobody's on the internet.
  if (!hostname.includes('.') || localNames.test(hostname)) return 'expected a public host name'
  return undefined
}

/** RFC 6761, RFC 6762, RFC 7686, RFC 8375, and ICANN's `internal`. */
const localNames = /(?:^|\.)(?:localhost|local|internal|onion|home\.arpa|invalid|test)$/
