import { z } from 'zod'
import type { Endpoint } from './shapes.ts'

/** A proof that an event is in the record: all that somebody needs who has the house's public key and no house. */
export const proofShape = z
  .strictObject({
    format: z.literal('gatehouse-audit-proof/1'),
    /** The event as it happened. What was sealed in `body` is shown here, and is not proven. */
    event: z.record(z.string(), z.unknown()),
    body: z.string().meta({ description: 'the event as it is stored: what the tree was made of' }),
    seq: z.int().min(1),
    index: z.int().min(0).meta({ description: 'of the leaf: `seq` − 1' }),
    size: z.int().min(1).meta({ description: 'how many events the tree has' }),
    path: z
      .array(z.string())
      .max(64)
      .meta({ description: 'hashes from the leaf to the root, in base64 (RFC 9162 §2.1.3)' }),
    checkpoint: z.string().max(16_384).meta({ description: 'a signed note (c2sp.org/tlog-checkpoint)' }),
    /** As the house says it. Who checks a proof has it from elsewhere. */
    key: z.string().max(512).meta({ description: 'the verifier key of the house' }),
  })
  .refine(({ index, seq }) => index === seq - 1, { path: ['index'], message: 'expected the leaf of `seq`' })

export type ProofText = z.output<typeof proofShape>

const view = { permission: 'audit:view' } as const

/** What third parties can check of the record. */
// biome-ignore format: a table, one line to an endpoint
export const auditProofs = {
  auditProof: { method: 'GET', path: '/api/admin/audit/events/:id/proof', summary: 'Prove that an event is in the record, by the first checkpoint that covers it or the one over `size` events', access: view, limit: 'general' },
  listCheckpoints: { method: 'GET', path: '/api/admin/audit/checkpoints', summary: 'Signed checkpoints from the latest on, by pages: `limit`, `after`', access: view, limit: 'general' },
  auditConsistency: { method: 'GET', path: '/api/admin/audit/consistency', summary: 'Prove that the record at the checkpoint over `to` events, or the latest, continues the one at the checkpoint over `from` events', access: view, limit: 'general' },
  auditKey: { method: 'GET', path: '/.well-known/gatehouse/audit-key', summary: 'The public key that checkpoints of the record verify with', access: 'public', limit: 'health', cors: 'open' },
} as const satisfies Record<string, Endpoint>
