import { z } from 'zod'
import { unknownAddress } from '../http/forwarded.ts'
import { addressList, type Cidr, parseCidr } from '../kernel/ip.ts'

const network = z
  .string()
  .refine((text) => parseCidr(text) !== undefined, 'expected an address or a network such as `10.0.0.0/8`')

/** Who may come by address, by CIDR: an address of `deny` never, and where `allow` says something only its addresses (AK6). */
export const addressOptions = z
  .strictObject({ allow: z.array(network).min(1).optional(), deny: z.array(network).min(1).optional() })
  .refine(({ allow, deny }) => allow !== undefined || deny !== undefined, 'expected `allow`, `deny`, or both')

export type AddressOptions = z.output<typeof addressOptions>

/** One question per request. An address that cannot be read may not come: nobody knows which list it would be in. */
export function compileAddresses(options: AddressOptions | undefined): ((address: string) => boolean) | undefined {
  if (options === undefined) return undefined
  const allowed = options.allow === undefined ? undefined : addressList(cidrs(options.allow))
  const denied = addressList(cidrs(options.deny ?? []))
  return (address) => address !== unknownAddress && !denied(address) && (allowed === undefined || allowed(address))
}

function cidrs(texts: readonly string[]): readonly Cidr[] {
  return texts.flatMap((text) => parseCidr(text) ?? [])
}
