import { RE2JS } from 're2js'

/** A `pattern` of JSON Schema, compiled: it takes time in proportion to the text, whatever both of them are. */
export interface Pattern {
  test(text: string): boolean
  /** In how many states it may be at once: what a character costs at worst. */
  readonly size: number
}

/**
 * Compiles a `pattern` (ECMA-262 with `u`, as JSON Schema 2020-12 core §6.4 wants it) for an engine that never goes back:
 * a pattern of the configuration runs on the texts of strangers. What such an engine has no answer to is refused at load:
 * references back, and looks around, but for those ahead right after `^`, which are patterns of their own.
 */
export function compilePattern(source: string): Pattern {
  const written = plainEscapes(source)
  try {
    new RegExp(written, 'u')
  } catch (error) {
    throw new PatternProblem((error as Error).message.replace(/^Invalid regular expression: /, ''))
  }
  const { ahead, rest } = splitAhead(written)
  const parts = ahead.map(({ inner, wanted }) => ({ engine: engineOf(`^(?:${inner})`), wanted }))
  parts.push({ engine: engineOf(rest), wanted: true })
  const size = isSteady(written) ? 2 : parts.reduce((sum, { engine }) => sum + engine.programSize(), 0)
  return { size, test: (text) => parts.every(({ engine, wanted }) => engine.test(text) === wanted) }
}

/** Why a pattern cannot be had. The message is one sentence for whoever wrote it. */
export class PatternProblem extends Error {
  override readonly name = 'PatternProblem'
}

/** `\@` and `\-` for `@` and `-` are common, and no syntax with `u` outside of a class: they can mean one thing only. */
function plainEscapes(source: string): string {
  let inClass = false
  return source.replace(/\\[\s\S]|[[\]]/g, (token) => {
    if (token === '[') inClass = true
    if (token === ']') inClass = false
    if (token.length === 1) return token
    const escaped = token.charAt(1)
    if (escaped === '-') return inClass ? token : escaped
    return /["#%&',:;<=>@_`~ !]/.test(escaped) ? escaped : token
  })
}

/** `^(?=a)(?!b)c` asks the same of a text as `^a`, not `^b`, and `^c` together; with another branch beside it does not. */
function splitAhead(source: string): {
  readonly ahead: readonly { readonly inner: string; readonly wanted: boolean }[]
  readonly rest: string
} {
  const ahead: { inner: string; wanted: boolean }[] = []
  let at = 1
  if (!source.startsWith('^(?=') && !source.startsWith('^(?!')) return { ahead, rest: source }
  while (source.startsWith('(?=', at) || source.startsWith('(?!', at)) {
    const end = closingOf(source, at)
    ahead.push({ inner: source.slice(at + 3, end), wanted: source.charAt(at + 2) === '=' })
    at = end + 1
  }
  const rest = source.slice(at)
  if (branches(rest))
    throw new PatternProblem('a look ahead beside another branch (`|`) takes an engine that goes back')
  return { ahead, rest: `^${rest}` }
}

/** Where the group that opens at `at` closes. The pattern is known to be well-formed. */
function closingOf(source: string, at: number): number {
  let open = 0
  let inClass = false
  for (let index = at; index < source.length; index++) {
    const character = source.charAt(index)
    if (character === '\\') index++
    else if (inClass) inClass = character !== ']'
    else if (character === '[') inClass = true
    else if (character === '(') open++
    else if (character === ')' && --open === 0) return index
  }
  return source.length
}

/** Whether a `|` stands outside of every group and class. */
function branches(source: string): boolean {
  for (let at = 0; at < source.length; at++) {
    const character = source.charAt(at)
    if (character === '|') return true
    if (character === '\\') at++
    else if (character === '(') at = closingOf(source, at)
    else if (character === '[') {
      while (++at < source.length && source.charAt(at) !== ']') if (source.charAt(at) === '\\') at++
    }
  }
  return false
}

function engineOf(source: string): RE2JS {
  const translated = translate(source)
  try {
    return RE2JS.compile(translated)
  } catch (error) {
    const reason = (error as Error).message
    throw new PatternProblem(
      /repeat (?:count|size)/.test(reason)
        ? 'something is repeated more than 1000 times: bound the length with `maxLength`'
        : `the linear engine does not take it: ${reason.replace(/^error parsing regexp: /, '').slice(0, 120)}`,
    )
  }
}

/** Whether nothing stands behind what may repeat: `^[a-z]{3}-[0-9]{1,900}$` is in one state at a time, however many it has. */
function isSteady(source: string): boolean {
  if (source.charAt(0) !== '^') return false
  let varies = false
  let at = 1
  while (at < source.length) {
    if (source.charAt(at) === '$') return at === source.length - 1
    if (varies) return false
    single.lastIndex = at
    if (!single.test(source)) return false
    at = single.lastIndex
    repeats.lastIndex = at
    const [found = '', least, most] = repeats.exec(source) ?? []
    varies = found !== '' && !(least !== undefined && most === undefined)
    at += found.length
  }
  return true
}

/** A character, an escape, or a class. */
const single =
  /\\(?:[pPu]\{[^}]{1,100}\}|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|c[A-Za-z]|[^bB])|\[(?:[^\]\\]|\\[\s\S])*\]|[^\\[\](){}|*+?^$]/uy
