// A house with a sandbox, spoken to through its socket.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Config } from '../../src/config/settings.ts'
import type { Log, LogFields } from '../../src/kernel/log.ts'
import { startHouse, type TestHouse } from '../support/house.ts'
import { member } from '../support/record.ts'
import { dataWithSnapshots } from './kept-snapshots.ts'

/** A machine with much else to do takes its time: nothing here is about how long anything takes. */
export const patient = {
  enabled: true,
  limits: { time: '60s' },
  pool: { warm: 0, children: 4, patience: '5m' },
} as const

const roles = {
  coder: { permissions: ['sandbox:run'] },
  reader: { permissions: ['task:read'] },
}

export interface Front extends TestHouse {
  /** Runs code as somebody who may. */
  run(asked: unknown, as?: string): Promise<FrontAnswer>
  /** Somebody else who may. */
  coder(name: string): Promise<string>
  somebody(name: string, role: 'coder' | 'reader' | 'admin'): Promise<{ readonly id: string; readonly bearer: string }>
  /** The token of whoever runs things where nobody is named. */
  readonly bearer: string
  readonly id: string
  /** All that the log was told. */
  logged(): string
}

export interface FrontAnswer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: whatever was answered
  readonly body: any
}

export async function startFront(context: TestContext, config: Config = {}): Promise<Front> {
  const lines: string[] = []
  const write = (fields: LogFields, message: string): void => {
    lines.push(
      `${message} ${JSON.stringify(fields, (_, value) => (value instanceof Error ? `${value.stack}` : value))}`,
    )
  }
  const log: Log = { debug: write, info: write, warn: write, error: write }
  const house = await startHouse(
    context,
    { sandbox: patient, limits: false, ...config, roles },
    {
      log,
      dataDir: dataWithSnapshots(context),
    },
  )
  const somebody = (name: string, role: string) => member(house, `${name}@example.com`, [role])
  const { bearer, id } = await somebody('carla', 'coder')
  return {
    ...house,
    bearer,
    id,
    somebody,
    coder: async (name) => (await somebody(name, 'coder')).bearer,
    logged: () => lines.join('\n'),
    async run(asked, as = bearer) {
      const answer = await fetch(`${house.url}/api/sandbox/run`, {
        method: 'POST',
        headers: { authorization: as, 'content-type': 'application/json' },
        body: typeof asked === 'string' ? asked : JSON.stringify(asked),
      })
      return { status: answer.status, headers: answer.headers, body: await answer.json() }
    },
  }
}

/** Of a run that was begun, whatever came of it. */
export function ran({ status, body }: FrontAnswer): FrontAnswer['body'] {
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

export const javascript = (code: string, more: object = {}): object => ({ language: 'javascript', code, ...more })
export const python = (code: string, more: object = {}): object => ({ language: 'python', code, ...more })
