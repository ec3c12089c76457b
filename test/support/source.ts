/** A TypeScript file as the rules of the house look at it. */
export interface Source {
  /** The text without comments and regular expressions, line for line; each quoted text is its number in `texts`. */
  readonly code: string
  readonly texts: readonly string[]
  readonly references: readonly Reference[]
}

/** One file that another one names. */
export interface Reference {
  /** `./audit/event.ts`, `node:http`, `zod` */
  readonly to: string
  /** `import` runs the file, `type` is erased before, `thread` is a `new URL('./x.ts', import.meta.url)`. */
  readonly by: 'import' | 'type' | 'thread'
}

/** Reads a file. This is a scan and no parse: enough for code that the compiler accepts. */
export function readSource(text: string): Source {
  const { code, texts } = withoutTexts(text)
  return { code, texts, references: [...imports(code, texts), ...threads(code, texts)] }
}

function imports(code: string, texts: readonly string[]): Reference[] {
  const references: Reference[] = []
  for (const found of code.matchAll(declaration)) {
    references.push({ to: texts[Number(found[2])] as string, by: found[1] === undefined ? 'import' : 'type' })
  }
  for (const found of code.matchAll(call)) {
    // `import('x').Name` stands for a type; `(await import('x')).name` has a bracket between.
    references.push({ to: texts[Number(found[1])] as string, by: found[2] === undefined ? 'import' : 'type' })
  }
  return references
}

/** `import 'x'`, `import a, { b } from 'x'`, `import type …`, `export * from 'x'`, `export type { a } from 'x'`. */
const declaration = /\b(?:import|export)\s+(?:(type)\s+(?!from\b)(?=[\w*{]))?(?:[\w*{}\s,$]*?\bfrom\s*)?'(\d+)'/g
const call = /\bimport\(\s*'(\d+)'\s*\)(\s*\.\s*[A-Z])?/g

/** Every text in `new URL(…, import.meta.url)`: also `new URL(built ? './x.js' : './x.ts', import.meta.url)`. */
function threads(code: string, texts: readonly string[]): Reference[] {
  return [...code.matchAll(/\bnew URL\(([^;]*?),\s*import\.meta\.url/g)].flatMap(([, first]) =>
    [...(first as string).matchAll(/'(\d+)'/g)]
      .map(([, number]) => texts[Number(number)] as string)
      .filter((to) => /^\.\.?\/.*\.[jt]s$/.test(to))
      .map((to): Reference => ({ to, by: 'thread' })),
  )
}

function withoutTexts(text: string): { code: string; texts: string[] } {
  const texts: string[] = []
  let code = ''
  let at = 0
  readCode('')
  return { code, texts }

  /** Up to the `}` that closes a `${`, or to the end. */
  function readCode(closing: '}' | ''): void {
    let depth = 0
    while (at < text.length) {
      const rest = text.slice(at, at + 2)
      const character = rest[0] as string
      if (rest === '//') at = endOfLine(at)
      else if (rest === '/*') skip(text.indexOf('*/', at) + 2)
      else if (character === "'" || character === '"') readQuoted(character)
      else if (character === '`') readTemplate()
      else if (character === '/' && startsExpression(code)) readRegularExpression()
      else if (character === closing && depth === 0) return
      else {
        if (character === '{') depth++
        if (character === '}') depth--
        code += character
        at++
      }
    }
  }

  function readQuoted(quote: string): void {
    const start = ++at
    while (text[at] !== quote) at += text[at] === '\\' ? 2 : 1
    pushText(text.slice(start, at++))
  }

  /** The words become one text, what is computed stays code. */
  function readTemplate(): void {
    let words = ''
    let computed = false
    at++
    while (text[at] !== '`') {
      if (text.startsWith('${', at)) {
        computed = true
        code += '('
        at += 2
        readCode('}')
        code += ')+'
        at++
      } else {
        const length = text[at] === '\\' ? 2 : 1
        words += text.slice(at, at + length)
        at += length
      }
    }
    at++
    pushText(computed ? `${words}…` : words)
  }

  function readRegularExpression(): void {
    let inClass = false
    for (at++; inClass || text[at] !== '/'; at++) {
      if (text[at] === '\\') at++
      else if (text[at] === '[') inClass = true
      else if (text[at] === ']') inClass = false
    }
    at++
    while (/[a-z]/.test(text[at] ?? '')) at++
    code += '0'
  }

  function pushText(value: string): void {
    code += `'${texts.length}'${value.replace(/[^\n]/g, '')}`
    texts.push(value)
  }

  function skip(to: number): void {
    code += text.slice(at, to).replace(/[^\n]/g, ' ')
    at = to
  }

  function endOfLine(from: number): number {
    const end = text.indexOf('\n', from)
    return end < 0 ? text.length : end
  }
}

/** Whether a slash here begins a regular expression: after an operator or such a word; behind a value it divides. */
function startsExpression(before: string): boolean {
  const code = before.trimEnd()
  return (
    code === '' ||
    /[(,=:[!&|?{};+\-*%~^<>]$/.test(code) ||
    /\b(?:return|typeof|case|in|of|delete|void|throw|new|else|do|await|yield)$/.test(code)
  )
}
