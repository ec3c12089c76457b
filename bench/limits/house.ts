import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type Child, startChild, untilItAnswers } from '../child.ts'

/** A Gatehouse on a port of its own, and somebody who is signed in there. */
export interface House {
  readonly child: Child
  readonly url: string
  readonly token: string
}

/** What stands before the routes: limits that nobody reaches, limits of an address, blocks of one, or nothing; `unshed`: not even of load. */
export type Guard = 'ample' | 'limits' | 'blocks' | 'off' | 'unshed'

export async function startGatehouse(
  guard: Guard,
  { upstream, folder, core }: { readonly upstream: string; readonly folder: string; readonly core: number | undefined },
): Promise<House> {
  const [port, dataDir] = [await freePort(), join(folder, `${guard}-${randomBytes(4).toString('hex')}`)]
  mkdirSync(dataDir)
  const admin = { email: 'bench@example.com', password: randomBytes(18).toString('base64url') }
  const here = import.meta.dirname
  const command = [join(here, '../../src/main.ts'), 'start', '--config', join(here, 'gatehouse.config.ts')]
  const child = startChild(
    `gatehouse (${guard})`,
    [process.execPath, ...command, '--port', String(port), '--data', dataDir],
    {
      core,
      env: {
        BENCH_GUARD: guard,
        BENCH_UPSTREAM: upstream,
        BENCH_SECRET: randomBytes(48).toString('base64url'),
        GATEHOUSE_ADMIN_EMAIL: admin.email,
        GATEHOUSE_ADMIN_PASSWORD: admin.password,
      },
    },
  )
  const url = `http://127.0.0.1:${port}`
  await untilItAnswers(`gatehouse (${guard})`, `${url}/health/live`, child)
  const answer = await fetch(`${url}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(admin),
  })
  if (answer.status !== 200)
    throw new Error(`gatehouse (${guard}): expected 200 for the sign-in, got ${answer.status}: ${await answer.text()}`)
  const { access_token: token } = (await answer.json()) as { access_token: string }
  return { child, url, token }
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() =>
        address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('expected a port')),
      )
    })
  })
}
