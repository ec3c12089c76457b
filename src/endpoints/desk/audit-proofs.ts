import { verifyConsistency } from '../../audit/checkpoint/merkle.ts'
import { type CheckpointVerifier, readCheckpoint, verifierText } from '../../audit/checkpoint/note.ts'
import { type NoProof, type Proof, proveEvent } from '../../audit/checkpoint/proof.ts'
import { checkpointAt, checkpointsBefore, latestCheckpoint } from '../../audit/checkpoint/rows.ts'
import { consistencyProof } from '../../audit/checkpoint/tree.ts'
import type { AuditEvent, Details } from '../../audit/event.ts'
import type { AuditLog } from '../../audit/log.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Database, Store } from '../../store/database.ts'
import type { AuditCheckpointsTable } from '../../store/schema-record.ts'
import type { ProofText } from '../../wire/audit-proofs.ts'

export interface ProofRooms {
  readonly store: Store
  readonly audit: AuditLog
  /** The house's own. */
  readonly checkpointKey: CheckpointVerifier
}

/** Whoever asks for a proof, and leaves a line in the record by that: what is read of it is read by somebody. */
export interface ProofReader {
  note(trx: Database, resource: AuditEvent['resource'], details: Details): Promise<void>
}

/** That the record at one checkpoint continues the record at an earlier one. */
export interface ConsistencyText {
  readonly from: number
  readonly to: number
  /** Hashes in base64 (RFC 9162 §2.1.4). */
  readonly path: readonly string[]
  /** The signed notes. */
  readonly from_checkpoint: string
  readonly to_checkpoint: string
}

/** What the record can show to third parties. */
export class ProofCounter {
  readonly #rooms: ProofRooms

  constructor(rooms: ProofRooms) {
    this.#rooms = rooms
  }

  /** That an event is in the record: by the checkpoint over `size` events, or else by the first one that covers it. */
  async prove(reader: ProofReader, id: string, size?: number): Promise<ProofText | Refusal> {
    const { store, audit, checkpointKey } = this.#rooms
    const proof = await proveEvent(store.db, id, size)
    if (typeof proof === 'string') return refusalOf(proof, id, size)
    const [event] = await audit.sealer.read(store.db, [proof.body])
    await this.#note(reader, { id, type: 'audit' }, { seq: proof.seq, size: proof.size })
    return proofText(proof, event as AuditEvent, checkpointKey)
  }

  /** Of two checkpoints, the later of which is the latest where `to` is left out. */
  async compare(reader: ProofReader, from: number, to?: number): Promise<ConsistencyText | Refusal> {
    const { db } = this.#rooms.store
    const earlier = await checkpointAt(db, from)
    const later = to === undefined ? await latestCheckpoint(db) : await checkpointAt(db, to)
    if (earlier === undefined) return refusalOf('no-checkpoint', '', from)
    if (later === undefined || later.size < from) return refusalOf('no-checkpoint', '', to)
    const path = await consistencyProof(db, from, later.size)
    if (!isConsistent(earlier, later, path)) return refusalOf('broken', '', from)
    await this.#note(reader, { id: 'checkpoints', type: 'audit' }, { from, to: later.size })
    return {
      from,
      to: later.size,
      path: path.map(base64),
      from_checkpoint: earlier.note,
      to_checkpoint: later.note,
    }
  }

  /** From the latest on. They say nothing of any event, and reading them leaves no line in the record. */
  async page(
    limit: number,
    after: number | undefined,
  ): Promise<{ readonly checkpoints: readonly AuditCheckpointsTable[]; readonly next: number | undefined }> {
    const found = await checkpointsBefore(this.#rooms.store.db, after, limit + 1)
    const checkpoints = found.slice(0, limit)
    return { checkpoints, next: found.length > limit ? checkpoints.at(-1)?.size : undefined }
  }

  /** What checkpoints are verified with. */
  key(): Record<string, unknown> {
    const { checkpointKey } = this.#rooms
    const jwk = checkpointKey.publicKey.export({ format: 'jwk' })
    return { name: checkpointKey.origin, jwk: { ...jwk, alg: 'EdDSA', use: 'sig' }, key: verifierText(checkpointKey) }
  }

  async #note(reader: ProofReader, resource: AuditEvent['resource'], details: Details): Promise<void> {
    const { store, audit } = this.#rooms
    await store.transaction((trx) => reader.note(trx, resource, details))
    audit.wake()
  }
}

/** A proof as it is handed out: in a file, or by the API. */
export function proofText(proof: Proof, event: AuditEvent, by: CheckpointVerifier): ProofText {
  const { body, seq, size, path, checkpoint } = proof
  return {
    format: 'gatehouse-audit-proof/1',
    event: { ...event },
    body,
    seq,
    index: seq - 1,
    size,
    path: path.map(base64),
    checkpoint,
    key: verifierText(by),
  }
}

function refusalOf(why: NoProof, id: string, size = 0): Refusal {
  switch (why) {
    case 'unknown':
      return refuse('not-found', { detail: `no event has the id \`${id}\`` })
    case 'unsigned':
      return refuse('conflict', { detail: 'No checkpoint covers this event yet: ask again in a minute' })
    case 'no-checkpoint':
      return refuse('not-found', {
        detail: `there is no checkpoint over ${size} events that covers what was asked for`,
      })
    case 'broken':
      return refuse('conflict', {
        detail: 'The record is not what was signed: nothing can be proven of it. `gatehouse audit verify` tells more',
      })
  }
}

function isConsistent(earlier: AuditCheckpointsTable, later: AuditCheckpointsTable, path: readonly Buffer[]): boolean {
  const [from, to] = [readCheckpoint(earlier.note), readCheckpoint(later.note)]
  if (from === undefined || to === undefined) return false
  const [fromRoot, toRoot] = [Buffer.from(from.root, 'hex'), Buffer.from(to.root, 'hex')]
  return verifyConsistency({ from: from.size, to: to.size, fromRoot, toRoot, path })
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64')
}
