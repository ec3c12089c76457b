import type { Database } from '../../store/database.ts'
import { columnsOf } from '../chain.ts'
import { leafHash, verifyInclusion } from './merkle.ts'
import { type CheckpointVerifier, isSigned, readCheckpoint, type SignedCheckpoint } from './note.ts'
import { checkpointAt, checkpointsAfter } from './rows.ts'
import { inclusionProof } from './tree.ts'

/** What shows to anybody that an event is in the record that a checkpoint was signed over. */
export interface Proof {
  /** As it is stored: what the tree was made of. */
  readonly body: string
  /** From 1; its leaf is the one at `seq` − 1. */
  readonly seq: number
  /** How many events the tree has. */
  readonly size: number
  /** The hashes beside the way from the leaf to the root. */
  readonly path: readonly Buffer[]
  /** The signed note. */
  readonly checkpoint: string
}

/** Why there is no proof: no such event; none signed over it yet; no checkpoint over as many events as were asked for; or it is not true. */
export type NoProof = 'unknown' | 'unsigned' | 'no-checkpoint' | 'broken'

/** Proves an event by the checkpoint over `size` events, or else by the first one that covers it. */
export async function proveEvent(db: Database, id: string, size?: number): Promise<Proof | NoProof> {
  const event = await db.selectFrom('audit_events').select(['seq', 'body']).where('id', '=', id).executeTakeFirst()
  if (event === undefined) return 'unknown'
  const { seq, body } = event
  const row = size === undefined ? (await checkpointsAfter(db, seq - 1, 1))[0] : await checkpointAt(db, size)
  if (row === undefined) return size === undefined ? 'unsigned' : 'no-checkpoint'
  if (row.size < seq) return 'no-checkpoint'
  const path = await inclusionProof(db, seq, row.size)
  const proof = { body, seq, size: row.size, path, checkpoint: row.note }
  return idOf(body) === id && isTrue(proof, readCheckpoint(row.note)) ? proof : 'broken'
}

/** What is wrong with a proof, in one sentence; undefined where it holds. It needs no house. */
export function proofProblem(proof: Proof, by: CheckpointVerifier): string | undefined {
  const said = readCheckpoint(proof.checkpoint)
  if (said === undefined) return 'its checkpoint is none'
  if (said.origin !== by.origin) return `its checkpoint is of the record \`${said.origin}\`, not of \`${by.origin}\``
  if (!isSigned(said, by)) return 'its checkpoint is not signed by this key'
  if (said.size !== proof.size) return `its checkpoint covers ${said.size} events, not ${proof.size}`
  return isTrue(proof, said) ? undefined : 'its path does not lead from the event to the root that was signed'
}

/** The column by which an event is found may have been altered. */
function idOf(body: string): string | undefined {
  try {
    return columnsOf(JSON.parse(body)).id
  } catch {
    return undefined // it is no event
  }
}

function isTrue({ body, seq, size, path }: Proof, said: SignedCheckpoint | undefined): boolean {
  if (said === undefined || said.size !== size) return false
  return verifyInclusion({ leaf: leafHash(body), index: seq - 1, size, path, root: Buffer.from(said.root, 'hex') })
}
