import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** An empty folder, for as long as one test runs. */
export function throwAwayFolder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  context.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}
