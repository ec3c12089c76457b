import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'

/** Where all sandboxes of a process keep their snapshots: one takes seconds to make, and the tests want the same. */
export const keptSnapshots = mkdtempSync(join(tmpdir(), 'gatehouse-snapshots-'))
process.once('exit', () => rmSync(keptSnapshots, { recursive: true, force: true }))

/** A folder of data for one house, with those snapshots in it. */
export function dataWithSnapshots(context: TestContext): string {
  const folder = join(throwAwayFolder(context), 'data')
  mkdirSync(folder, { mode: 0o700 })
  symlinkSync(keptSnapshots, join(folder, 'sandbox'))
  return folder
}
