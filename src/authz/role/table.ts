import type { Holder } from '../../authn/holder.ts'
import type { Principal } from '../../authn/principal.ts'
import type { Verified } from '../../authn/token/tokens.ts'
import { GenerationCache } from '../../kernel/cache.ts'
import { common, covers } from '../permissions.ts'
import { compileScopes, type LendingScope } from '../scopes.ts'
import { compileGrants, type RoleGrants, type RoleOptions, usualAdministrator } from './grants.ts'
import { broughtTogether, type Separation } from './separation.ts'

/** Roles and scopes, and what they come to. */
export interface RoleTable {
  /** Every role that there is. */
  readonly names: ReadonlySet<string>
  /**
   * All that these roles could come to, wherever they count and kept apart or not: what somebody has to hold who gives them,
   * or does something with whoever has them. An unknown role comes to nothing.
   */
  permissionsOf(roles: readonly string[]): ReadonlySet<string>
  /** What they hold on routes of an area; undefined: on those of none, where only roles count that count everywhere. */
  permissionsIn(area: string | undefined, roles: readonly string[]): ReadonlySet<string>
  /** What they hold in areas over and above what they hold everywhere, sorted; by area, those alone where that is something. */
  areasOf(roles: readonly string[]): Readonly<Record<string, readonly string[]>>
  /** The duties that nobody should have together, of these roles and those they inherit from. */
  conflictsOf(roles: readonly string[]): readonly { readonly roles: readonly string[]; readonly atMost: number }[]
  /** The permissions that these scopes lend together. An unknown scope lends nothing. */
  lentBy(scopes: readonly string[]): ReadonlySet<string>
  /** The scopes that lend a client the permission, the one to ask for first. */
  lendersOf(permission: string): readonly string[]
  /**
   * The principal of a verified token on routes of an area. The same token is the same principal there, for as long as this
   * table stands. One who comes by a client of other people has no roles: whoever asks for roles would take the client for
   * the person.
   */
  principalOf(verified: Verified, area?: string): Principal
  /** The principal of a machine's credential, likewise. What it lends beyond what its owner holds is nothing. */
  principalOfHolder(holder: Holder, area?: string): Principal
  /** Whether the person holds the permission by their roles, whatever the client that asks for them was lent. */
  personHolds(principal: Principal, permission: string): boolean
}

/** What else there is to say of roles. */
export interface RoleRules {
  /** The role that holds everything, and is there always. */
  readonly administrator?: string
  readonly separations?: readonly Separation[]
}

/**
 * Works out each role at load, inheritance included; several roles add up. A client of other people may what its scopes
 * lend, and of that only what its person may. Of duties that are to be kept apart, somebody who has them together has none.
 */
