// Our policies in Cedar's language. Cedar knows true and false, and an error that passes its policy over; ours know undefined,
// and one that denies acts then too. So every condition is said twice, as what makes it hold and as what makes it fail, and
// neither can be in error: each attribute is handed over in a record that has a name for its type, and `has` asks for that.

type Json = Readonly<Record<string, unknown>>

/** Both are Cedar expressions of the type Bool. */
interface Said {
  readonly holds: string
  readonly fails: string
}

/** A policy of Cedar's for each rule, named by its number. The document has no mistakes, and only what `random-cedar.ts` makes. */
export function cedarPolicies(document: Json): Readonly<Record<string, string>> {
  const rules = (document['rules'] as Json[]).map((rule) => {
    const { holds, fails } = said(rule['condition'] as Json)
    return rule['effect'] === 'allow' ? { effect: 'permit', acts: holds } : { effect: 'forbid', acts: not(fails) }
  })
  const firstMatch = document['combining'] !== 'deny-overrides'
  return Object.fromEntries(
    rules.map(({ effect, acts }, number) => {
      // The first that acts: none of those before it does.
      const earlier = firstMatch ? rules.slice(0, number).map((rule) => not(rule.acts)) : []
      return [String(number), `${effect}(principal, action, resource) when { ${every([...earlier, acts])} };`]
    }),
  )
}

/** What is known of a request, as Cedar's context: a record for each attribute that is there. */
export function cedarContext(request: Json): Json {
  return Object.fromEntries(
    ['subject', 'resource', 'action', 'environment'].map((root) => {
      const group = (request[root] ?? {}) as Json
      const known = Object.entries(group).filter(([, value]) => value !== undefined && value !== null)
      return [root, Object.fromEntries(known.map(([name, value]) => [name, cedarValue(name, value)]))]
    }),
  )
}

function cedarValue(name: string, value: unknown): Json {
  if (typeof value === 'string') return { text: value, ...(name === 'ip' ? addressOf(value) : {}) }
  if (typeof value === 'number') return { long: value, ...(name === 'time' ? momentOf(value) : {}) }
  if (typeof value === 'boolean') return { truth: value }
  if (!Array.isArray(value)) return { group: true }
  const types = new Set(value.map((item) => typeOf(item)))
  // Of which type the items are, as far as they are of one.
  return { list: value, of: types.size === 0 ? 'none' : types.size === 1 ? [...types][0] : 'several' }
}

/** Cedar reads an address when it is written with its constructor, and says an error for what is none. */
function addressOf(text: string): Json {
  return /^[0-9a-f.:]*[.:][0-9a-f.:]*$/.test(text) ? { address: { __extn: { fn: 'ip', arg: text } } } : {}
}

function momentOf(time: number): Json {
  return { moment: { __extn: { fn: 'datetime', arg: new Date(time).toISOString() } } }
}

function said(condition: Json): Said {
  if ('not' in condition) return opposite(said(condition['not'] as Json))
  if ('all' in condition) {
    const inner = (condition['all'] as Json[]).map(said)
    return { holds: every(inner.map(({ holds }) => holds)), fails: some(inner.map(({ fails }) => fails)) }
  }
  if ('any' in condition) {
    const inner = (condition['any'] as Json[]).map(said)
    return { holds: some(inner.map(({ holds }) => holds)), fails: every(inner.map(({ fails }) => fails)) }
  }
  return plain(condition['operator'] as string, condition['attribute'] as string, condition['value'])
}

function plain(operator: string, path: string, value: unknown): Said {
  switch (operator) {
    case 'not_equals':
      return opposite(plain('equals', path, value))
    case 'equals':
      if (isReference(value)) return sameAs(path, value.ref)
      if (path === 'subject.role') return ofRole([value])
      if (Array.isArray(value)) {
        const all = every([has(path, 'list'), `${at(path, 'list')} == ${literal(value)}`])
        return { holds: all, fails: every([has(path, 'list'), `${at(path, 'list')} != ${literal(value)}`]) }
      }
      return compared(path, typeOf(value), '==', '!=', literal(value))
    case 'in':
      if (isReference(value)) return amongOf(path, value.ref)
      if (path === 'subject.role') return ofRole(value as unknown[])
      return asked(path, typeOf((value as unknown[])[0]), (found) => `${literal(value)}.contains(${found})`)
    case 'contains': {
      if (isReference(value)) return amongOf(value.ref, path)
      const list = among(literal(value), typeOf(value), path)
      if (path === 'subject.roles' || typeof value !== 'string') return list
      const text = asked(path, 'text', (found) => `${found} like "*${pattern(value)}*"`)
      return either(list, text)
    }
    case 'greater_than':
    case 'less_than': {
      const [is, isNot] = operator === 'greater_than' ? ['>', '<='] : ['<', '>=']
      if (!isReference(value)) return compared(path, 'long', is, isNot, literal(value))
      const both = [has(path, 'long'), has(value.ref, 'long')]
      return {
        holds: every([...both, `${at(path, 'long')} ${is} ${at(value.ref, 'long')}`]),
        fails: every([...both, `${at(path, 'long')} ${isNot} ${at(value.ref, 'long')}`]),
      }
    }
    case 'starts_with':
      return asked(path, 'text', (found) => `${found} like "${pattern(value as string)}*"`)
    case 'exists': {
      const there = has(path)
      return value === false ? { holds: not(there), fails: there } : { holds: there, fails: not(there) }
    }
    case 'in_network': {
      const networks = [value].flat().map((network) => `ip(${literal(network)})`)
      return asked(path, 'address', (found) => some(networks.map((network) => `${found}.isInRange(${network})`)))
    }
    case 'between': {
      const [from, to] = (value as [string, string]).map(durationOf) as [string, string]
      const backwards = (value as [string, string])[0] > (value as [string, string])[1]
      return asked('environment.time', 'moment', (found) => {
        const [since, until] = [`${found}.toTime() >= ${from}`, `${found}.toTime() < ${to}`]
        return backwards ? some([since, until]) : every([since, until])
      })
    }
    default:
      throw new Error(`no translation of \`${operator}\``)
  }
}

