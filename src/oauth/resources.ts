import type { OauthOptions } from './options.ts'

/** What a token can be for: the house itself, or a part of it with an address of its own (RFC 8707, RFC 9728). */
export interface Resource {
  /** As clients name it: an absolute address. */
  readonly identifier: string
  /** As tokens name it. */
  readonly audience: string
  readonly name: string
  /** What can be asked for there. */
  readonly scopes: ReadonlySet<string>
  /** The client that tokens for it are shown to, and that may exchange them (RFC 8693); undefined where nobody may. */
  readonly server: string | undefined
}

export interface Resources {
  /** The house itself: what tokens are for when nobody says. */
  readonly own: Resource
  readonly all: readonly Resource[]
  /** The resource of an identifier, however its address is spelled; undefined for what is none of ours. */
  find(identifier: string): Resource | undefined
  /** The resource that tokens with this audience are for. */
  ofAudience(audience: string): Resource | undefined
  /** Whether only clients that an operator made may ask for the scope. */
  isPrivileged(scope: string): boolean
}

export function openResources(
  options: Pick<OauthOptions, 'scopes' | 'resources'>,
  publicUrl: string,
  ownAudience: string,
  ownName: string,
): Resources {
  const own: Resource = {
    identifier: publicUrl,
    audience: ownAudience,
    name: ownName,
    scopes: new Set(Object.keys(options.scopes)),
    server: undefined, // its tokens are shown to every API behind it
  }
  const parts = options.resources.map(({ path, name, scopes, server }): Resource => {
    const identifier = publicUrl + path
    return { identifier, audience: identifier, name, scopes: new Set(scopes), server }
  })
  const all = [own, ...parts]
  const byAddress = new Map(all.map((resource) => [new URL(resource.identifier).href, resource]))
  return {
    own,
    all,
    find: (identifier) => byAddress.get(URL.parse(identifier)?.href ?? ''),
    ofAudience: (audience) => all.find((resource) => resource.audience === audience),
    isPrivileged: (scope) => options.scopes[scope]?.privileged === true,
  }
}
