import { resolve } from 'node:path'
import { openCheckpointer } from '../audit/checkpoint/checkpointer.ts'
import { type CheckpointKey, openCheckpointKey } from '../audit/checkpoint/key.ts'
import { latestCheckpoint } from '../audit/checkpoint/rows.ts'
import type { House } from '../house.ts'
import { silent } from '../kernel/log.ts'
import { openRootKey } from '../keys/root.ts'
import type { Terminal } from './command.ts'

/** Signs all that is chained, and answers the note of the latest checkpoint; undefined, and told why, where that cannot be. */
export async function checkpointNow(
  { store, audit }: House,
  key: CheckpointKey,
  terminal: Terminal,
): Promise<string | undefined> {
  await audit.flush()
  const checkpointer = openCheckpointer({
    store,
    key,
    clock: terminal.clock,
    log: silent,
    every: 0,
    onBroken: (reason) => terminal.err(`nothing was signed: ${reason}; \`gatehouse audit verify\` tells more`),
  })
  await checkpointer.make()
  return checkpointer.broken === undefined ? (await latestCheckpoint(store.db))?.note : undefined
}

/** What signs the checkpoints of a house. */
export async function houseKey(
  { store: { db } }: House,
  { environment, random }: Terminal,
  dataDir: string,
): Promise<CheckpointKey> {
  return openCheckpointKey({
    root: await openRootKey({ environment, dataDir: resolve(dataDir), random, db }),
    db,
    random,
  })
}
