import type { Answerer, Exchange } from '../../gate/exchange.ts'
import type { AuditCheckpointsTable } from '../../store/schema-record.ts'
import type * as wire from '../../wire/audit-proofs.ts'
import { ProofCounter, type ProofReader, type ProofRooms } from '../desk/audit-proofs.ts'
import { isRefusal } from '../desk/guard.ts'
import { type Diary, visitorOf } from '../desk/visitor.ts'
import { readPage, wrongParameter } from './page.ts'
import { json, kept } from './reply.ts'

type Describes = keyof typeof wire.auditProofs

/** What third parties can check of the record. */
export function auditProofEndpoints(
  { diary }: { readonly diary: Diary },
  rooms: ProofRooms,
): Record<Describes, Answerer> {
  const counter = new ProofCounter(rooms)

  return {
    async auditProof(exchange) {
      const sizes = readSizes(exchange, ['size'])
      if (isRefusal(sizes)) return sizes
      const proof = await counter.prove(readerOf(exchange), exchange.params['id'] ?? '', sizes['size'])
      return isRefusal(proof) ? proof : json(200, proof)
    },

    async listCheckpoints({ request }) {
      const asked = readPage(new URLSearchParams(request.target.query), sizeOf)
      if (isRefusal(asked)) return asked
      const { checkpoints, next } = await counter.page(asked.limit, asked.after)
      return json(200, {
        checkpoints: checkpoints.map(checkpointOf),
        ...(next === undefined ? {} : { next: String(next) }),
      })
    },

    async auditConsistency(exchange) {
      const sizes = readSizes(exchange, ['from', 'to'])
      if (isRefusal(sizes)) return sizes
      const { from, to } = sizes
      if (from === undefined) return wrongParameter({ from: ['is missing: the size of a checkpoint'] })
      const proof = await counter.compare(readerOf(exchange), from, to)
      return isRefusal(proof) ? proof : json(200, proof)
    },

    auditKey: () => kept(counter.key(), 3_600),
  }

  function readerOf(exchange: Exchange): ProofReader {
    const visitor = visitorOf(exchange)
    return { note: (trx, resource, details) => diary.access(trx, visitor, 'audit.prove', resource, details) }
  }
}

/** A checkpoint as the API tells of it. */
function checkpointOf({ size, at, root, hash, note }: AuditCheckpointsTable): Record<string, unknown> {
  return { size, at: new Date(at).toISOString(), root, chain: hash, note }
}

type Sizes<Name extends string> = Readonly<Partial<Record<Name, number>>>

function readSizes<Name extends string>(
  { request }: Exchange,
  names: readonly Name[],
): Sizes<Name> | ReturnType<typeof wrongParameter> {
  const query = new URLSearchParams(request.target.query)
  const errors: Record<string, string[]> = {}
  const sizes: Partial<Record<Name, number>> = {}
  for (const [name, value] of query) {
    const known = names.find((one) => one === name)
    const size = sizeOf(value)
    if (known === undefined) errors[name] = ['is not a known parameter']
    else if (size === undefined || query.getAll(name).length > 1) errors[name] = ['must be the size of a checkpoint']
    else sizes[known] = size
  }
  return Object.keys(errors).length > 0 ? wrongParameter(errors) : sizes
}

function sizeOf(text: string): number | undefined {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined
}
