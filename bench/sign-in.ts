// How long the answers at the door take, by what is behind them: `node bench/sign-in.ts [rounds]`. Medians in milliseconds.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfig } from '../src/config/parse.ts'
import { listen } from '../src/endpoints/listener.ts'
import { openHouse } from '../src/house.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { systemRandom } from '../src/kernel/id.ts'
import { silent } from '../src/kernel/log.ts'

const rounds = Number(process.argv[2] ?? 200)
const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
const outcome = parseConfig(
  {
    listen: { port: 0 },
    publicUrl: 'https://gate.example.com',
    mail: { from: 'Gate <gate@example.com>', folder: join(dataDir, 'letters') },
    limits: false,
    identity: { registration: 'open', lockout: [{ per: 'account', failures: 100, within: '1s', for: '1s' }] },
  },
  {},
)
if ('mistakes' in outcome) throw new Error(JSON.stringify(outcome.mistakes))
const house = await openHouse(outcome.settings, {
  clock: systemClock,
  random: systemRandom,
  log: silent,
  environment: {},
  dataDir,
  version: 'bench',
  role: 'gate',
})
const listener = await listen(house.gate, outcome.settings.listen)
const password = 'seven violet rivers run'
const ids = new Map<string, string>()
for (const name of ['ada', 'locked']) {
  const created = await house.accounts.create(house.store.db, {
    email: `${name}@people.example`,
    name,
    password,
    roles: [],
  })
  if ('account' in created) ids.set(name, created.account.id)
}
await house.accounts.setStatus(house.store.db, ids.get('locked') ?? '', 'locked')

const post = async (path: string, body: object): Promise<number> => {
  const began = performance.now()
  const response = await fetch(`http://127.0.0.1:${listener.port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  await response.arrayBuffer()
  return performance.now() - began
}
const kinds: Readonly<Record<string, (round: number) => Promise<number>>> = {
  'sign-in, unknown': (round) => post('/api/auth/login', { email: `nobody${round}@people.example`, password: 'wrong' }),
  'sign-in, wrong': async () => {
    const took = await post('/api/auth/login', { email: 'ada@people.example', password: 'wrong' })
    await house.people.attempts.clear(house.store.db, `password:${ids.get('ada')}`)
    return took
  },
  'sign-in, locked': async () => {
    const took = await post('/api/auth/login', { email: 'locked@people.example', password })
    await house.people.attempts.clear(house.store.db, `password:${ids.get('locked')}`)
    return took
  },
  'forgot, unknown': (round) => post('/api/auth/password/forgot', { email: `nobody${round}@people.example` }),
  'forgot, known': async () => {
    const took = await post('/api/auth/password/forgot', { email: 'ada@people.example' })
    await house.people.attempts.clear(house.store.db, 'reset:ada@people.example')
    return took
  },
  'register, free': (round) =>
    post('/api/auth/register', { email: `new${round}@people.example`, name: 'New', password }),
  'register, taken': async () => {
    const took = await post('/api/auth/register', { email: 'ada@people.example', name: 'New', password })
    await house.people.attempts.clear(house.store.db, 'register:ada@people.example')
    return took
  },
}
const times = new Map(Object.keys(kinds).map((kind) => [kind, [] as number[]]))
for (let round = -10; round < rounds; round++) {
  // In another order each time: what went before shows in what comes after.
  for (const [kind, ask] of Object.entries(kinds).toSorted(() => Math.random() - 0.5)) {
    const took = await ask(round)
    if (round >= 0) times.get(kind)?.push(took)
  }
}
for (const [kind, list] of times) {
  const median = list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0
  console.log(kind.padEnd(20), median.toFixed(2))
}
await listener.close(1_000)
await house.close()
