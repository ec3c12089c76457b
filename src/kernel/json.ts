/**
 * The one spelling of a JSON value (RFC 8785): what is hashed or signed has to be the same bytes everywhere.
 * Throws a TypeError for what JSON or the RFC has no spelling for: `undefined`, NaN, a lone surrogate, a class.
 */
export function canonical(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return canonicalString(value)
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`expected a finite number, got ${value}`)
      return String(value) // ECMAScript's own spelling is the canonical one (§3.2.2.3), and -0 is 0
    case 'boolean':
      return String(value)
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? `[${Array.from(value, (item) => canonical(item)).join()}]` : canonicalObject(value)
    default:
      throw new TypeError(`expected a JSON value, got ${typeof value}`)
  }
}

/**
 * Parses JSON (RFC 8259) that strangers wrote. Beyond what `JSON.parse` asks for, no object may name a member twice, no
 * number may be too large to be finite, and nesting ends at `depthMax` (64): two parsers that read one text differently
 * are a way around a check. `__proto__` is a member like any other: an own property, never a prototype.
 * The error is one public sentence that ends in the place; its position counts UTF-16 units from 0.
 */
export function parseStrict(
  text: string,
  { depthMax = 64 }: { readonly depthMax?: number } = {},
): { readonly value: unknown } | { readonly error: string } {
  const scan = new Scan(text, depthMax)
  return scan.passes() ? { value: JSON.parse(text) } : { error: `${scan.fault} at ${place(text, scan.at)}` }
}

function canonicalString(value: string): string {
  if (!value.isWellFormed()) throw new TypeError('expected well-formed Unicode, got a lone surrogate')
  return JSON.stringify(value)
}

function canonicalObject(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError('expected a plain object, got a class')
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)) // by UTF-16 units (§3.2.3), as `<` compares
  return `{${members.map(([name, member]) => `${canonicalString(name)}:${canonical(member)}`).join()}}`
}

/** Reads a text once, from left to right, without making anything of it. Stops `at` the first `fault`. */
class Scan {
  at = 0
  fault = ''
  readonly #text: string
  readonly #depthMax: number

  constructor(text: string, depthMax: number) {
    this.#text = text
    this.#depthMax = depthMax
  }

  passes(): boolean {
    return this.#value(1) && (this.at === this.#text.length || this.#expected('the end'))
  }

  #value(depth: number): boolean {
    this.#space()
    if (!this.#bareValue(depth)) return false
    this.#space()
    return true
  }

  #bareValue(depth: number): boolean {
    switch (this.#text.charCodeAt(this.at)) {
      case code['{']:
        return this.#deeper(depth) && this.#object(depth)
      case code['[']:
        return this.#deeper(depth) && this.#array(depth)
      case code['"']:
        return this.#string() !== undefined
      case code.t:
        return this.#literal('true')
      case code.f:
        return this.#literal('false')
      case code.n:
        return this.#literal('null')
      default:
        return this.#number()
    }
  }

  #deeper(depth: number): boolean {
    return depth <= this.#depthMax || this.#wrong(`expected at most ${this.#depthMax} levels, got one more`)
  }

  #object(depth: number): boolean {
    const names = new Names()
    this.at++
    this.#space()
    if (this.#takes(code['}'])) return true
    do {
      this.#space()
      const start = this.at
      const name = this.#string()
      if (name === undefined) return false
      if (!names.add(name)) {
        this.at = start
        return this.#wrong(`expected each member once, got \`${shortened(name)}\` again`)
      }
      this.#space()
      if (!this.#takes(code[':'])) return this.#expected('`:`')
      if (!this.#value(depth + 1)) return false
    } while (this.#takes(code[',']))
    return this.#takes(code['}']) || this.#expected('`,` or `}`')
  }

  #array(depth: number): boolean {
    this.at++
    this.#space()
    if (this.#takes(code[']'])) return true
    do {
      if (!this.#value(depth + 1)) return false
    } while (this.#takes(code[',']))
    return this.#takes(code[']']) || this.#expected('`,` or `]`')
  }

  /** What the string says, or undefined where it is none. */
  #string(): string | undefined {
    const text = this.#text
    if (!this.#takes(code['"'])) {
      this.#expected('a string')
      return undefined
    }
    const start = this.at
    let end = start
    let escaped = false
    for (let unit = text.charCodeAt(end); unit !== code['"']; unit = text.charCodeAt(end)) {
      if (unit === code['\\']) {
        escaped = true
        this.at = end
        if (!this.#escape()) return undefined
        end = this.at
      } else if (unit >= 0x20) {
        end++
      } else {
        this.at = end
        this.#expected('the rest of a string') // a control character, or the end: NaN is not ≥ 0x20
        return undefined
      }
    }
    this.at = end + 1
    const raw = text.slice(start, end)
    return escaped ? (JSON.parse(`"${raw}"`) as string) : raw
  }

  #escape(): boolean {
    escapes.lastIndex = this.at
    if (!escapes.test(this.#text)) return this.#wrong('expected an escape that JSON knows')
    this.at = escapes.lastIndex
    return true
  }

  #number(): boolean {
    numbers.lastIndex = this.at
    if (!numbers.test(this.#text)) return this.#expected('a value')
    const start = this.at
    this.at = numbers.lastIndex
    if (Number.isFinite(Number(this.#text.slice(start, this.at)))) return true
    this.at = start
    return this.#wrong('expected a number below 1.8e308')
  }

  #literal(word: string): boolean {
    if (!this.#text.startsWith(word, this.at)) return this.#expected('a value')
    this.at += word.length
    return true
  }

  #space(): void {
    for (;;) {
      const unit = this.#text.charCodeAt(this.at)
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return
      this.at++
    }
  }

  #takes(unit: number): boolean {
    if (this.#text.charCodeAt(this.at) !== unit) return false
    this.at++
    return true
  }

  #expected(what: string): false {
    const [found] = this.#text.slice(this.at, this.at + 2)
    return this.#wrong(`expected ${what}, got ${found === undefined ? 'the end' : seen(found)}`)
  }

  #wrong(fault: string): false {
    this.fault = fault
    return false
  }
}

/** The names in one object. Most objects are small, and a Set costs more than they do. */
class Names {
  readonly #few: string[] = []
  #many: Set<string> | undefined

  /** Whether the name is new. */
  add(name: string): boolean {
    if (this.#many !== undefined) return this.#many.size !== this.#many.add(name).size
    if (this.#few.includes(name)) return false
    if (this.#few.push(name) === 16) this.#many = new Set(this.#few)
    return true
  }
}

const code = {
  '{': 123,
  '}': 125,
  '[': 91,
  ']': 93,
  '"': 34,
  ':': 58,
  ',': 44,
  '\\': 92,
  t: 116,
  f: 102,
  n: 110,
} as const
const escapes = /\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})/y
const numbers = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y

/** A character of a stranger's text, safe to print. */
function seen(character: string): string {
  return /[\p{L}\p{N}\p{P}\p{S} ]/u.test(character)
    ? `\`${character}\``
    : `U+${(character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`
}

function shortened(name: string): string {
  const printable = name.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '�')
  return printable.length > 40 ? `${printable.slice(0, 40).toWellFormed()}…` : printable
}

function place(text: string, at: number): string {
  const before = text.slice(0, at)
  const line = before.split('\n').length
  return `position ${at} (line ${line}, column ${at - before.lastIndexOf('\n')})`
}
