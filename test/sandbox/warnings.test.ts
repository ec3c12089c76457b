import assert from 'node:assert/strict'
import { test } from 'node:test'
import { essentialWalls, type Wall, type WallState, walls } from '../../src/sandbox/walls/wall.ts'
import { wallWarnings } from '../../src/sandbox/warnings.ts'

const without = (...missing: readonly Wall[]): readonly WallState[] =>
  walls.map((wall) => {
    const stands = !missing.includes(wall)
    return { wall, stands, by: stands ? 'bubblewrap 0.8.0' : 'install bubblewrap' }
  })
const options = { require: [], without: [] }

test('CT6: where every wall stands nobody is warned, whatever may be left out', () => {
  assert.deepEqual(wallWarnings(options, without()), [])
  assert.deepEqual(wallWarnings({ ...options, without: ['network'] }, without()), [])
})

test('CT6: each missing wall is told of once: what comes of it, and how it is had', () => {
  const [closed, ...others] = wallWarnings(options, without(...essentialWalls))
  assert.match(closed ?? '', /^no code is run here, .*`files`, `network`, `processes`, `user` \(install bubblewrap\)/)
  assert.deepEqual(others, [])

  const without2 = without('network', 'resources')
  assert.deepEqual(wallWarnings({ ...options, without: ['network'] }, without2), [
    'code of users runs without walls, since `sandbox.without` says so: `network` (install bubblewrap)',
    'walls of the sandbox do not stand: `resources` (install bubblewrap)',
  ])
  assert.deepEqual(wallWarnings({ ...options, require: ['system-calls'] }, without('system-calls')), [
    'sandbox.require: expected walls that do not stand here: `system-calls` (install bubblewrap)',
  ])
})
