// Refreshes one family again and again until it is killed, as the house does: the token moves, and the event that tells of it
// is there, in one transaction. Before each refresh it prints the token that it holds. It can be told to kill itself at a
// point of its 21st refresh: `refreshing-process.ts URL TOKEN [moved|told|committed]`.
import { openAuditLog } from '../../src/audit/log.ts'
import { RevocationList } from '../../src/authn/session/revocation-list.ts'
import { Sessions } from '../../src/authn/session/sessions.ts'
import { type Clock, systemClock } from '../../src/kernel/clock.ts'
import { systemRandom, uuidv7 } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { rootKey } from '../../src/keys/root.ts'
import { openStore } from '../../src/store/database.ts'

export const graceMs = 60_000

/** The same rooms in every process. */
export function sessionsBy(clock: Clock): Sessions {
  const day = 86_400_000
  return new Sessions({
    clock,
    random: systemRandom,
    root: rootKey('a root secret for the tests, long enough'),
    revocationList: new RevocationList({ clock, ttlMs: 900_000 }),
    refreshTtlMs: 30 * day,
    refreshIdleMs: 14 * day,
    clientIdleMs: 14 * day,
    browserIdleMs: day,
    graceMs,
  })
}

if (import.meta.main) {
  const [url, first, point] = process.argv.slice(2) as [string, string, string | undefined]
  const store = await openStore(url)
  const clock = systemClock
  const sessions = sessionsBy(clock)
  const audit = await openAuditLog({
    store,
    url,
    wrappingKey: Buffer.alloc(32),
    clock,
    random: systemRandom,
    log: silent,
    thread: false,
  })
  let token = first
  for (let round = 0; ; round++) {
    const killAt = (here: string): void => {
      if (round === 20 && point === here) process.kill(process.pid, 'SIGKILL')
    }
    process.stdout.write(`${token}\n`)
    const rotation = await store.transaction(async (trx) => {
      const outcome = await sessions.rotate(trx, token)
      killAt('moved')
      await audit.enroll(trx, {
        action: 'refresh',
        actor: { id: 'u1', type: 'user' },
        address: '',
        at: clock.now(),
        details: { kind: outcome.kind },
        id: uuidv7(clock.now(), systemRandom),
        request_id: '',
        resource: { id: 'u1', type: 'user' },
        result: 'success',
        type: 'authentication',
        user_agent: '',
        v: 1,
      })
      killAt('told')
      return outcome
    })
    killAt('committed')
    if (!('refreshToken' in rotation)) throw new Error(`refused: ${rotation.kind}`)
    token = rotation.refreshToken
  }
}
