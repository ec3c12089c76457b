import { KeyBook } from './authn/key/key-book.ts'
import { Keys } from './authn/key/keys.ts'
import type { Replays } from './authn/replays.ts'
import { ServiceBook } from './authn/service/service-book.ts'
import { Services } from './authn/service/services.ts'
import type { SignatureOptions } from './authn/signature/options.ts'
import { openSignatures, type SignatureScheme } from './authn/signature/scheme.ts'
import type { Environment, Settings } from './config/settings.ts'
import type { Clock } from './kernel/clock.ts'
import { Fault } from './kernel/error.ts'
import type { Random } from './kernel/id.ts'
import type { Log } from './kernel/log.ts'
import type { RootKey } from './keys/root.ts'
import { secretOf } from './people.ts'
import type { Database } from './store/database.ts'

/** The rooms that know machines: the same for as long as the house stands. */
export interface Machines {
  readonly keys: Keys
  readonly keyBook: KeyBook
  readonly services: Services
  readonly serviceBook: ServiceBook
  /** The forms of request signatures of one configuration. */
  signaturesOf(options: SignatureOptions): ReadonlyMap<string, SignatureScheme>
  /** What other processes have changed. */
  hear(db: Database): Promise<void>
}

interface MachineParts {
  readonly settings: Settings
  readonly environment: Environment
  readonly root: RootKey
  readonly replays: Replays
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly db: Database
}

export async function openMachines({
  settings,
  environment,
  root,
  replays,
  clock,
  random,
  log,
  db,
}: MachineParts): Promise<Machines> {
  const services = new Services({ clock, random, root })
  const configured = new Map(
    Object.entries(settings.services).map(([name, options]) => [
      name,
      { options, secrets: options.secrets.flatMap((reference) => secretOf(reference, environment) ?? []) },
    ]),
  )
  const serviceBook = new ServiceBook({ services, configured, clock, log })
  await serviceBook.hear(db)
  const keys = new Keys({ clock, random, root, options: settings.keys })
  const keyBook = new KeyBook({ keys, db, clock, log, serviceOf: (name) => serviceBook.holdingsOf(name) })
  return {
    keys,
    keyBook,
    services,
    serviceBook,
    signaturesOf: (options) =>
      openSignatures({
        options,
        signerOf: (name) => serviceBook.find(name),
        byKeyId: (kid) => serviceBook.byKeyId(kid),
        isFresh: (said, expiresAtMs) =>
          replays.isFresh(db, said, expiresAtMs).catch((error: unknown) => {
            throw new Fault('unavailable', 'the store cannot say whether a signature was used before', error)
          }),
        clock,
      }),
    async hear(heard) {
      await serviceBook.hear(heard)
      await keyBook.hear(heard)
    },
  }
}
