// Code that wants out, behind all the walls that this machine has, as a tenant of a house. Each way ends in a clear word that tells nothing of the
// machine; the tenant beside, and the same tenant’s next run, find nothing of it.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '../../src/kernel/clock.ts'
import { sandboxOptions } from '../../src/sandbox/options.ts'
import type { Language, RunOutcome } from '../../src/sandbox/run.ts'
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { type Escape, type EscapeAsked, javascriptEscapes, pythonEscapes, saidOf } from './escapes.ts'
import { missingWalls, outcomeOf } from './hostile.ts'
import { keptSnapshots } from './kept-snapshots.ts'

const skip = await missingWalls()

/** What the tenant beside is given, what stands in a file of the house’s, and what stands in its environment. */
const secret = randomUUID()
const folder = mkdtempSync(join(tmpdir(), 'escape-'))
/** Nothing of these is ever told to anybody. */
const machine = [secret, folder, process.execPath, import.meta.dirname, hostname(), homedir(), 'root:', 'daemon:']
  // Names so short that honest words have them prove nothing.
  .filter((word) => word.length > 4)

/** What a run finds of another, had one been able to leave anything. */
const look: Readonly<Record<Language, string>> = {
  python: `import json, math
result = [len([1, 2]), json.dumps([1]), hasattr(math, "canary"), "canary" in globals(), input]`,
  javascript: `[[1, 2].map((n) => n).length, JSON.stringify([1]), [].canary !== undefined, typeof canary !== 'undefined', input]`,
}
const untouched = (input: string) => [2, '[1]', false, false, input]

let sandbox: Sandbox
before(async () => {
  if (skip !== false) return
  writeFileSync(join(folder, 'secret'), secret, { mode: 0o644 })
  process.env['ESCAPE_SECRET'] = secret
  sandbox = await openSandbox(
    sandboxOptions.parse({
      limits: { time: '5m', memory: '256mb' },
      pool: { warm: 1, children: 6, patience: '10m', runsPerChild: 1000 },
    }),
    { clock: systemClock, snapshots: keptSnapshots, startMs: 300_000 },
  )
})
after(async () => {
  await sandbox?.close()
  delete process.env['ESCAPE_SECRET']
  rmSync(folder, { recursive: true })
})

const kinds: readonly (readonly [Language, readonly Escape[]])[] = [
  ['python', pythonEscapes],
  ['javascript', javascriptEscapes],
]
describe('the escape suite', { skip, concurrency: 2 }, () => {
  for (const [language, escapes] of kinds)
    describe(language, { concurrency: 1 }, () => {
      for (const [what, code, ends, asked = {}] of escapes)
        test(`CT6: ${language}: ${what}: ends in a clear word, and the next runs are untouched`, async () => {
          const attack = await run('eve', code, asked)
          assert.match(saidOf(attack, attack.result), ends)
          const [beside, next] = await Promise.all([
            run('ada', look[language], { input: secret }),
            run('eve', look[language], { input: 'next' }),
          ])
          assert.deepEqual([beside.error, beside.result], [undefined, untouched(secret)])
          assert.deepEqual([next.error, next.result], [undefined, untouched('next')])
          for (const outcome of [attack, next]) {
            const told = JSON.stringify(outcome)
            for (const word of machine) assert.ok(!told.includes(word), `it told \`${word}\`: ${told}`)
          }
        })

      async function run(tenant: string, code: string, asked: EscapeAsked): Promise<RunOutcome> {
        const { input, timeMs = 60_000, memoryMb = 128 } = asked
        return outcomeOf(await sandbox.run(tenant, { language, code, input, limits: { timeMs, memoryMb } }))
      }
    })

  test('there are at least sixty of them', () => {
    assert.ok(pythonEscapes.length + javascriptEscapes.length >= 60)
  })
})
