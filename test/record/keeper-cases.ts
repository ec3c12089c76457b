// The record of a house that runs as a process of its own: what becomes of its followers when such processes die, or are several.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { once, type Received, type Receiver, receive, seqsOf } from '../audit/following.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { postElsewhere, type Running, signIn, startProcess } from '../support/process.ts'
import { asked, type ShownIncident } from '../support/record.ts'

export function keeperCases(fresh: (context: TestContext) => Promise<string>): void {
  test('A61: killed in the middle of a page, a house sends it again: nothing is missing, and nothing out of order', async (context) => {
    let held: (() => void) | undefined
    const reached = new Promise<void>((resolve) => (held = resolve))
    let isHanging = false
    const receiver = await receive(context, ({ body }) => {
      if (!isHanging || !body.includes('127.6.0.1')) return 200
      held?.()
      return 'never'
    })
    const start = await place(context, await fresh(context), receiver)
    const first = await start()
    isHanging = true
    await attack(first, '127.6.0.1')
    await reached
    await first.stop('SIGKILL')
    isHanging = false
    const second = await start()
    await attack(second, '127.6.0.2')
    await hasAll(receiver, second)
  })

  test('AU6, A61: killed at any moment after an attack, a house opens one incident for it, and no second one', async (context) => {
    const receiver = await receive(context, () => 200)
    const start = await place(context, await fresh(context), receiver)
    const rounds = 2
    for (let round = 0; round < rounds; round++) {
      const house = await start()
      await attack(house, `127.7.0.${round}`)
      await pause(randomInt(0, 400))
      await house.stop('SIGKILL')
    }
    const house = await start()
    await hasAll(receiver, house)
    const { access_token } = await signIn(house.url)
    const incidents = await soon(async () => {
      const path = `${house.url}/api/admin/incidents?type=brute-force`
      const { incidents } = await asked<{ readonly incidents: readonly ShownIncident[] }>(path, access_token)
      return incidents.length >= rounds ? incidents : undefined
    })
    assert.deepEqual(
      incidents.map(({ occurrences, targets }) => [occurrences, targets.find(({ type }) => type === 'address')?.id]),
      Array.from({ length: rounds }, (_, round) => [1, `127.7.0.${rounds - 1 - round}`]),
    )
  })

  test('AU4, A61: of two houses over one store one sends, each event once and in order; when it dies the other goes on', async (context) => {
    const receiver = await receive(context, () => 200)
    const start = await place(context, await fresh(context), receiver)
    const [first, second] = [await start(), await start()]
    await Promise.all([attack(first, '127.8.0.1'), attack(second, '127.8.0.2')])
    const sent = await hasAll(receiver, second)
    assert.deepEqual(sent, once(sent), 'while both live nothing comes twice')
    await first.stop('SIGKILL')
    await attack(second, '127.8.0.3')
    await hasAll(receiver, second)
  })
}

/** Starts houses over one store, and with one sink. */
export async function place(
  context: TestContext,
  store: string,
  { port }: Receiver,
  more: object = {},
): Promise<() => Promise<Running>> {
  const folder = throwAwayFolder(context)
  const config = join(folder, 'gatehouse.config.json')
  const sink = { kind: 'webhook', url: `http://127.0.0.1:${port}/`, batch: 3, timeout: '60s' }
  const written = {
    store,
    routes: [],
    limits: { authentication: false, strangers: false },
    audit: { sinks: [sink] },
    ...more,
  }
  writeFileSync(config, JSON.stringify(written))
  return () => startProcess(context, ['--config', config], { dataDir: join(folder, 'data') })
}

/** Five wrong passwords, for an account that is there. */
export async function attack({ url }: Running, address: string): Promise<void> {
  for (let tries = 0; tries < 5; tries++) {
    const guess = { email: 'admin@example.com', password: 'wrong wrong wrong' }
    assert.equal((await postElsewhere(`${url}/api/auth/login`, guess, {}, address)).status, 401)
  }
}

/** The places of all events, as they came, once everything that the record holds was received. */
async function hasAll({ received }: Receiver, { url }: Running): Promise<readonly number[]> {
  const { access_token } = await signIn(url)
  return soon(async () => {
    const seqs = seqsOf(received.map(({ body }: Received) => body))
    const { events } = await asked<{ events: readonly { seq: number }[] }>(
      `${url}/api/admin/audit?limit=1&type=authentication`,
      access_token,
    )
    const inOrder = once(seqs)
    if (inOrder.length < (events[0]?.seq ?? Number.POSITIVE_INFINITY)) return undefined
    assert.deepEqual(
      inOrder,
      inOrder.map((_, index) => index + 1),
    )
    return seqs
  })
}

/** Asks until there is an answer, for half a minute at most: who died is succeeded after ten seconds. */
async function soon<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 150; tries++) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await pause(200)
  }
  throw new Error('it did not come')
}
