import { proofAlgorithms } from '../../authn/token/dpop.ts'
import { protectedResource } from '../../gate/resource-server.ts'
import type { OauthDraft } from '../../gate/routes.ts'
import type { Certificates } from '../../oauth/certificate-subject.ts'
import type { Resources } from '../../oauth/resources.ts'

export interface ResourceMetadataParts {
  readonly publicUrl: string
  /** The authorization server that gives tokens for them. */
  readonly issuer: string
  readonly resources: Resources
  /** What is known of certificates of clients. */
  readonly certificates?: Certificates | undefined
}

/** What each protected resource says of itself (RFC 9728 §3), to whoever asks: a client begins here. */
export function resourceMetadata({
  publicUrl,
  issuer,
  resources,
  certificates = 'none',
}: ResourceMetadataParts): readonly OauthDraft[] {
  return resources.all.map((resource) => {
    const { metadata, usual } = protectedResource(resource, resources, publicUrl)
    const body = Buffer.from(
      JSON.stringify({
        resource: resource.identifier,
        authorization_servers: [issuer],
        scopes_supported: usual,
        bearer_methods_supported: ['header'],
        resource_name: resource.name,
        dpop_signing_alg_values_supported: proofAlgorithms,
        dpop_bound_access_tokens_required: false,
        ...(certificates === 'none' ? {} : { tls_client_certificate_bound_access_tokens: true }),
      }),
    )
    return {
      methods: ['GET'],
      path: metadata.slice(publicUrl.length),
      answerer: () => ({ status: 200, headers: headersOf(body), body }),
      cors: 'open',
      limit: 'health',
      bodyBytesMax: 0,
    }
  })
}

/** It changes with the configuration only: caches may keep it for minutes. */
function headersOf(body: Buffer): string[] {
  return [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(body.byteLength),
    'Cache-Control',
    'public, max-age=300',
  ]
}
