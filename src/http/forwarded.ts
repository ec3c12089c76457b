import { parseAddress } from '../kernel/ip.ts'

/** The address of somebody whom a proxy of ours passed on without one that can be read: it is in no list. */
export const unknownAddress = 'unknown'

/**
 * The address of one hop of `X-Forwarded-For`. Some proxies write the port behind it: `203.0.113.9:4711`, `[2001:db8::1]:443`.
 * Undefined for every other text.
 */
export function addressOfHop(text: string): string | undefined {
  const hop = text.trim()
  if (parseAddress(hop) !== undefined) return hop
  const bare = (withPort6.exec(hop) ?? withPort4.exec(hop))?.[1]
  return bare !== undefined && parseAddress(bare) !== undefined ? bare : undefined
}

const withPort4 = /^([0-9.]+):[0-9]{1,5}$/
const withPort6 = /^\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?$/
