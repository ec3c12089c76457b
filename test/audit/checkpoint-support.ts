import { type Checkpointer, openCheckpointer } from '../../src/audit/checkpoint/checkpointer.ts'
import { type CheckpointKey, openCheckpointKey } from '../../src/audit/checkpoint/key.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { rootKey } from '../../src/keys/root.ts'
import type { Store } from '../../src/store/database.ts'
import { testClock } from '../support/clock.ts'

export const secret = 'a root secret for nothing but tests, and long'

/** What makes checkpoints of a store, as a process that begins anew. */
export async function checkpointing(
  store: Store,
  {
    clock = testClock(),
    root = secret,
    key,
  }: { readonly clock?: Clock; readonly root?: string; readonly key?: CheckpointKey } = {},
): Promise<{ readonly key: CheckpointKey; readonly checkpointer: Checkpointer; readonly told: readonly string[] }> {
  const by = key ?? (await openCheckpointKey({ root: rootKey(root), db: store.db, random: systemRandom }))
  const told: string[] = []
  const onBroken = (reason: string): void => void told.push(reason)
  const checkpointer = openCheckpointer({ store, key: by, clock, log: silent, every: 60_000, onBroken })
  return { key: by, checkpointer, told }
}
