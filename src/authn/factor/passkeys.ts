import type {
  AuthenticatorTransport,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server'
import type { Selectable } from 'kysely'
import { base64url } from '../../kernel/bytes.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Random } from '../../kernel/id.ts'
import type { Database } from '../../store/database.ts'
import type { PasskeysTable } from '../../store/schema.ts'
import { alone } from './alone.ts'
import {
  assertionResponse,
  clientDataProblem,
  hasCertificates,
  isCredentialId,
  knownTransports,
  registrationResponse,
} from './passkey-response.ts'

/** Most of a house's start would go into loading it, and most people who are served have no passkey. */
function webauthn(): Promise<typeof import('@simplewebauthn/server')> {
  return import('@simplewebauthn/server')
}

/** An authenticator that a person enrolled, as they may see it. */
export interface Passkey {
  /** The credential id, base64url. */
  readonly id: string
  readonly name: string
  /** Whether it is kept in more than one place, by its own word when it was last used. */
  readonly backedUp: boolean
  readonly createdAt: number
  readonly lastUsedAt: number | undefined
}

/** Why a response was not accepted: half a sentence for the log, free of control characters. The caller is told less. */
export interface Unaccepted {
  readonly problem: string
}

export interface Verified {
  readonly userId: string
  readonly passkeyId: string
  /** Whether the authenticator knew its user by PIN or body, so that it is two factors in one. */
  readonly userVerified: boolean
}

/** The signature was good, and the count not above the last one: there may be a copy of the authenticator (A46). */
export interface Regressed extends Unaccepted {
  readonly signCountRegressed: { readonly userId: string; readonly passkeyId: string }
}

export type Verification = Verified | Unaccepted | Regressed

interface PasskeysOptions {
  readonly clock: Clock
  readonly random: Random
  /** The domain that passkeys are bound to. */
  readonly rpId: string
  readonly rpName: string
  /** Where pages may ask for one: exactly these. */
  readonly origins: readonly string[]
}

/**
 * Passkeys and security keys (WebAuthn Level 3). A challenge is made here and is the caller's to keep and to take once.
 * Enrolment asks for user verification without insisting, so that a plain security key can be a second factor; whoever signs
 * in by a passkey alone demands it of `verify`.
 */
export class Passkeys {
  readonly #options: PasskeysOptions

  constructor(options: PasskeysOptions) {
    this.#options = options
  }

  async registrationOptions(
    db: Database,
    user: { readonly id: string; readonly email: string; readonly name: string },
  ): Promise<{ readonly options: PublicKeyCredentialCreationOptionsJSON; readonly challenge: string }> {
    const { rpId, rpName } = this.#options
    const options = await (await webauthn()).generateRegistrationOptions({
      rpID: rpId,
      rpName,
      userID: new Uint8Array(Buffer.from(user.id)),
      userName: user.email,
      userDisplayName: user.name,
      challenge: this.#challenge(),
      timeout: ceremonyMs,
      attestationType: 'none',
      excludeCredentials: await this.#descriptors(db, user.id),
      authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
      supportedAlgorithmIDs: [...algorithms],
    })
    return { options, challenge: options.challenge }
  }

  /** Enrols what `navigator.credentials.create()` answered (§7.1). */
  async register(
    db: Database,
    userId: string,
    response: unknown,
    challenge: string,
    name: string,
  ): Promise<{ readonly passkey: Passkey } | Unaccepted> {
    const shape = registrationResponse.safeParse(response)
    if (!shape.success) return { problem: 'expected the response of a registration, got another shape' }
    const { id, response: answer } = shape.data
    const outcome = await unlessThrown(async () => {
      // Before the library sees it: it would read the certificates, and fetch the revocation lists that they name.
      if (await hasCertificates(answer.attestationObject))
        return { problem: 'expected no attestation, got certificates' }
      const problem = clientDataProblem(answer.clientDataJSON)
      if (problem !== undefined) return { problem }
      const { rpId, origins } = this.#options
      return (await webauthn()).verifyRegistrationResponse({
        response: {
          ...shape.data,
          response: { clientDataJSON: answer.clientDataJSON, attestationObject: answer.attestationObject },
          clientExtensionResults: {},
        },
        expectedChallenge: challenge,
        expectedOrigin: [...origins],
        expectedRPID: rpId,
        requireUserVerification: false,
        supportedAlgorithmIDs: [...algorithms],
      })
    })
    if ('problem' in outcome) return outcome
    if (!outcome.verified) return { problem: 'the attestation does not hold' }
    const { credential, credentialBackedUp } = outcome.registrationInfo
    if (credential.id !== id)
      return { problem: 'the response speaks of one credential, and the authenticator of another' }
    return this.#enrol(db, {
      id,
      user_id: userId,
      public_key: base64url(credential.publicKey),
      sign_count: credential.counter,
      transports: JSON.stringify(knownTransports(answer.transports ?? [])),
      name: tidyName(name),
      backed_up: credentialBackedUp ? 1 : 0,
      created_at: this.#options.clock.now(),
      last_used_at: null,
    })
  }

  /**
   * Asks for a passkey of somebody whose password was right, or of whoever comes. The latter names no credentials, so that
   * it tells nothing about anybody, and demands user verification, for nothing else proves them.
   */
  async signInOptions(
    db: Database,
    userId: string | undefined,
  ): Promise<{ readonly options: PublicKeyCredentialRequestOptionsJSON; readonly challenge: string }> {
    const options = await (await webauthn()).generateAuthenticationOptions({
      rpID: this.#options.rpId,
      challenge: this.#challenge(),
      timeout: ceremonyMs,
      allowCredentials: userId === undefined ? [] : await this.#descriptors(db, userId),
      userVerification: userId === undefined ? 'required' : 'preferred',
    })
    return { options, challenge: options.challenge }
  }

  /**
   * Checks what `navigator.credentials.get()` answered (§7.2).
   *
   * A sign count that did not grow is refused, and told: §7.2 step 22 leaves both to us, and an authenticator that counts
   * has no honest way to go back (§6.1.1). The count that is stored stays, so the one that is ahead goes on working; if that
   * is the copy, its owner is the one who is refused, and hears of it. Passkeys that are synced always say zero, and are
   * not compared.
   */
  async verify(
    db: Database,
    response: unknown,
    challenge: string,
    { userId, userVerification }: { readonly userId?: string; readonly userVerification: boolean },
  ): Promise<Verification> {
    const shape = assertionResponse.safeParse(response)
    if (!shape.success) return { problem: 'expected the response of a sign-in, got another shape' }
    const { id, response: answer } = shape.data
    const row = await db.selectFrom('passkeys').selectAll().where('id', '=', id).executeTakeFirst()
    if (row === undefined) return { problem: 'no such passkey' }
    const problem = ownerProblem(row.user_id, userId, answer.userHandle)
    if (problem !== undefined) return { problem }
    const outcome = await unlessThrown(async () => {
      const crossed = clientDataProblem(answer.clientDataJSON)
      if (crossed !== undefined) return { problem: crossed }
      const { rpId, origins } = this.#options
      const { clientDataJSON, authenticatorData, signature } = answer
      return (await webauthn()).verifyAuthenticationResponse({
        response: {
          ...shape.data,
          response: { clientDataJSON, authenticatorData, signature },
          clientExtensionResults: {},
        },
        expectedChallenge: challenge,
        expectedOrigin: [...origins],
        expectedRPID: rpId,
        requireUserVerification: userVerification,
        // Zero, so that the library does not judge the count: it would before it knows that the signature is good.
        credential: { id, publicKey: new Uint8Array(Buffer.from(row.public_key, 'base64url')), counter: 0 },
      })
    })
    if ('problem' in outcome) return outcome
    if (!outcome.verified) return { problem: 'the signature does not fit the passkey' }
    const { newCounter, userVerified, credentialBackedUp } = outcome.authenticationInfo
    return (await this.#used(db, row, newCounter, credentialBackedUp))
      ? { userId: row.user_id, passkeyId: id, userVerified }
      : this.#explain(db, row)
  }

  /** A person's passkeys, in the order in which they were enrolled. */
  async list(db: Database, userId: string): Promise<readonly Passkey[]> {
    return (await rowsOf(db, userId)).map(passkeyOf)
  }

  /** Removes a person's passkey. Somebody else's is not there. */
  async remove(db: Database, userId: string, id: string): Promise<boolean> {
    if (!isCredentialId(id)) return false
    const gone = await db.deleteFrom('passkeys').where('id', '=', id).where('user_id', '=', userId).executeTakeFirst()
    return gone.numDeletedRows > 0n
  }

  count(db: Database, userId: string): Promise<number> {
    return countPasskeys(db, userId)
  }

  #challenge(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#options.random.bytes(challengeBytes))
  }

  async #descriptors(db: Database, userId: string): Promise<Descriptor[]> {
    return (await rowsOf(db, userId)).map(({ id, transports }) => ({ id, transports: JSON.parse(transports) }))
  }

  /** §7.1 step 26: a credential id belongs to one person, whoever was first. */
  #enrol(db: Database, row: Selectable<PasskeysTable>): Promise<{ readonly passkey: Passkey } | Unaccepted> {
    return alone(db, row.user_id, async (trx) => {
      if ((await countPasskeys(trx, row.user_id)) >= passkeysMax)
        return { problem: `expected at most ${passkeysMax} passkeys, got one more` }
      const added = await trx
        .insertInto('passkeys')
        .values(row)
        .onConflict((conflict) => conflict.column('id').doNothing())
        .returning('id')
        .executeTakeFirst()
      return added === undefined ? { problem: 'the passkey is enrolled already' } : { passkey: passkeyOf(row) }
    })
  }

  /** Whether the count went up, or there is none. One UPDATE, so that of two copies of one answer one is taken. */
  async #used(db: Database, row: Selectable<PasskeysTable>, count: number, backedUp: boolean): Promise<boolean> {
    const used = await db
      .updateTable('passkeys')
      .set({ sign_count: count, backed_up: backedUp ? 1 : 0, last_used_at: this.#options.clock.now() })
      .where('id', '=', row.id)
      .where('public_key', '=', row.public_key)
      .where('sign_count', count === 0 ? '=' : '<', count)
      .executeTakeFirst()
    return used.numUpdatedRows > 0n
  }

  async #explain(db: Database, { id, user_id }: Selectable<PasskeysTable>): Promise<Unaccepted | Regressed> {
    const there = await db.selectFrom('passkeys').select('id').where('id', '=', id).executeTakeFirst()
    if (there === undefined) return { problem: 'the passkey was removed meanwhile' }
    return {
      problem: 'the sign count did not grow: there may be a copy of the authenticator',
      signCountRegressed: { userId: user_id, passkeyId: id },
    }
  }
}

