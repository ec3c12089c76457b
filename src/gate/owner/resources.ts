import { z } from 'zod'
import type { NamedPolicy } from '../../authz/policy/named.ts'
import type { ResourceType } from '../../authz/resource-type.ts'
import { type OwnerOptions, ownerOptions } from './options.ts'

/** Kinds of things that are protected, by name: what holds wherever a route, or a function, is about one. */
export const resourceOptions = z.record(
  z.string().min(1).max(64),
  z.strictObject({
    owner: ownerOptions.optional(),
    /** Policies that have to permit it as well, by name. */
    policy: z
      .union([z.string(), z.array(z.string()).min(1)])
      .transform((given) => (typeof given === 'string' ? [given] : given))
      .optional(),
  }),
)

export type ResourceOptions = z.output<typeof resourceOptions>

/** A resource type as routes need it: functions are told of an owner, routes find out. */
export interface RoutedType extends ResourceType {
  readonly owner: OwnerOptions | undefined
}

/** The resource types by name. Their policies were checked with the configuration. */
export function compileResourceTypes(
  options: ResourceOptions,
  policies: ReadonlyMap<string, NamedPolicy>,
): ReadonlyMap<string, RoutedType> {
  return new Map(
    Object.entries(options).map(([name, { owner, policy = [] }]) => [
      name,
      { name, policies: policy.flatMap((one) => policies.get(one) ?? []), ownership: owner?.rule, owner },
    ]),
  )
}
