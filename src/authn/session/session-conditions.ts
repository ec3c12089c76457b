import type { Expression, ExpressionBuilder, ExpressionWrapper, SqlBool } from 'kysely'
import type { Schema } from '../../store/schema.ts'
import type { SessionRow } from './session.ts'

export type Where = ExpressionBuilder<Schema, 'sessions'>
export type Condition = ExpressionWrapper<Schema, 'sessions', SqlBool>

/** Who presents a refresh token: nobody but a program of our own, where it says nothing. */
export interface Presenter {
  readonly clientId: string | undefined
  /** The key that was proven with the request. */
  readonly keyThumbprint?: string | undefined
  /** The certificate of the connection that it came on. */
  readonly certificateThumbprint?: string | undefined
}

/** How long sessions live without a sign of life. */
export interface Idle {
  /** A family of our own programs. */
  readonly refreshIdleMs: number
  /** A family of a client. */
  readonly clientIdleMs: number
  /** A browser, which families of clients may hang on. */
  readonly browserIdleMs: number
}

export function idleMsOf(kind: SessionRow['kind'], idle: Idle): number {
  return kind === 'client' ? idle.clientIdleMs : idle.refreshIdleMs
}

/** Whether a refresh token of it can be good: neither it has ended, nor what it hangs on, nor all of its kind. */
export function isLiving(is: Where, now: number, idle: Idle): Condition {
  const parent = is
    .selectFrom('sessions as parent')
    .select('parent.id')
    .whereRef('parent.id', '=', 'sessions.parent_id')
    .where('parent.ended_at', 'is', null)
    .where('parent.expires_at', '>', now)
    .where((is) => is.or([is('parent.kind', '!=', 'browser'), is('parent.seen_at', '>', now - idle.browserIdleMs)]))
  return is.and([
    is('sessions.ended_at', 'is', null),
    is('sessions.expires_at', '>', now),
    is.or(
      (['tokens', 'client'] as const).map((kind) =>
        is.and([is('sessions.kind', '=', kind), is('sessions.seen_at', '>', now - idleMsOf(kind, idle))]),
      ),
    ),
    is.or([is('sessions.parent_id', 'is', null), is.exists(parent)]),
    is.not(isCut(is, now)),
  ])
}

/**
 * Whether a cut-off goes over it, be its row ended yet or not: one that was opened while a mass end was under way is void,
 * whoever committed first.
 */
export function isCut(is: Where, now: number): Expression<SqlBool> {
  return is.exists(
    is
      .selectFrom('revocations')
      .select('revocations.at')
      .whereRef('revocations.at', '>=', 'sessions.created_at')
      .where('revocations.expires_at', '>', now)
      .where((is) =>
        is.or([
          is('revocations.kind', '=', 'everything'),
          is.and([is('revocations.kind', '=', 'user'), is('revocations.subject', '=', is.ref('sessions.user_id'))]),
          is.and([is('revocations.kind', '=', 'client'), is('revocations.subject', '=', is.ref('sessions.client_id'))]),
        ]),
      ),
  )
}

/** Whether a family is the presenter's: another's is not there for them, and what it is bound to has to be shown. */
export function isHeldBy(is: Where, { clientId, keyThumbprint, certificateThumbprint }: Presenter): Condition {
  return is.and([
    isClient(is, clientId),
    isBoundTo(is, 'sessions.key_thumbprint', keyThumbprint),
    isBoundTo(is, 'sessions.certificate_thumbprint', certificateThumbprint),
  ])
}

function isBoundTo(
  is: Where,
  column: 'sessions.key_thumbprint' | 'sessions.certificate_thumbprint',
  shown: string | undefined,
): Condition {
  return is.or([is(column, 'is', null), ...(shown === undefined ? [] : [is(column, '=', shown)])])
}

export function isClient(is: Where, clientId: string | undefined): Condition {
  return clientId === undefined ? is('sessions.client_id', 'is', null) : is('sessions.client_id', '=', clientId)
}
