import type { Certificates } from '../oauth/certificate-subject.ts'
import type { ListenOptions } from './options.ts'

/**
 * What a house that listens like this knows of the certificates of its clients. A proxy that is believed about them is believed
 * about whom it has let in, unless authorities of our own look at what it passes on.
 */
export function certificatesAt({
  tls,
  clientCertHeader,
}: Pick<ListenOptions, 'tls' | 'clientCertHeader'>): Certificates {
  if (tls?.clientCa !== undefined || clientCertHeader !== false) return 'verified'
  return tls?.clientCertificates === undefined ? 'none' : 'shown'
}
