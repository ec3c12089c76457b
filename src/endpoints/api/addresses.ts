import type { Answerer, Exchange } from '../../gate/exchange.ts'
import { parseAddress } from '../../kernel/ip.ts'
import { readNetwork } from '../../shield/networks.ts'
import type * as wire from '../../wire/addresses.ts'
import { type AddressAdministration, type BlockAuthor, type BlockView, blockAuthorAt } from '../desk/addresses.ts'
import { isRefusal } from '../desk/guard.ts'
import { type Diary, visitorOf } from '../desk/visitor.ts'
import { input } from './auth.ts'
import { momentAndId, readPage } from './page.ts'
import { json } from './reply.ts'

type Describes = keyof typeof wire.addresses

interface Administers {
  readonly addresses: AddressAdministration
  readonly diary: Diary
}

/** Addresses that are blocked, for administrators. */
export function addressEndpoints({ addresses, diary }: Administers): Record<Describes, Answerer> {
  const author = (exchange: Exchange): BlockAuthor => blockAuthorAt(diary, visitorOf(exchange))

  return {
    async listAddressBlocks({ request }) {
      const query = new URLSearchParams(request.target.query)
      const asked = readPage(query, placeOf, {
        address: (text) => (parseAddress(text) === undefined ? 'must be an address' : undefined),
      })
      if (isRefusal(asked)) return asked
      const address = query.get('address')
      if (address !== null) return json(200, { addresses: (await addresses.holding(address)).map(blockOf) })
      const { blocks, next } = await addresses.page(asked.limit, asked.after)
      return json(200, {
        addresses: blocks.map(blockOf),
        ...(next === undefined ? {} : { next: `${next.createdAt}.${idOf(next.id)}` }),
      })
    },

    async blockAddress(exchange) {
      const made = await addresses.block(author(exchange), input<typeof wire.newBlockBody>(exchange))
      return isRefusal(made) ? made : json(201, blockOf(made))
    },

    async liftAddressBlock(exchange) {
      const lifted = await addresses.lift(author(exchange), networkOf(exchange.params['id'] ?? ''))
      return isRefusal(lifted) ? lifted : json(200, { status: 'done' })
    },
  }
}

/** A block as the API, and the command, tell of it. */
export function blockOf({
  network,
  source,
  reason,
  createdBy,
  createdAt,
  expiresAt,
}: BlockView): Record<string, unknown> {
  return {
    id: idOf(network),
    network,
    source,
    reason,
    created_by: createdBy,
    ...(createdAt === undefined ? { stored: false } : { created_at: new Date(createdAt).toISOString() }),
    ...(expiresAt === undefined ? {} : { expires_at: new Date(expiresAt).toISOString() }),
  }
}

/** A network has one block at most, and is its id: in the spelling of a path, which has no slash to spare. */
function idOf(network: string): string {
  return network.replace('/', '_')
}

/** What is no network has no block either. */
function networkOf(id: string): string {
  return readNetwork(id.replace('_', '/')) ?? ''
}

function placeOf(text: string): { readonly createdAt: number; readonly id: string } | undefined {
  const place = momentAndId(/^[0-9a-f.:]{2,45}_[0-9]{1,3}$/)(text)
  return place && { ...place, id: networkOf(place.id) }
}
