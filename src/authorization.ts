import type { Replays } from './authn/replays.ts'
import type { Tickets } from './authn/ticket/tickets.ts'
import { openProofs, type Proofs } from './authn/token/dpop.ts'
import { openNonces } from './authn/token/nonces.ts'
import { compileScopes } from './authz/scopes.ts'
import type { Environment, Settings } from './config/settings.ts'
import { certificatesAt } from './endpoints/client-certificates.ts'
import type { Proven } from './endpoints/desk/binding.ts'
import type { ClientRooms } from './endpoints/desk/clients.ts'
import { openEgress } from './http/egress.ts'
import type { Clock } from './kernel/clock.ts'
import { Fault } from './kernel/error.ts'
import type { Random } from './kernel/id.ts'
import type { Log } from './kernel/log.ts'
import type { RootKey } from './keys/root.ts'
import type { Certificates } from './oauth/certificate-subject.ts'
import type { ClientBook } from './oauth/client-book.ts'
import { Clients } from './oauth/clients.ts'
import type { EngineParts } from './oauth/engine.ts'
import { openMetadataDocuments } from './oauth/metadata-documents.ts'
import type { OauthOptions } from './oauth/options.ts'
import { Records } from './oauth/records.ts'
import { Registration } from './oauth/registration.ts'
import { openResources, type Resources } from './oauth/resources.ts'
import { secretOf } from './people.ts'
import type { Database } from './store/database.ts'

/** The rooms of the authorization server: the same for as long as the house stands. */
export interface AuthorizationServer {
  /** Its address, and its name in tokens (RFC 8414 §2). */
  readonly issuer: string
  readonly options: OauthOptions
  readonly resources: Resources
  readonly records: Records
  readonly replays: Replays
  readonly proofs: Proofs
  readonly proven: Proven
  readonly clients: ClientBook
  /** What is known of certificates of clients. */
  readonly certificates: Certificates
  /** Clients as operators know them. */
  readonly registry: ClientRooms['registry']
  /** How addresses that clients name are fetched. */
  readonly fetch: EngineParts<never>['fetch']
}

interface AuthorizationParts {
  readonly settings: Settings
  readonly publicUrl: string | undefined
  readonly root: RootKey
  readonly clock: Clock
  readonly random: Random
  readonly db: Database
  readonly environment: Environment
  readonly tickets: Tickets
  readonly replays: Replays
  readonly log: Log
}

/** Undefined where no configuration asks for one. */
export function openAuthorization({
  settings,
  publicUrl,
  root,
  clock,
  random,
  db,
  environment,
  tickets,
  replays,
  log,
}: AuthorizationParts): AuthorizationServer | undefined {
  const { oauth, tokens, pages, listen } = settings
  if (oauth === undefined) return undefined
  if (publicUrl === undefined)
    throw new Fault(
      'unavailable',
      '`oauth` issues tokens in the name of an address: set `publicUrl`, or a port to listen on',
    )
  const nonces = oauth.dpopNonce === 'required' ? openNonces({ root, clock }) : undefined
  const proofs = openProofs({ clock, replays, db, nonces })
  const configured = oauth.clients.map((options) => ({
    options,
    secrets: options.secrets.flatMap((reference) => secretOf(reference, environment) ?? []),
  }))
  const resources = openResources(oauth, publicUrl, tokens.audience, pages.name)
  const certificates = oauth.clientCertificates ?? certificatesAt(listen)
  const scopes = {
    has: (scope: string) => Object.hasOwn(oauth.scopes, scope),
    isPrivileged: resources.isPrivileged,
    certificates,
  }
  const egress = openEgress({ clock })
  const documents = oauth.metadataDocuments.enabled ? openMetadataDocuments({ egress, scopes, clock, log }) : undefined
  const register = new Clients({ clock, random, root, configured, documents })
  const registration = new Registration({ clock, clients: register, tickets, options: oauth.registration, scopes })
  const { permissionsOf } = compileScopes(oauth.scopes)
  return {
    clients: register.book(db),
    registry: { clients: register, registration, scopes, permissionsOf },
    certificates,
    fetch: egress.asFetch(),
    issuer: publicUrl,
    options: oauth,
    resources,
    records: new Records({ clock, random, root }),
    replays,
    proofs,
    async proven(proof, endpoint) {
      if (proof === undefined) return { keyThumbprint: undefined }
      const outcome = await proofs.verify(proof, { method: 'POST', url: `${publicUrl}${oauth.path}${endpoint}` })
      if (!('error' in outcome)) return { keyThumbprint: outcome.jkt }
      const { error, reason, nonce } = outcome
      return {
        error: error === 'invalid_token' ? 'invalid_dpop_proof' : error,
        description: error === 'use_dpop_nonce' ? 'the proof needs a nonce of ours' : 'the proof does not hold',
        reason,
        ...(nonce === undefined ? {} : { nonce }),
      }
    },
  }
}
