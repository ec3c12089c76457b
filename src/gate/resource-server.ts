import type { Proofs } from '../authn/token/dpop.ts'
import type { Resource, Resources } from '../oauth/resources.ts'

/** What the gate knows of clients of other people: which part of the house a path belongs to, and how a key is proven there. */
export interface ResourceServer {
  /** The resource that a path belongs to: of those declared the nearest above it, else the house itself. */
  at(path: string): ProtectedResource
  /** A path as the world knows it: by our configured address, never by `Host`. */
  addressOf(path: string): string
  readonly proofs: Proofs
}

export interface ProtectedResource extends Resource {
  /** Whether it was declared beside the house itself. */
  readonly declared: boolean
  /** Where it describes itself (RFC 9728 §3.1). */
  readonly metadata: string
  /** What a client that does not know better should ask for (RFC 9728 §2 `scopes_supported`). */
  readonly usual: readonly string[]
}

export interface ResourceServerParts {
  readonly resources: Resources
  readonly publicUrl: string
  readonly proofs: Proofs
}

export function openResourceServer({ resources, publicUrl, proofs }: ResourceServerParts): ResourceServer {
  const own = protectedResource(resources.own, resources, publicUrl)
  const declared = resources.all
    .filter((resource) => resource !== resources.own)
    .map((resource) => ({
      path: pathOf(resource, publicUrl),
      resource: protectedResource(resource, resources, publicUrl),
    }))
    .toSorted((a, b) => b.path.length - a.path.length)

  return {
    at: (path) => declared.find((part) => isWithin(path, part.path))?.resource ?? own,
    addressOf: (path) => publicUrl + path,
    proofs,
  }
}

/** Where resources describe themselves, the path of the resource behind it (RFC 9728 §3). */
const metadataPath = '/.well-known/oauth-protected-resource'

export function protectedResource(resource: Resource, resources: Resources, publicUrl: string): ProtectedResource {
  return {
    ...resource,
    declared: resource !== resources.own,
    metadata: publicUrl + metadataPath + pathOf(resource, publicUrl),
    usual: [...resource.scopes].filter((scope) => !resources.isPrivileged(scope)),
  }
}

/** What its identifier says after our address; '' for the house itself. */
function pathOf({ identifier }: Resource, publicUrl: string): string {
  return identifier.slice(publicUrl.length)
}

/** By whole segments: `/mcp` holds `/mcp/tools`, and not `/mcpx`. */
function isWithin(path: string, above: string): boolean {
  return path.startsWith(above) && (path.length === above.length || path.charCodeAt(above.length) === 0x2f)
}