const types = ['text', 'long', 'truth'] as const

/** Both there and of one type, and then the same or not. */
function sameAs(path: string, other: string): Said {
  const by = (sign: string) =>
    some(
      [...types, 'list'].map((type) =>
        every([has(path, type), has(other, type), `${at(path, type)} ${sign} ${at(other, type)}`]),
      ),
    )
  return { holds: by('=='), fails: by('!=') }
}

/** Whether the value of one attribute is an item of another's list. A list without items lacks it, of whatever type it is. */
function amongOf(path: string, list: string): Said {
  const all = types.map((type) => {
    const { holds, fails } = among(at(path, type), type, list)
    return { holds: every([has(path, type), holds]), fails: every([has(path, type), fails]) }
  })
  return { holds: some(all.map(({ holds }) => holds)), fails: some(all.map(({ fails }) => fails)) }
}

/** An item that is not in a list is missing from it only where the list is of its type. */
function among(item: string, type: string, list: string): Said {
  const found = `${at(list, 'list')}.contains(${item})`
  const ofType = some([`${at(list, 'of')} == "${type}"`, `${at(list, 'of')} == "none"`])
  return { holds: every([has(list, 'list'), found]), fails: every([has(list, 'list'), not(found), ofType]) }
}

/** A role is a text, or any text of a list. */
function ofRole(names: readonly unknown[]): Said {
  const path = 'subject.role'
  const alone = asked(path, 'text', (found) => `${literal(names)}.contains(${found})`)
  const any = `${at(path, 'list')}.containsAny(${literal(names)})`
  const ofTexts = some([`${at(path, 'of')} == "text"`, `${at(path, 'of')} == "none"`])
  return either(alone, {
    holds: every([has(path, 'list'), any]),
    fails: every([has(path, 'list'), not(any), ofTexts]),
  })
}

function compared(path: string, type: string, is: string, isNot: string, other: string): Said {
  return {
    holds: every([has(path, type), `${at(path, type)} ${is} ${other}`]),
    fails: every([has(path, type), `${at(path, type)} ${isNot} ${other}`]),
  }
}

function asked(path: string, type: string, question: (found: string) => string): Said {
  const answer = question(at(path, type))
  return { holds: every([has(path, type), answer]), fails: every([has(path, type), not(answer)]) }
}

/** One of two that cannot both be asked. */
function either(one: Said, other: Said): Said {
  return { holds: some([one.holds, other.holds]), fails: some([one.fails, other.fails]) }
}

function opposite({ holds, fails }: Said): Said {
  return { holds: fails, fails: holds }
}

function every(expressions: readonly string[]): string {
  return `(${expressions.join(' && ')})`
}

function some(expressions: readonly string[]): string {
  return `(${expressions.join(' || ')})`
}

function not(expression: string): string {
  return `!${expression.startsWith('(') ? expression : `(${expression})`}`
}

function has(path: string, type?: string): string {
  return `context has ${path}${type === undefined ? '' : `.${type}`}`
}

function at(path: string, type: string): string {
  return `context.${path}.${type}`
}

function isReference(value: unknown): value is { readonly ref: string } {
  return typeof value === 'object' && value !== null && 'ref' in value
}

function typeOf(value: unknown): string {
  return typeof value === 'string' ? 'text' : typeof value === 'number' ? 'long' : 'truth'
}

function literal(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(literal).join(', ')}]` : JSON.stringify(value)
}

function pattern(text: string): string {
  return JSON.stringify(text).slice(1, -1).replaceAll('*', '\\*')
}

function durationOf(clock: string): string {
  const [hours, minutes] = clock.split(':').map(Number)
  return `duration("${hours}h${minutes}m")`
}
