import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import type { Random } from '../../kernel/id.ts'
import type { RootKey } from '../../keys/root.ts'
import type { Database } from '../../store/database.ts'
import {
  type Checkpoint,
  type CheckpointVerifier,
  checkpointNote,
  checkpointText,
  type SignedCheckpoint,
} from './note.ts'

/** What signs checkpoints. It is derived from the root key: there is nothing to store, and all nodes have the same. */
export interface CheckpointKey extends CheckpointVerifier {
  sign(checkpoint: Omit<Checkpoint, 'origin'>): SignedCheckpoint
}

/** The key of the house that the store belongs to. A house without a name gets one: of two that come at once, one. */
export async function openCheckpointKey({
  root,
  db,
  random,
}: {
  readonly root: RootKey
  readonly db: Database
  readonly random: Random
}): Promise<CheckpointKey> {
  let id = await houseId(db)
  if (id === undefined) {
    await db
      .insertInto('house')
      .values({ name: houseIdName, value: Buffer.from(random.bytes(8)).toString('hex') })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute()
    id = (await houseId(db)) as string
  }
  return checkpointKey(root, id)
}

/** The key of a house by its name. */
export function checkpointKey(root: RootKey, houseId: string): CheckpointKey {
  const privateKey = createPrivateKey({
    key: Buffer.concat([pkcs8Ed25519, root.derive('audit checkpoints')]),
    format: 'der',
    type: 'pkcs8',
  })
  const by: CheckpointVerifier = { origin: `gatehouse/${houseId}/audit`, publicKey: createPublicKey(privateKey) }
  return {
    ...by,
    sign(said) {
      const checkpoint = { ...said, origin: by.origin }
      const text = checkpointText(checkpoint)
      return { ...checkpoint, note: checkpointNote(text, by, sign(undefined, Buffer.from(text), privateKey)) }
    },
  }
}

/** Also the row that whoever makes a checkpoint holds meanwhile: they come one after the other. */
export const houseIdName = 'house-id'

async function houseId(db: Database): Promise<string | undefined> {
  const row = await db.selectFrom('house').select('value').where('name', '=', houseIdName).executeTakeFirst()
  return row?.value
}

/** What stands before the 32 bytes of a private key in PKCS #8 (RFC 8410 §7). */
const pkcs8Ed25519 = Buffer.from('302e020100300506032b657004220420', 'hex')
