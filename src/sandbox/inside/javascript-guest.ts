// What runs inside the isolate before any code of others, and is asked once it has run. It reaches nothing of this file: its text is what is
// evaluated there. It keeps the functions that it needs before anybody can change them.

/** The text of the script; it evaluates to `guest`. */
export function guestScript(): string {
  return `(${guest.toString()})`
}

/** What it answers to `result`: JSON, or what is wrong with it. Its members are its own: no prototype of the code’s stands behind it. */
export type GuestResult = { readonly json: string } | { readonly invalid: string } | { readonly bytes: number }

function guest(
  tell: (text: string) => void,
  inputText: string,
  outputMax: number,
  resultMax: number,
): (question: 'printed' | 'result', last?: unknown) => unknown {
  const { parse, stringify } = JSON
  const { isArray } = Array
  const { isFinite: isFiniteNumber } = Number
  const { getOwnPropertyDescriptor, keys } = Object
  const { toString: tagOf } = Object.prototype
  const { apply } = Reflect
  const { now } = Date
  const [TextOf, ErrorOf, Kept] = [String, Error, WeakSet]
  const has = Kept.prototype.has
  const add = Kept.prototype.add
  const remove = Kept.prototype.delete
  const slice = TextOf.prototype.slice
  const scope = globalThis as unknown as Record<string, unknown>

  let [waiting, told, full, toldAt] = ['', 0, false, 0]
  const print = (text: string): void => {
    if (full) return
    const room = outputMax - told
    full = text.length > room
    const kept = full ? (apply(slice, text, [0, room]) as string) : text
    told += kept.length
    waiting += kept
    const at = now()
    if (waiting.length < 8_192 && at - toldAt < 50) return
    toldAt = at
    tell(waiting)
    waiting = ''
  }

  const shown = (value: unknown, depth: number, path: WeakSet<object>): string => {
    if (typeof value === 'string') return depth === 0 ? value : stringify(value)
    if (typeof value === 'bigint') return `${value}n`
    if (typeof value === 'function') return '[function]'
    if (typeof value !== 'object' || value === null) return TextOf(value)
    if (value instanceof ErrorOf) return `${value.name}: ${value.message}`
    if (apply(has, path, [value])) return '[circular]'
    if (depth > 3) return isArray(value) ? '[…]' : '{…}'
    apply(add, path, [value])
    let [text, count] = ['', 0]
    for (const key of keys(value)) {
      if (count++ === 100) {
        text += ', …'
        break
      }
      const found = getOwnPropertyDescriptor(value, key)
      const part = found !== undefined && 'value' in found ? shown(found.value, depth + 1, path) : '[getter]'
      text += `${text === '' ? '' : ', '}${isArray(value) ? '' : `${key}: `}${part}`
    }
    apply(remove, path, [value])
    return isArray(value) ? `[${text}]` : `{${text === '' ? '' : ` ${text} `}}`
  }
  const log = (...values: unknown[]): void => {
    let line = ''
    for (let at = 0; at < values.length; at++) line += `${at === 0 ? '' : ' '}${shown(values[at], 0, new Kept())}`
    print(`${line}\n`)
  }

  /** Refuses what JSON would leave out or change without a word. */
  const checked = (key: string, value: unknown): unknown => {
    // What a program happens to end with is no answer; what stands in an answer is meant.
    if (typeof value === 'function' && key !== '') throw new ErrorOf('a function cannot be said in JSON')
    if (typeof value === 'bigint') throw new ErrorOf('a BigInt cannot be said in JSON: make a text or a number of it')
    if (typeof value === 'number' && !isFiniteNumber(value)) throw new ErrorOf(`${value} cannot be said in JSON`)
    const tag = typeof value === 'object' && value !== null ? apply(tagOf, value, []) : ''
    if (tag === '[object Map]')
      throw new ErrorOf('a Map cannot be said in JSON: make an object of it by Object.fromEntries')
    if (tag === '[object Set]') throw new ErrorOf('a Set cannot be said in JSON: make a list of it by Array.from')
    return value
  }

  for (const name of ['WebAssembly', 'SharedArrayBuffer', 'Atomics']) delete scope[name]
  scope['console'] = { log, info: log, warn: log, error: log, debug: log }
  scope['input'] = parse(inputText)
  scope['result'] = undefined
  scope['require'] = (name: unknown): never => {
    throw new ErrorOf(`\`${apply(slice, TextOf(name), [0, 64])}\` cannot be imported here: there are no modules`)
  }

  return (question, last) => {
    if (question === 'printed') {
      const rest = waiting
      waiting = ''
      // The one sign tells whether more was printed than there was room for.
      return `${full ? '-' : '+'}${rest}`
    }
    return (async () => {
      // `result` of the code's own, wherever it was declared.
      const own: unknown = apply(find, undefined, [])
      const value = await (own === undefined ? last : own)
      let json: string | undefined
      try {
        json = stringify(value, checked)
      } catch (error) {
        const why = TextOf((error as Error).message)
        return { __proto__: null, invalid: apply(slice, why, [0, 2_048]) as string }
      }
      if (json === undefined) return { __proto__: null, json: 'null' }
      return json.length > resultMax ? { __proto__: null, bytes: json.length } : { __proto__: null, json }
    })()
  }

  function find(): unknown {
    return typeof result === 'undefined' ? undefined : result
  }
}

/** A name of the code's, as the guest's script sees it. */
declare const result: unknown
