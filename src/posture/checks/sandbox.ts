import { essentialWalls } from '../../sandbox/walls/wall.ts'
import { lackingWalls, listedWalls } from '../../sandbox/warnings.ts'
import { type Check, either, type Finding, fails, holds, listed, onMachine, unknown } from '../check.ts'
import type { Facts } from '../facts.ts'

/** Code that users and models write. */
export const sandboxChecks: readonly Check[] = [
  {
    id: 'sandbox',
    title: 'Code of users runs in a sandbox, behind walls that the system holds up',
    area: 'validation',
    level: 'should',
    owasp: ['API8'],
    look: onMachine(({ walls }, { settings: { sandbox } }) => {
      if (!sandbox.enabled || walls === undefined) return unknown(notRun)
      const missing = walls.filter(({ wall, stands }) => !stands && essentialWalls.includes(wall))
      if (missing.length === 0) return holds(`${sandbox.languages.join(' and ')}; the walls stand by ${walls[0]?.by}`)
      const closed = lackingWalls(sandbox, walls).length > 0
      return fails(
        `${closed ? 'no code is run, since' : 'code is run although'} walls are missing: ${listedWalls(missing)}`,
        'bubblewrap, and user namespaces for the house; `gatehouse sandbox walls` says how it is',
      )
    }),
  },
  {
    id: 'sandbox-every-wall',
    title: 'The kernel refuses what an interpreter never needs, and ends what takes too much',
    area: 'validation',
    level: 'should',
    owasp: ['API4', 'API8'],
    look: onMachine(({ walls }, { settings: { sandbox } }) => {
      if (!sandbox.enabled || walls === undefined) return holds(noCode)
      const missing = walls.filter(({ wall, stands }) => !stands && !essentialWalls.includes(wall))
      return either(
        missing.length === 0,
        'every wall stands',
        `missing: ${listedWalls(missing)}`,
        'bubblewrap and util-linux; `gatehouse sandbox walls` says how it is',
      )
    }),
  },
  {
    id: 'sandbox-walls',
    title: 'Nobody answers for a wall that is left out',
    area: 'validation',
    level: 'must',
    owasp: ['API8'],
    look: whereRun(({ without }) =>
      either(
        without.length === 0,
        'no wall may be left out',
        `code is run even without ${listed(without)}`,
        'sandbox.without: []',
      ),
    ),
  },
  {
    id: 'sandbox-required',
    title: 'Without the walls of the system the house does not even start',
    area: 'production',
    level: 'should',
    owasp: ['API8'],
    look: whereRun(({ require: demanded }) => {
      const missing = essentialWalls.filter((wall) => !demanded.includes(wall))
      return either(
        missing.length === 0,
        listed(demanded),
        `nobody notices at the start where these do not stand: ${listed(missing)}`,
        `sandbox.require: [${essentialWalls.map((wall) => `'${wall}'`).join(', ')}]`,
      )
    }),
  },
  {
    id: 'sandbox-limited',
    title: 'Runs of code are counted',
    area: 'limits',
    level: 'must',
    owasp: ['API4'],
    look: ({ settings: { sandbox, limits } }) =>
      sandbox.enabled
        ? either(
            limits !== false && limits['sandbox'] !== false,
            'by `sandbox`',
            'the limit `sandbox` is off',
            "limits.sandbox: { limit: 30, window: '1m' }",
          )
        : holds(noCode),
  },
]

function whereRun(look: (sandbox: Facts['settings']['sandbox']) => Finding): Check['look'] {
  return ({ settings: { sandbox } }) => (sandbox.enabled ? look(sandbox) : holds(noCode))
}

const noCode = 'no code of users is run here'
const notRun = 'no sandbox is configured; the API behind the house may run code of users, or not'
