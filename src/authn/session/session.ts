import type { Insertable, Selectable } from 'kysely'
import type { SessionsTable } from '../../store/schema.ts'
import { methodsFrom, type Proof } from '../proof.ts'
import type { Binding } from '../token/binding.ts'

/** One sign-in: the family that all its refresh tokens and access tokens belong to. */
export interface Session {
  readonly id: string
  readonly userId: string
  readonly proof: Proof
  /** Who holds the tokens, where it is a program of other people. */
  readonly client: SessionClient | undefined
}

/** What a client was granted, and what every refresh of it has to show (RFC 9449 §5, RFC 8705 §4). */
export interface SessionClient extends Binding {
  readonly id: string
  readonly scopes: readonly string[]
  /** Identifiers of resources (RFC 8707). */
  readonly resources: readonly string[]
}

/** A living session as its owner may see it. */
export interface SessionView {
  readonly id: string
  readonly kind: 'tokens' | 'browser' | 'impersonation' | 'client'
  readonly address: string
  readonly userAgent: string
  readonly createdAt: number
  readonly seenAt: number
  readonly expiresAt: number
}

export interface Device {
  readonly address: string
  readonly userAgent: string
}

export type SessionRow = Selectable<SessionsTable>

/** What the reason of a session begins with that ended by a cut-off: nodes hear of that, and not of each. */
export const byCut = 'cut-off: '

/** What a family has beside what every kind of session has. */
export type FamilyColumns = Pick<
  Insertable<SessionsTable>,
  'kind' | 'client_id' | 'scope' | 'resources' | 'key_thumbprint' | 'certificate_thumbprint' | 'parent_id'
>

/** What every kind of session has when it begins. */
export function newSessionRow(
  id: string,
  userId: string,
  { address, userAgent }: Device,
  proof: Proof,
  now: number,
): Omit<Insertable<SessionsTable>, 'kind' | 'refresh_hash' | 'expires_at'> {
  return {
    id,
    user_id: userId,
    generation: 0,
    previous_hash: null,
    rotated_at: now,
    created_at: now,
    seen_at: now,
    ended_at: null,
    ended_reason: null,
    address,
    user_agent: userAgent.slice(0, 256).toWellFormed().replaceAll('\0', ''),
    methods: proof.methods.join(' '),
    authenticated_at: proof.at,
  }
}

/** What is read of a row to know whose it is. */
export const sessionColumns = [
  'id',
  'user_id',
  'methods',
  'authenticated_at',
  'client_id',
  'scope',
  'resources',
  'key_thumbprint',
  'certificate_thumbprint',
] as const satisfies readonly (keyof SessionRow)[]

/** A row as a `Session`. */
export function sessionOf(row: Pick<SessionRow, (typeof sessionColumns)[number]>): Session {
  return {
    id: row.id,
    userId: row.user_id,
    proof: { methods: methodsFrom(row.methods.split(' ')), at: row.authenticated_at },
    client:
      row.client_id === null
        ? undefined
        : {
            id: row.client_id,
            scopes: wordsOf(row.scope),
            resources: wordsOf(row.resources),
            keyThumbprint: row.key_thumbprint ?? undefined,
            certificateThumbprint: row.certificate_thumbprint ?? undefined,
          },
  }
}

/** A row as its owner may see it. */
export function viewOf(row: SessionRow): SessionView {
  return {
    id: row.id,
    kind: row.kind,
    address: row.address,
    userAgent: row.user_agent,
    createdAt: row.created_at,
    seenAt: row.seen_at,
    expiresAt: row.expires_at,
  }
}

function wordsOf(text: string | null): readonly string[] {
  return text === null || text === '' ? [] : text.split(' ')
}