const repeats = /(?:[*+?]|\{(\d+)(,\d*)?\})\??/y

/** Writes a pattern of ECMA-262 so that RE2 reads the same in it. It is known to be well-formed. */
function translate(source: string): string {
  let written = ''
  let at = 0
  while (at < source.length) {
    const character = source.charAt(at)
    if (character === '\\') {
      const atom = readAtom(source, at)
      written += 'set' in atom ? `[${atom.set}]` : 'assertion' in atom ? atom.assertion : literal(atom.point)
      at = atom.end
    } else if (character === '[') {
      const { text, end } = translateClass(source, at)
      written += text
      at = end
    } else if (character === '(') {
      const opening = /\((?:\?(?::|<[^=!>]+>|[\s\S]{0,2}))?/y
      opening.lastIndex = at
      const [group] = opening.exec(source) as RegExpExecArray
      if (/^\(\?(?:[=!]|<[=!])/.test(group))
        throw new PatternProblem('a look around that does not stand right after `^` takes an engine that goes back')
      if (group !== '(' && group !== '(?:' && !group.startsWith('(?<'))
        throw new PatternProblem('flags of a group are not known here')
      written += '(?:'
      at += group.length
    } else if (character === '.') {
      written += '[^\\n\\r\\x{2028}\\x{2029}]'
      at++
    } else {
      written += character
      at++
    }
  }
  return written
}

type Atom = { readonly end: number } & (
  | { readonly point: number }
  /** What stands between brackets for it. */
  | { readonly set: string }
  | { readonly assertion: string }
)

/** One escape, or one character of a class. */
function readAtom(source: string, at: number): Atom {
  if (source.charAt(at) !== '\\') {
    const point = source.codePointAt(at) as number
    return { point, end: at + (point > 0xffff ? 2 : 1) }
  }
  const letter = source.charAt(at + 1)
  const end = at + 2
  const known = sets[letter]
  if (known !== undefined) return { set: known, end }
  if (letter === 'b' || letter === 'B') return { assertion: `\\${letter}`, end }
  if (letter in controls) return { point: controls[letter] as number, end }
  switch (letter) {
    case 'p':
    case 'P': {
      const close = source.indexOf('}', at)
      return { set: `\\${letter}{${category(source.slice(at + 3, close))}}`, end: close + 1 }
    }
    case 'x':
      return { point: Number.parseInt(source.slice(end, end + 2), 16), end: end + 2 }
    case 'c':
      return { point: source.charCodeAt(end) % 32, end: end + 1 }
    case 'u':
      return unicodeEscape(source, at)
    default:
      if (/[1-9k]/.test(letter)) throw new PatternProblem('a reference back takes an engine that goes back')
      return { point: letter.charCodeAt(0), end }
  }
}

function unicodeEscape(source: string, at: number): Atom {
  const [whole, braced, high, low, single] = unicode(source, at)
  const end = at + whole.length
  if (braced !== undefined) return { point: Number.parseInt(braced, 16), end }
  if (high !== undefined)
    return {
      point: String.fromCharCode(Number.parseInt(high, 16), Number.parseInt(low as string, 16)).codePointAt(
        0,
      ) as number,
      end,
    }
  return { point: Number.parseInt(single as string, 16), end }
}

function unicode(source: string, at: number): readonly [string, ...(string | undefined)[]] {
  const escaped = /\\u(?:\{([0-9A-Fa-f]+)\}|(D[89AB][0-9A-F]{2})\\u(D[C-F][0-9A-F]{2})|([0-9A-F]{4}))/iy
  escaped.lastIndex = at
  return escaped.exec(source) as unknown as readonly [string, ...(string | undefined)[]]
}

function translateClass(source: string, from: number): { readonly text: string; readonly end: number } {
  const negated = source.charAt(from + 1) === '^'
  let at = from + (negated ? 2 : 1)
  let items = ''
  while (source.charAt(at) !== ']') {
    const first = readAtom(source, at)
    at = first.end
    if ('assertion' in first) {
      items += '\\x{8}' // `[\b]` is a backspace
    } else if ('set' in first) {
      items += first.set
    } else if (source.charAt(at) === '-' && source.charAt(at + 1) !== ']') {
      const last = readAtom(source, at + 1)
      items += `${literal(first.point)}-${literal('point' in last ? last.point : 8)}`
      at = last.end
    } else {
      items += literal(first.point)
    }
  }
  if (items === '') return { text: negated ? `[${everything}]` : `[^${everything}]`, end: at + 1 }
  return { text: `[${negated ? '^' : ''}${items}]`, end: at + 1 }
}

function literal(point: number): string {
  return `\\x{${point.toString(16)}}`
}

const everything = '\\x{0}-\\x{10ffff}'

/** White space and line ends (ECMA-262 §22.2.2.9), which is more than RE2 means by it. */
const space =
  '\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}'
const noSpace =
  '\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}'

const sets: Readonly<Record<string, string>> = { d: '\\d', D: '\\D', w: '\\w', W: '\\W', s: space, S: noSpace }

const controls: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, '0': 0 }

/** Names of properties as RE2 has them: a general category by its short name, or a script. */
function category(name: string): string {
  const [key, value] = name.includes('=') ? name.split('=') : ['', name]
  if (key === 'Script' || key === 'sc') return value as string
  if (key === '' || key === 'General_Category' || key === 'gc') {
    const short = categories[value as string] ?? value
    if (/^(?:C[cfos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)$/.test(short as string))
      return short as string
  }
  throw new PatternProblem(
    `the property \`${name.slice(0, 40)}\` is not known here: general categories and scripts are`,
  )
}

// biome-ignore format: a table
const categories: Readonly<Record<string, string>> = {
  Letter: 'L', Uppercase_Letter: 'Lu', Lowercase_Letter: 'Ll', Titlecase_Letter: 'Lt', Modifier_Letter: 'Lm', Other_Letter: 'Lo',
  Mark: 'M', Nonspacing_Mark: 'Mn', Spacing_Mark: 'Mc', Enclosing_Mark: 'Me',
  Number: 'N', Decimal_Number: 'Nd', Letter_Number: 'Nl', Other_Number: 'No',
  Punctuation: 'P', Connector_Punctuation: 'Pc', Dash_Punctuation: 'Pd', Open_Punctuation: 'Ps', Close_Punctuation: 'Pe',
  Initial_Punctuation: 'Pi', Final_Punctuation: 'Pf', Other_Punctuation: 'Po',
  Symbol: 'S', Math_Symbol: 'Sm', Currency_Symbol: 'Sc', Modifier_Symbol: 'Sk', Other_Symbol: 'So',
  Separator: 'Z', Space_Separator: 'Zs', Line_Separator: 'Zl', Paragraph_Separator: 'Zp',
  Other: 'C', Control: 'Cc', Format: 'Cf', Surrogate: 'Cs', Private_Use: 'Co',
}
