import { blockOf } from '../endpoints/api/addresses.ts'
import {
  AddressAdministration,
  type BlockAuthor,
  type BlockDraft,
  type BlockView,
} from '../endpoints/desk/addresses.ts'
import type { House } from '../house.ts'
import { parseAddress } from '../kernel/ip.ts'
import { silent } from '../kernel/log.ts'
import { BlockBook } from '../shield/block-book.ts'
import { blockMemory } from '../shield/block-memory.ts'
import { BlockStore } from '../shield/block-store.ts'
import { networkOfAddress, readNetwork } from '../shield/networks.ts'
import { newBlockBody } from '../wire/addresses.ts'
import { adminEvent } from './admin-event.ts'
import { type Command, readArgs, readVerb, type Terminal, told, Usage, type VerbShape } from './command.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse address block ADDRESS|NETWORK --reason TEXT (--for DURATION | --until TIME | --permanent)
       gatehouse address list [--address ADDRESS] [--json]
       gatehouse address lift ADDRESS|NETWORK
                 [--config FILE] [--data DIR]

NETWORK is CIDR, such as 203.0.113.0/24. An IPv6 ADDRESS stands for its /64. DURATION is written 15m, 1h, 30d; TIME as in RFC 3339.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    {
      ...houseOptions,
      reason: { type: 'string' },
      for: { type: 'string' },
      until: { type: 'string' },
      permanent: { type: 'boolean' },
      address: { type: 'string' },
      json: { type: 'boolean' },
    },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const [verb, ...operands] = readVerb('address', verbs, { values, positionals }, usage)
  const act = actOf(verb, operands[0] ?? '', values)
  return visit(values, terminal, (house) =>
    act({ administration: administrationOf(house, terminal), author: operator(house, terminal), terminal }),
  )
}

type Verb = 'block' | 'list' | 'lift'

/** What each wants: an address or a network, and options beside those by which the house is found. */
// biome-ignore format: a table
const verbs: Readonly<Record<Verb, VerbShape>> = {
  block: { operands: 1, options: ['reason', 'for', 'until', 'permanent'] },
  list:  { operands: 0, options: ['address', 'json'] },
  lift:  { operands: 1, options: [] },
}

interface Values {
  readonly reason?: string | undefined
  readonly for?: string | undefined
  readonly until?: string | undefined
  readonly permanent?: boolean | undefined
  readonly address?: string | undefined
  readonly json?: boolean | undefined
}

interface Place {
  readonly administration: AddressAdministration
  readonly author: BlockAuthor
  readonly terminal: Terminal
}

type Act = (place: Place) => Promise<boolean>

/** What a call comes to. What is wrong with it is told before anything is opened. */
function actOf(verb: Verb, named: string, values: Values): Act {
  switch (verb) {
    case 'block': {
      const draft = readDraft(named, values)
      return async ({ administration, author, terminal }) =>
        told(await administration.block(author, draft), terminal, `block ${named}`)
    }
    case 'list': {
      const { address, json = false } = values
      if (address !== undefined && parseAddress(address) === undefined)
        throw new Usage(`--address: expected an address, got \`${address}\``)
      return (place) => list(place, address, json)
    }
    case 'lift': {
      const network = networkNamed(named)
      return async ({ administration, author, terminal }) =>
        told(await administration.lift(author, network), terminal, `lift ${named}`)
    }
  }
}

/** The shape of the API, read from options: what it refuses there it refuses here, and says why. */
function readDraft(named: string, { reason = '', for: duration, until, permanent }: Values): BlockDraft {
  const parsed = newBlockBody.safeParse({
    network: networkNamed(named),
    reason,
    duration,
    until,
    ...(permanent === true ? { permanent } : {}),
  })
  if (parsed.success) return parsed.data
  throw new Usage(parsed.error.issues.map(({ path, message }) => `${optionOf(path.join('.'))}: ${message}`).join('\n'))
}

/** A member of the API's body, as the option that it is here. */
function optionOf(member: string): string {
  return member === 'duration' ? '--for' : `--${member}`
}

function networkNamed(text: string): string {
  const network = text.includes('/') ? readNetwork(text) : networkOfAddress(text)
  if (network !== undefined) return network
  throw new Usage(`expected an address or a network such as \`10.0.0.0/8\`, got \`${text}\``)
}

async function list({ administration, terminal }: Place, address: string | undefined, json: boolean): Promise<boolean> {
  const all: BlockView[] = []
  if (address !== undefined) all.push(...(await administration.holding(address)))
  else {
    let after: Parameters<AddressAdministration['page']>[1]
    do {
      const { blocks, next } = await administration.page(200, after)
      all.push(...blocks)
      after = next
    } while (after !== undefined)
  }
  if (json) {
    terminal.out(JSON.stringify({ addresses: all.map(blockOf) }, null, 2))
    return true
  }
  for (const { network, source, createdBy, expiresAt, reason } of all)
    terminal.out(
      [
        network,
        source,
        createdBy,
        expiresAt === undefined ? 'without end' : new Date(expiresAt).toISOString(),
        reason,
      ].join('\t'),
    )
  return true
}

/** Whoever has the machine has all of it, and is not kept from it by an address. */
function operator({ audit }: House, terminal: Terminal): BlockAuthor {
  return {
    id: 'operator',
    address: undefined,
    note: (trx, action, network, details) =>
      audit.enroll(trx, {
        ...adminEvent(action, '', terminal, details),
        resource: { id: network, type: 'address' },
      }),
  }
}

/** A command has nobody's requests to ask about: it knows what is in the store. */
function administrationOf({ store, audit }: House, { clock, random }: Terminal): AddressAdministration {
  const blockStore = new BlockStore({ clock })
  const blockBook = new BlockBook({ store: blockStore, memory: blockMemory(8, random), clock, random, log: silent })
  return new AddressAdministration({ store, audit, clock, blockStore, blockBook })
}
