import { isDocumentId } from './client-id.ts'

/**
 * The host that stands behind a client: that of the document which describes it, else the one that its answers go to.
 * Undefined for an application on the person's own device, behind which stands none.
 */
export function provingHost(clientId: string, redirectUri: string | undefined): string | undefined {
  return isDocumentId(clientId) ? URL.parse(clientId)?.host : redirectHost(redirectUri)
}

/** The host that an answer goes to; undefined where it stays on the person's own device (RFC 8252 §7). */
export function redirectHost(redirectUri: string | undefined): string | undefined {
  const url = redirectUri === undefined ? null : URL.parse(redirectUri)
  return url?.protocol === 'https:' ? url.host : undefined
}

/** Every host that a client can prove itself by, of the addresses that it has registered. */
export function provingHosts(clientId: string, redirectUris: readonly unknown[]): readonly string[] {
  const addresses = isDocumentId(clientId) ? [undefined] : redirectUris.filter((uri) => typeof uri === 'string')
  const hosts = addresses.map((uri) => provingHost(clientId, uri))
  return [...new Set(hosts.filter((host) => host !== undefined))]
}