/** How many passkeys a person has, whether or not the house can ask for one. */
export async function countPasskeys(db: Database, userId: string): Promise<number> {
  const { count } = await db
    .selectFrom('passkeys')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  return Number(count)
}

interface Descriptor {
  readonly id: string
  readonly transports: AuthenticatorTransport[]
}

const passkeysMax = 20
const challengeBytes = 32
const ceremonyMs = 300_000
/** EdDSA, ES256 and RS256 (RFC 9053 §2, RFC 8812 §2), most wanted first. */
const algorithms = [-8, -7, -257] as const

function rowsOf(db: Database, userId: string): Promise<Selectable<PasskeysTable>[]> {
  return db
    .selectFrom('passkeys')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
}

function passkeyOf(row: Selectable<PasskeysTable>): Passkey {
  return {
    id: row.id,
    name: row.name,
    backedUp: row.backed_up === 1,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at ?? undefined,
  }
}

/** §7.2 step 6: who was named must own the passkey; where nobody was, the authenticator has to name its owner. */
function ownerProblem(owner: string, named: string | undefined, handle: string | null | undefined): string | undefined {
  if (named !== undefined && named !== owner) return 'the passkey is somebody else’s'
  if (handle === undefined || handle === null || handle === '')
    return named === undefined ? 'expected a user handle, got none' : undefined
  return handle === base64url(Buffer.from(owner)) ? undefined : 'the user handle is not that of the passkey’s owner'
}

/** The library throws where a response does not hold, and quotes it: what a stranger wrote is cut and cleaned. */
async function unlessThrown<T>(check: () => Promise<T>): Promise<T | Unaccepted> {
  try {
    return await check()
  } catch (error) {
    const message = error instanceof Error ? error.message : 'the response cannot be read'
    return { problem: message.slice(0, 300).replaceAll(/[^\x20-\x7e]/g, '?') }
  }
}

function tidyName(name: string): string {
  const clean = name
    .slice(0, 256)
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, 64)
    .toWellFormed()
  return clean === '' ? 'Passkey' : clean
}
