import type { Clock } from '../../kernel/clock.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Database } from '../../store/database.ts'
import { hold } from '../account/hold.ts'
import type { Verified } from '../token/tokens.ts'
import { refreshTokenPrefix } from './refresh-tokens.ts'
import type { CutOff, RevocationList } from './revocation-list.ts'
import { type Revocations, tokenSlackMs } from './revocations.ts'
import type { Sessions } from './sessions.ts'

/** What an operator takes back: one of these. */
export type Revocable =
  /** An access token or a refresh token as it was issued, or the `jti` of an access token. */
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'session' | 'user' | 'client'; readonly id: string }
  | { readonly kind: 'everything' }

/** What ended by it, for this process to hear at once, and for the record. */
export interface TakenBack {
  readonly resource: { readonly type: 'token' | 'session' | 'user' | 'client' | 'house'; readonly id: string }
  readonly sessions: readonly string[]
  readonly token: { readonly id: string; readonly expiresAtMs: number } | undefined
  readonly cut: CutOff | undefined
  /** How many sessions ended, be they listed or not. */
  readonly sessionCount: number
}

export interface TakingBackRooms {
  readonly clock: Clock
  readonly sessions: Sessions
  readonly revocationList: RevocationList
  readonly tokens: { readonly accessTtlMs: number; verify(token: string): Verified | Refusal }
}

/**
 * Takes back what is named, in the transaction of whoever decided it. What has run out, or was taken back before, is no error:
 * it is as ended as it can be (TK4). Something that was never there is.
 */
export async function takeBack(trx: Database, rooms: TakingBackRooms, what: Revocable): Promise<TakenBack | Refusal> {
  const { clock, sessions, revocationList } = rooms
  const now = clock.now()
  switch (what.kind) {
    case 'token':
      return what.token.startsWith(refreshTokenPrefix)
        ? refreshToken(trx, rooms, what.token)
        : accessToken(trx, rooms, what.token, now)
    case 'session':
      return (await session(trx, rooms, what.id)) ?? refuse('not-found', { detail: 'no session has this id' })
    case 'user': {
      await hold(trx, what.id)
      const ended = await sessions.endAllOf(trx, what.id, reason)
      // Tokens of sessions that the store has lost end as well: it may come from a backup.
      const cut: CutOff = { kind: 'user', subject: what.id, at: now }
      await revocationList.cut(trx, cut)
      return { ...nothing, resource: { type: 'user', id: what.id }, sessions: ended, cut, sessionCount: ended.length }
    }
    case 'client': {
      const { sessions: sessionCount, ...cut } = await sessions.endAllOfClient(trx, what.id, reason)
      return { ...nothing, resource: { type: 'client', id: what.id }, cut, sessionCount }
    }
    case 'everything': {
      const { sessions: sessionCount, ...cut } = await sessions.endEverything(trx, reason)
      return { ...nothing, resource: { type: 'house', id: 'house' }, cut, sessionCount }
    }
  }
}

/** Lets this process know, once the transaction is through: others hear of it from the store. */
export function heed(revocations: Revocations, { sessions, token, cut }: TakenBack): void {
  for (const id of sessions) revocations.endSession(id)
  if (token !== undefined) revocations.endToken(token.id, token.expiresAtMs)
  if (cut !== undefined) revocations.cut(cut.kind, cut.subject, cut.at)
}

/** With its family: its access tokens, and its successors. */
async function refreshToken(trx: Database, rooms: TakingBackRooms, presented: string): Promise<TakenBack | Refusal> {
  const id = rooms.sessions.familyIdOf(presented)
  if (id === undefined) return notOurs
  const ended = await session(trx, rooms, id)
  // A family that was swept is over.
  return ended ?? { ...nothing, resource: { type: 'session', id } }
}

async function session(trx: Database, { sessions }: TakingBackRooms, id: string): Promise<TakenBack | undefined> {
  const userId = await sessions.ownerOf(trx, id)
  if (userId === undefined) return undefined
  await hold(trx, userId)
  const ended = await sessions.end(trx, id, reason)
  return { ...nothing, resource: { type: 'session', id }, sessions: ended, sessionCount: ended.length }
}

async function accessToken(
  trx: Database,
  { tokens, revocationList }: TakingBackRooms,
  token: string,
  now: number,
): Promise<TakenBack | Refusal> {
  const ended = { ...nothing, resource: { type: 'token', id: '' } } as const
  const found = named(tokens, token, now)
  if ('code' in found) return found.code === 'token-expired' || found.code === 'token-revoked' ? ended : notOurs
  await revocationList.revoke(trx, 'token', found.id, { at: now, expiresAt: found.expiresAtMs })
  return { ...ended, resource: { type: 'token', id: found.id }, token: found }
}

/** The token by its `jti`. Of a `jti` alone nobody knows when it runs out: later than any that is alive cannot be. */
function named(
  tokens: TakingBackRooms['tokens'],
  token: string,
  now: number,
): { readonly id: string; readonly expiresAtMs: number } | Refusal {
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(token))
    return { id: token, expiresAtMs: now + tokens.accessTtlMs + tokenSlackMs }
  const verified = tokens.verify(token)
  return 'code' in verified ? verified : { id: verified.tokenId, expiresAtMs: verified.expiresAt * 1000 }
}

const reason = 'taken back by an operator'
const nothing = { sessions: [], token: undefined, cut: undefined, sessionCount: 0 } as const
const notOurs = refuse('body-invalid', {
  detail: 'expected a token of this house, or the `jti` of an access token',
  errors: { token: ['is none of ours'] },
})
