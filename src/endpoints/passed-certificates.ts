import { certificateOfField } from '../http/client-cert.ts'
import type { PeerCertificate } from '../http/peer-certificate.ts'
import { Authorities } from '../http/x509/authorities.ts'
import type { Clock } from '../kernel/clock.ts'
import { Fault } from '../kernel/error.ts'
import type { Log } from '../kernel/log.ts'
import type { ListenOptions } from './options.ts'
import { Collected, readAuthorities, stateOf } from './tls.ts'

/** Reads `Client-Cert`, and `Client-Cert-Chain` where there is one, as a trusted proxy has written them (RFC 9440). */
export type PassedCertificates = (field: string, chain?: string) => PeerCertificate | undefined

/**
 * Undefined where no proxy is believed about certificates. The authorities are those of `listen.clientCertHeader`; where it
 * is only `true`, those of `listen.tls`; where there are none, the proxy is believed. Their files are looked at again while
 * the house serves. Throws a `Fault` where they are not in order.
 */
export function openPassedCertificates(
  { clientCertHeader, tls }: Pick<ListenOptions, 'clientCertHeader' | 'tls'>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): PassedCertificates | undefined {
  if (clientCertHeader === false) return undefined
  const { clientCa, crl } = clientCertHeader === true ? (tls ?? {}) : clientCertHeader
  if (clientCa === undefined) return (field, chain) => certificateOfField(field, undefined, clock.now(), chain)
  const files = new AuthorityFiles({ clientCa, crl }, log)
  files.read()
  return (field, chain) => certificateOfField(field, files.current(clock.monotonic()), clock.now(), chain)
}

/** Authorities that follow their files. A change that is not in order leaves those of before, and says so once. */
class AuthorityFiles {
  readonly #files: { readonly clientCa: string; readonly crl: readonly string[] | undefined }
  readonly #log: Log
  #authorities = new Authorities([], undefined)
  #state = ''
  #nextMs = Number.NEGATIVE_INFINITY

  constructor(files: { readonly clientCa: string; readonly crl: readonly string[] | undefined }, log: Log) {
    this.#files = files
    this.#log = log
  }

  current(monotonicMs: number): Authorities {
    if (monotonicMs >= this.#nextMs) {
      this.#nextMs = monotonicMs + lookMs
      if (stateOf(this.#files) !== this.#state) this.#follow()
    }
    return this.#authorities
  }

  read(): void {
    this.#state = stateOf(this.#files)
    const collected = new Collected()
    const { anchors, lists } = readAuthorities(this.#files, 'listen.clientCertHeader', collected)
    const [mistake] = collected.mistakes
    if (mistake !== undefined) throw new Fault('unavailable', `${mistake.path}: ${mistake.message}`)
    this.#authorities = new Authorities(anchors, lists)
  }

  #follow(): void {
    try {
      this.read()
    } catch (error) {
      this.#log.error({}, `authorities were not read again, and the old ones stay: ${(error as Error).message}`)
    }
  }
}

/** How often, at most, the files are looked at. */
const lookMs = 5_000
