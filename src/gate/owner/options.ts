import { z } from 'zod'
import type { OwnershipRule } from '../../authz/ownership.ts'
import { patternProblem } from '../../http/router.ts'
import { duration } from '../../kernel/shape.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import { permission } from '../../wire/shapes.ts'
import type { RouteOwner } from '../route.ts'
import { compileLookup, type Told } from './lookup.ts'

const header = z.string().regex(/^[A-Za-z0-9-]+$/, 'expected a header name')

/** Where the owner of what a route is about is found, and who may beside the owner (AZ3). */
export const ownerOptions = z
  .strictObject({
    /** The parameter of the path that says it. */
    param: z.string().optional(),
    /** The path at an upstream that is asked for it, with parameters of the route: `/internal/documents/:id`. */
    lookup: z
      .string()
      .superRefine((path, context) => {
        const problem = patternProblem(path) ?? (path.endsWith('/*') ? '`*` is no place to ask at' : undefined)
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
      })
      .optional(),
    /** Where in the JSON of its answer the owner stands: `owner_id`, `data.owner.id`. */
    field: z
      .string()
      .regex(/^[^.]+(?:\.[^.]+){0,7}$/, 'expected the name of a member, or a path such as `data.owner_id`')
      .optional(),
    /** The header of its answer that says it, instead. */
    header: header.optional(),
    /** The upstream that is asked; the route's own, where it is left out. */
    to: z.string().optional(),
    /** How long an answer lets the owner in without another question; `0s`: not at all. */
    cache: duration.refine((ms) => ms <= 300_000, 'expected at most `5m`').optional(),
    /** How long an answer may take. */
    deadline: duration.refine((ms) => ms >= 1 && ms <= 30_000, 'expected `1ms` to `30s`').optional(),
    /** The header by which the upstream's own answer says it, before it is released. */
    answer: header.optional(),
    /** What of the caller is compared with it. What people choose themselves, their name, is not among them. */
    claim: z.enum(['id', 'email', 'organisation'], { error: 'expected `id`, `email` or `organisation`' }).optional(),
    /** Holders of this permission may, whoever the owner is; `*`, which administrators hold, where it is left out. */
    override: permission.optional(),
    /** Who decides: the owner alone, or the policies, which are told of the owner as `resource.owner_id`. */
    decidedBy: z.enum(['owner', 'policy'], { error: 'expected `owner` or `policy`' }).default('owner'),
  })
  .superRefine((given, context) => {
    const wrong = (name: keyof typeof given, message: string): void =>
      context.addIssue({ code: 'custom', path: [name], message })
    const ways = (['param', 'lookup', 'answer'] as const).filter((way) => given[way] !== undefined)
    if (ways.length !== 1) {
      const message = `expected one of \`param\`, \`lookup\` and \`answer\`${ways.length === 0 ? '' : `, got ${ways.join(' and ')}`}`
      context.addIssue({ code: 'custom', message })
      return
    }
    for (const name of ['field', 'header', 'to', 'cache', 'deadline'] as const)
      if (given[name] !== undefined && given.lookup === undefined) wrong(name, 'belongs to `lookup`')
    if (given.lookup !== undefined && (given.field === undefined) === (given.header === undefined))
      wrong('field', 'expected either `field` or `header`: where the answer says the owner')
    if (given.decidedBy === 'owner') return
    for (const name of ['claim', 'override'] as const)
      if (given[name] !== undefined) wrong(name, 'the policies decide: expected none')
    if (given.answer !== undefined) wrong('decidedBy', 'expected `owner`: policies are asked before there is an answer')
  })
  .transform(({ claim = 'id', override = '*', decidedBy, ...given }): OwnerOptions => {
    return { rule: { claim, override, decidedBy }, source: sourceOf(given) }
  })

export interface OwnerOptions {
  readonly rule: OwnershipRule
  readonly source: OwnerSource
}

export type OwnerSource =
  | { readonly by: 'param'; readonly param: string }
  | {
      readonly by: 'lookup'
      readonly path: string
      readonly told: Told
      readonly to: string | undefined
      readonly cacheMs: number
      readonly deadlineMs: number
    }
  | { readonly by: 'answer'; readonly header: string }

/** Where the owner is found, of which one way was given. */
function sourceOf({
  param = '',
  lookup,
  field,
  header: lookupHeader = '',
  to,
  cache = 5_000,
  deadline = 1_000,
  answer,
}: {
  readonly param?: string | undefined
  readonly lookup?: string | undefined
  readonly field?: string | undefined
  readonly header?: string | undefined
  readonly to?: string | undefined
  readonly cache?: number | undefined
  readonly deadline?: number | undefined
  readonly answer?: string | undefined
}): OwnerSource {
  if (answer !== undefined) return { by: 'answer', header: answer.toLowerCase() }
  if (lookup === undefined) return { by: 'param', param }
  const told = field === undefined ? { header: lookupHeader.toLowerCase() } : { field: field.split('.') }
  return { by: 'lookup', path: lookup, told, to, cacheMs: cache, deadlineMs: deadline }
}

/** The parameters of a route that it takes to find the owner. */
export function parametersOf({ source }: OwnerOptions): readonly string[] {
  if (source.by === 'answer') return []
  return source.by === 'param' ? [source.param] : parametersIn(source.path)
}

/** The parameters of a pattern, by name. */
export function parametersIn(pattern: string): readonly string[] {
  return pattern.split('/').flatMap((segment) => (segment.startsWith(':') ? [segment.slice(1)] : []))
}

/** Where a route finds the owner. Its names were checked with the configuration. */
export function compileOwner(
  { rule, source }: OwnerOptions,
  own: Upstream | undefined,
  upstreams: ReadonlyMap<string, Upstream>,
): RouteOwner {
  if (source.by !== 'lookup') return { rule, source }
  const upstream = source.to === undefined ? own : upstreams.get(source.to)
  if (upstream === undefined) throw new Error(`nobody can be asked at \`${source.path}\`: there is no upstream`)
  return { rule, source: { by: 'lookup', lookup: compileLookup(upstream, source) } }
}