export function compileRoles(
  options: Readonly<Record<string, RoleOptions>>,
  scopeOptions: Readonly<Record<string, LendingScope>> = {},
  { administrator = usualAdministrator, separations = [] }: RoleRules = {},
): RoleTable {
  const scopes = compileScopes(scopeOptions)
  const compiled = compileGrants(options, administrator)
  const holdings = new GenerationCache<string, Holdings>(1_000)
  const everywhere = openPrincipals()
  const areas = new Map([...compiled.areas].map((area) => [area, openPrincipals()]))

  /** What roles come to in an area, or wherever they count: which of them count there, and what they hold. */
  const held = (area: string | typeof anywhere | undefined, roles: readonly string[]): Holdings => {
    const key = JSON.stringify([area === anywhere, area, roles])
    let found = holdings.get(key)
    if (found === undefined) {
      const counts = (where: string | undefined): boolean => area === anywhere || where === undefined || where === area
      found = add(area === anywhere ? roles.map(entryOf) : keptApart(roles), counts)
      holdings.set(key, found)
    }
    return found
  }

  return {
    names: compiled.names,
    permissionsOf: (roles) => held(anywhere, roles).permissions,
    permissionsIn: (area, roles) => held(area, roles).permissions,
    areasOf(roles) {
      const own = held(undefined, roles).permissions
      const more = [...areas.keys()].toSorted().map((area) => {
        const there = [...held(area, roles).permissions].filter((permission) => !covers(own, permission))
        return [area, there.toSorted()] as const
      })
      return Object.fromEntries(more.filter(([, permissions]) => permissions.length > 0))
    },
    conflictsOf: (roles) => broughtTogether(closureOf(roles), separations),
    lentBy: scopes.permissionsOf,
    lendersOf: scopes.lendersOf,
    principalOf(verified, area) {
      const { tokens } = principalsIn(area)
      let principal = tokens.get(verified)
      if (principal === undefined) {
        const alone = verified.client === verified.subject
        const own = held(area, alone ? [] : verified.roles)
        const lent = scopes.permissionsOf(verified.scopes)
        principal = {
          type: alone ? 'service' : 'user',
          id: verified.subject,
          credential: {
            kind: verified.kind,
            id: verified.tokenId,
            session: verified.session,
            issuedAt: verified.issuedAt,
            expiresAt: verified.expiresAt,
            proof: verified.proof,
          },
          roles: verified.client === undefined ? own.roles : [],
          permissions: verified.client === undefined ? own.permissions : alone ? lent : common(own.permissions, lent),
          scopes: new Set(verified.scopes),
          attributes: verified.attributes,
          actor: verified.actor,
          client: verified.client,
          limit: undefined,
        }
        tokens.set(verified, principal)
        persons.set(principal, own.permissions)
      }
      return principal
    },
    principalOfHolder(holder, area) {
      const { holders } = principalsIn(area)
      let principal = holders.get(holder)
      if (principal === undefined) {
        const byRole = held(area, holder.roles)
        const own = new Set([...byRole.permissions, ...holder.permissions])
        const { type, id, credential, organisation, limit, lent = ['*'] } = holder
        const byScope = scopes.permissionsOf(holder.scopes ?? [])
        principal = {
          type,
          // No service, client or person can be called so: a key is made for any name, and is taken for none of them.
          id: organisation === undefined ? id : `organisation:${organisation}`,
          credential,
          roles: holder.scopes === undefined && holder.lent === undefined ? byRole.roles : [],
          permissions: common(
            own,
            new Set([...(holder.scopes === undefined ? lent : (holder.lent ?? [])), ...byScope]),
          ),
          scopes: new Set(holder.scopes),
          attributes: organisation === undefined ? {} : { organisation },
          actor: holder.actor === undefined ? undefined : { id: holder.actor },
          client: holder.scopes === undefined ? undefined : credential.id,
          limit,
        }
        holders.set(holder, principal)
        persons.set(principal, own)
      }
      return principal
    },
    personHolds: (principal, wanted) => covers(persons.get(principal) ?? nothing, wanted),
  }

  /** An area that no role speaks of is like none. */
  function principalsIn(area: string | undefined): Principals {
    return (area === undefined ? undefined : areas.get(area)) ?? everywhere
  }

  function closureOf(roles: readonly string[]): ReadonlySet<string> {
    return new Set(roles.flatMap((name) => [...compiled.of(name).roles]))
  }

  function entryOf(name: string): RoleEntry {
    return { name, role: compiled.of(name) }
  }

  /** The roles without any by which somebody would have duties together that are kept apart. */
  function keptApart(roles: readonly string[]): readonly RoleEntry[] {
    const entries = roles.map(entryOf)
    if (separations.length === 0) return entries
    const apart = new Set(broughtTogether(closureOf(roles), separations).flatMap((duty) => duty.roles))
    return entries.filter(({ role }) => [...role.roles].every((one) => !apart.has(one)))
  }
}

/** Has a principal stand for the person behind another one: what that person holds by their roles is asked of both alike. */
export function sharePerson(acting: Principal, person: Principal): void {
  const held = persons.get(person)
  if (held !== undefined) persons.set(acting, held)
}

interface RoleEntry {
  readonly name: string
  readonly role: RoleGrants
}

interface Holdings {
  readonly roles: readonly string[]
  readonly permissions: ReadonlySet<string>
}

function add(roles: readonly RoleEntry[], counts: (area: string | undefined) => boolean): Holdings {
  return {
    roles: roles.flatMap(({ name, role }) => (counts(role.area) ? [name] : [])),
    permissions: new Set(
      roles.flatMap(({ role }) => role.grants.flatMap(({ permission, area }) => (counts(area) ? [permission] : []))),
    ),
  }
}

/** The principals of one area. */
interface Principals {
  readonly tokens: WeakMap<Verified, Principal>
  readonly holders: WeakMap<Holder, Principal>
}

function openPrincipals(): Principals {
  return { tokens: new WeakMap(), holders: new WeakMap() }
}

/** What the person behind a principal holds. A request that began by the table before ends by it. */
const persons = new WeakMap<Principal, ReadonlySet<string>>()
const anywhere = Symbol('anywhere')
const nothing: ReadonlySet<string> = new Set()
