import { BlockList, isIP } from 'node:net'

// The meaning of a policy, as slow and as plain as it can be said: read from the document itself, rule by rule.

type Json = Readonly<Record<string, unknown>>
type Truth = boolean | undefined

/** What `compilePolicy` has to come to: the effect and the rule. The document has no mistakes. */
export function decideByDefinition(
  document: Json,
  request: unknown,
): { effect: 'permit' | 'deny'; rule: number | undefined } {
  const rules = (document['rules'] as Json[]).map((rule, number) => ({
    number,
    effect: rule['effect'] === 'allow' ? ('permit' as const) : ('deny' as const),
    truth: truthOf(rule['condition'] as Json, request),
  }))
  const acting = rules.filter(({ effect, truth }) => (effect === 'permit' ? truth === true : truth !== false))
  const first =
    document['combining'] === 'deny-overrides'
      ? (acting.find(({ effect }) => effect === 'deny') ?? acting[0])
      : acting[0]
  return { effect: first?.effect ?? 'deny', rule: first?.number }
}

function truthOf(condition: Json, request: unknown): Truth {
  if ('not' in condition) return opposite(truthOf(condition['not'] as Json, request))
  if ('all' in condition) return allOf((condition['all'] as Json[]).map((one) => truthOf(one, request)))
  if ('any' in condition) return anyOf((condition['any'] as Json[]).map((one) => truthOf(one, request)))
  const path = condition['attribute'] as string
  if (condition['operator'] === 'between') return between(condition, find('environment.time', request))
  const found = find(path, request)
  if (condition['operator'] === 'in_network') return inNetwork([condition['value']].flat() as string[], found)
  if (condition['operator'] === 'exists') return (found !== undefined) === (condition['value'] ?? true)
  const value = operand(condition['value'], request)
  // A subject with several roles is each of them.
  if (path === 'subject.role' && Array.isArray(found))
    return condition['operator'] === 'not_equals'
      ? opposite(anyOf(found.map((role) => (typeof role === 'string' ? compare('equals', role, value) : undefined))))
      : anyOf(found.map((role) => (typeof role === 'string' ? compare(condition['operator'], role, value) : undefined)))
  if (path === 'subject.role' && typeof found !== 'string') return undefined
  if (path === 'subject.roles' && typeof found === 'string') return undefined
  return compare(condition['operator'], found, value)
}

function compare(operator: unknown, found: unknown, value: unknown): Truth {
  const types = `${typeName(found)} ${typeName(value)}`
  switch (operator) {
    case 'equals':
      if (types === 'list list') {
        const [some, others] = [found as unknown[], value as unknown[]]
        if (![...some, ...others].every((item) => /text|number|boolean/.test(typeName(item)))) return undefined
        return some.every((item) => others.includes(item)) && others.every((item) => some.includes(item))
      }
      return /^(text text|number number|boolean boolean)$/.test(types) ? found === value : undefined
    case 'not_equals':
      return opposite(compare('equals', found, value))
    case 'in':
      return /^(text|number|boolean) list$/.test(types)
        ? anyOf((value as unknown[]).map((item) => compare('equals', item, found)))
        : undefined
    case 'contains':
      if (types === 'text text') return value === '' ? undefined : (found as string).indexOf(value as string) >= 0
      return typeName(found) === 'list' ? compare('in', value, found) : undefined
    case 'greater_than':
      return types === 'number number' ? (found as number) > (value as number) : undefined
    case 'less_than':
      return types === 'number number' ? (found as number) < (value as number) : undefined
    case 'starts_with':
      return types === 'text text' && value !== '' ? (found as string).indexOf(value as string) === 0 : undefined
    default:
      throw new Error(`the reference does not know ${String(operator)}`)
  }
}

/** By the minutes since midnight, in zones that are never put forward. */
function between(condition: Json, time: unknown): Truth {
  if (typeof time !== 'number' || !(Math.abs(time) < 8e15)) return undefined
  const [from = 0, to = 0] = (condition['value'] as string[]).map((text) => {
    const [hours, minutes] = text.split(':').map(Number)
    return (hours ?? 0) * 60 + (minutes ?? 0)
  })
  const ahead = { UTC: 0, 'Asia/Kolkata': 330 }[(condition['zone'] ?? 'UTC') as string]
  if (ahead === undefined) throw new Error(`the reference does not know ${String(condition['zone'])}`)
  const minute = (((Math.floor(time / 60_000) + ahead) % 1_440) + 1_440) % 1_440
  for (let at = from; at % 1_440 !== to % 1_440; at++) if (at % 1_440 === minute) return true
  return from === 0 && to === 1_440
}

/** One by one, by the platform's own reading; an address that carries an older one is the older one. */
function inNetwork(networks: readonly string[], address: unknown): Truth {
  if (typeof address !== 'string') return undefined
  const [ip, family] = familyOf(address.replace(/%.*$/, ''))
  if (family === 0) return undefined
  return networks.some((network) => {
    const [written = '', bits] = network.split('/')
    const [base, ofBase] = familyOf(written)
    if (ofBase !== family) return false
    const mapped = base === written ? 0 : 96
    const list = new BlockList()
    list.addSubnet(base, bits === undefined ? (family === 4 ? 32 : 128) : Number(bits) - mapped, `ipv${family}`)
    return list.check(ip, `ipv${family}`)
  })
}

function familyOf(ip: string): readonly [ip: string, family: 0 | 4 | 6] {
  const carried =
    isIP(ip) === 6 ? /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/.exec(new URL(`http://[${ip}]`).hostname) : null
  if (carried === null) return [ip, isIP(ip) as 0 | 4 | 6]
  const number = carried.slice(1).map((group) => Number.parseInt(group, 16))
  return [number.flatMap((group) => [group >> 8, group & 255]).join('.'), 4]
}

function operand(value: unknown, request: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => operand(item, request))
  if (typeof value === 'object' && value !== null) {
    if ('text' in value) return value.text
    if ('ref' in value) return find(value.ref as string, request)
  }
  return typeof value === 'string' && /^(subject|resource|action|environment)\./.test(value)
    ? find(value, request)
    : value
}

function find(path: string, request: unknown): unknown {
  let value = request
  for (const name of path.split('.')) {
    if (typeName(value) !== 'object') return undefined
    value = new Map(Object.entries(value as object)).get(name)
  }
  return value instanceof Set ? [...value] : (value ?? undefined)
}

function typeName(value: unknown): string {
  if (typeof value === 'string') return 'text'
  if (Number.isNaN(value) || value === null || value === undefined) return 'nothing'
  return Array.isArray(value) ? 'list' : typeof value
}

function opposite(truth: Truth): Truth {
  return truth === undefined ? undefined : !truth
}

function allOf(truths: readonly Truth[]): Truth {
  return truths.includes(false) ? false : truths.includes(undefined) ? undefined : true
}

function anyOf(truths: readonly Truth[]): Truth {
  return truths.includes(true) ? true : truths.includes(undefined) ? undefined : false
}
