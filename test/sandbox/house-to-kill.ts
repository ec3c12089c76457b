// A house whose children are behind the walls of this machine, and busy. It says when they are, and waits to be killed.
import { systemClock } from '../../src/kernel/clock.ts'
import { sandboxOptions } from '../../src/sandbox/options.ts'
import { openSandbox } from '../../src/sandbox/sandbox.ts'
import { hostileBehindWalls } from './hostile.ts'

const options = sandboxOptions.parse({ languages: ['javascript'], pool: { warm: 1, children: 3 } })
const walls = await hostileBehindWalls()
const sandbox = await openSandbox(options, { clock: systemClock, snapshots: undefined, walls })
const told = setInterval(() => {
  const { busy, warm } = sandbox.census()
  if (busy === 0 && warm > 0) void sandbox.run('ada', { language: 'javascript', code: 'spin' })
  if (busy === 0 || warm === 0) return
  clearInterval(told)
  process.stdout.write('busy\n')
}, 50)
setTimeout(() => process.exit(1), 60_000)
