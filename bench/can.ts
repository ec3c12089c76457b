// What a function pays for a question, and another service for one by HTTP: `node bench/can.ts`. By the time that the
// processor worked, all threads together, so that it depends little on what else the machine does; by HTTP the caller's share is in it.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { anonymous } from '../src/authn/principal.ts'
import { parseConfig } from '../src/config/parse.ts'
import { listen } from '../src/endpoints/listener.ts'
import { openHouse } from '../src/house.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { systemRandom } from '../src/kernel/id.ts'
import { silent } from '../src/kernel/log.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-can-'))
const outcome = parseConfig(
  {
    listen: { port: 0 },
    limits: false,
    roles: { user: { permissions: ['document:*'] }, pep: { permissions: ['policies:evaluate'] } },
    policies: [
      {
        name: 'own',
        version: '1.0',
        rules: [
          {
            condition: { operator: 'equals', attribute: 'subject.id', value: { ref: 'resource.owner_id' } },
            effect: 'allow',
          },
        ],
      },
    ],
    resources: { document: { owner: { param: 'owner' } }, record: { owner: { param: 'owner' }, policy: 'own' } },
  },
  {},
)
if ('mistakes' in outcome) throw new Error(JSON.stringify(outcome.mistakes))
const { settings } = outcome
const machine = { clock: systemClock, random: systemRandom, log: silent, environment: {}, dataDir }
const house = await openHouse(settings, { ...machine, version: 'bench', role: 'gate' })
const listener = await listen(house.gate, settings.listen, machine)
const url = `http://127.0.0.1:${listener.port}`

const ada = {
  ...anonymous,
  type: 'user' as const,
  id: 'ada',
  roles: ['user'],
  permissions: new Set(['document:*']),
}
const document = { type: 'document', id: '7', owner_id: 'ada' }
inTurn('by permission', () => house.can(ada, 'document:write'))
inTurn('by permission and owner', () => house.can(ada, 'document:write', document))
inTurn('by permission, owner and policy', () => house.can(ada, 'document:write', { ...document, type: 'record' }))

const { db } = house.store
const password = 'a long enough passphrase'
const accounts = await Promise.all(
  ['asker', 'asked'].map((name) =>
    house.accounts.create(db, { email: `${name}@bench.example`, name, password, roles: ['user', 'pep'] }),
  ),
)
const id = accounts.map((made) => ('account' in made ? made.account.id : ''))[1]
const signedIn = await fetch(`${url}/api/auth/login`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ email: 'asker@bench.example', password }),
})
const { access_token } = (await signedIn.json()) as { access_token: string }
const question = {
  subject: { type: 'user', id },
  action: { name: 'document:write' },
  resource: { type: 'document', id: '7', properties: { owner_id: id } },
}
await byHttp('one question by HTTP', '/access/v1/evaluation', question, 1)
const evaluations = Array.from({ length: 100 }, () => ({}))
await byHttp('a hundred at once', '/access/v1/evaluations', { ...question, evaluations }, 100)

await listener.close(1_000)
await house.close()

function inTurn(name: string, ask: () => boolean): void {
  for (let turn = 0; turn < 200_000; turn++) ask()
  const from = process.cpuUsage()
  const turns = 2_000_000
  for (let turn = 0; turn < turns; turn++) ask()
  say(name, turns, from)
}

async function byHttp(name: string, path: string, body: object, decisions: number): Promise<void> {
  const text = JSON.stringify(body)
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${access_token}` }
  const ask = async (): Promise<void> => {
    const answer = await fetch(url + path, { method: 'POST', headers, body: text })
    if (!(await answer.text()).includes('true')) throw new Error('expected a permit')
  }
  const each = async (turns: number): Promise<void> => {
    for (let turn = 0; turn < turns; turn++) await ask()
  }
  await Promise.all([each(30), each(30), each(30), each(30)])
  const from = process.cpuUsage()
  const turns = 200
  await Promise.all([each(turns), each(turns), each(turns), each(turns)])
  say(name, 4 * turns * decisions, from)
}

function say(name: string, decisions: number, from: NodeJS.CpuUsage): void {
  const { user, system } = process.cpuUsage(from)
  const microseconds = (user + system) / decisions
  const perSecond = Math.round(1_000_000 / microseconds).toLocaleString('en')
  process.stdout.write(`${name}: ${microseconds.toFixed(2)} µs a decision, ${perSecond} a second of processor time\n`)
}
