import { shown } from './mistakes.ts'
import type { AttributeRequest } from './policy.ts'

/** What a rule asks about: a dotted path into the request. */
export interface Attribute {
  readonly path: string
  readonly type: AttributeType
}

/**
 * `role` is a text or a list of texts, each of which is asked: who has several roles has each of them. `time-of-day` is
 * worked out from `environment.time`. What is not in the table is `unknown` until a request says it.
 */
export type AttributeType = 'text' | 'number' | 'boolean' | 'list' | 'role' | 'time-of-day' | 'unknown'

export const roots = ['subject', 'resource', 'action', 'environment'] as const

/** What the house itself says of a request. Lists are lists of texts. */
// biome-ignore format: a table
export const knownAttributes: ReadonlyMap<string, AttributeType> = new Map<string, AttributeType>([
  ['subject.id',              'text'],
  ['subject.type',            'text'],        // user, service, agent, anonymous
  ['subject.role',            'role'],
  ['subject.roles',           'list'],
  ['subject.permissions',     'list'],
  ['subject.scopes',          'list'],
  ['subject.client',          'text'],        // the OAuth client that asks in the subject's name
  ['subject.actor',           'text'],        // who acts as the subject
  ['subject.actors',          'list'],        // they, and whoever had handed it on to them
  ['subject.credential',      'text'],        // what proved it: access-token, api-key and so on
  ['resource.id',             'text'],
  ['resource.type',           'text'],
  ['resource.owner_id',       'text'],
  ['resource.path',           'text'],
  ['action.name',             'text'],
  ['action.method',           'text'],
  ['environment.time',        'number'],      // milliseconds since the epoch
  ['environment.time_of_day', 'time-of-day'],
  ['environment.ip',          'text'],
  ['environment.host',        'text'],
  ['environment.user_agent',  'text'],
])

export const pathLengthMax = 200
const namesMax = 8

/** Whether a text means an attribute: it begins with a root and a dot. */
export function looksLikePath(text: string): boolean {
  return roots.some((root) => text.startsWith(`${root}.`))
}

/** Reads `resource.owner_id`; a text is what is wrong with it. */
export function parseAttribute(path: string): Attribute | string {
  if (path.length > pathLengthMax) return `expected an attribute of at most ${pathLengthMax} characters`
  const [root = '', ...names] = path.split('.')
  if (!roots.some((known) => known === root))
    return `expected an attribute below ${roots.map((known) => `\`${known}\``).join(', ')}, got ${shown(path)}`
  if (names.length === 0) return `expected an attribute of the ${root} such as \`${root}.id\`, got ${shown(path)}`
  if (names.length >= namesMax) return `expected at most ${namesMax} names, got ${shown(path)}`
  for (const [at, part] of names.entries()) {
    // What every object has by birth says nothing about a request.
    if (!name.test(part) || part in Object.prototype) return `expected the name of an attribute, got ${shown(part)}`
    const above = [root, ...names.slice(0, at)].join('.')
    const type = knownAttributes.get(above)
    if (type !== undefined) return `expected \`${above}\` alone: there is nothing below it`
  }
  return { path, type: knownAttributes.get(path) ?? 'unknown' }
}

/**
 * How to find the attribute in a request; undefined where it has none, and `null` counts as none. Only what an object has
 * itself counts, never what it inherits.
 */
export function readerOf(attribute: Attribute): (request: AttributeRequest) => unknown {
  const [root, first = '', ...deeper] = sourceOf(attribute).split('.')
  const ofGroup = (group: unknown): unknown => {
    let value = member(group, first)
    for (const next of deeper) value = member(value, next)
    return value
  }
  // Each spelled out: a member that the source names is found at once, one that is looked up by name is not.
  switch (root as (typeof roots)[number]) {
    case 'subject':
      return deeper.length === 0 ? (request) => member(request?.subject, first) : (request) => ofGroup(request?.subject)
    case 'resource':
      return deeper.length === 0
        ? (request) => member(request?.resource, first)
        : (request) => ofGroup(request?.resource)
    case 'action':
      return deeper.length === 0 ? (request) => member(request?.action, first) : (request) => ofGroup(request?.action)
    case 'environment':
      return deeper.length === 0
        ? (request) => member(request?.environment, first)
        : (request) => ofGroup(request?.environment)
  }
}

/** The path in the request that the attribute is worked out from. */
export function sourceOf({ path, type }: Attribute): string {
  return type === 'time-of-day' ? 'environment.time' : path
}

function member(holder: unknown, of: string): unknown {
  if (typeof holder !== 'object' || holder === null || Array.isArray(holder) || !Object.hasOwn(holder, of))
    return undefined
  return (holder as Readonly<Record<string, unknown>>)[of] ?? undefined
}

const name = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/
