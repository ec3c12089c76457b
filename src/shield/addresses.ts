import { z } from 'zod'
import { unknownAddress } from '../http/forwarded.ts'
import { networkList } from '../kernel/ip.ts'
import { cidr } from '../kernel/shape.ts'

/** Who may come by address, by CIDR: an address of `deny` never, and where `allow` says something only its addresses (AK6). */
export const addressOptions = z
  .strictObject({ allow: z.array(cidr).min(1).optional(), deny: z.array(cidr).min(1).optional() })
  .refine(({ allow, deny }) => allow !== undefined || deny !== undefined, 'expected `allow`, `deny`, or both')

export type AddressOptions = z.output<typeof addressOptions>

/** One question per request. An address that cannot be read may not come: nobody knows which list it would be in. */
export function compileAddresses(options: AddressOptions | undefined): ((address: string) => boolean) | undefined {
  if (options === undefined) return undefined
  const allowed = options.allow === undefined ? undefined : networkList(options.allow)
  const denied = networkList(options.deny ?? [])
  return (address) => address !== unknownAddress && !denied(address) && (allowed === undefined || allowed(address))
}
