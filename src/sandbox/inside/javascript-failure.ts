// What is said of code that did not come to its end.

export interface Failure {
  readonly code: 'syntax' | 'import-forbidden' | 'exception' | 'result-invalid' | 'limit' | 'crashed'
  readonly message: string
  readonly type?: string
  readonly line?: number
  readonly trace?: readonly { readonly line: number; readonly in: string }[]
  readonly limit?: 'time' | 'memory' | 'output' | 'result' | 'stack'
  readonly module?: string
}

const messageMax = 2_048
const traceMax = 50

/** Of something that the code threw, or that V8 threw in it. Texts of the code's own making are cut. */
export function failureOf(error: unknown, code: string): Failure {
  if (!(error instanceof Error)) return { code: 'exception', message: `thrown: ${textOf(error)}` }
  const [message, stack] = [textOf(error.message), textOf(error.stack)]
  const where = traceOf(stack)
  if (error instanceof RangeError && message === 'Maximum call stack size exceeded')
    return { code: 'limit', limit: 'stack', message: 'the stack is full: functions call each other too deep', ...where }
  if (error instanceof RangeError && /^(?:Array buffer allocation failed|Invalid array buffer length)/.test(message))
    return { code: 'limit', limit: 'memory', message, ...where }
  const required = /^`([^`]{1,64})` cannot be imported here: there are no modules$/.exec(message)?.[1]
  if (required !== undefined) return { ...forbiddenImport(required, code), ...where }
  // V8 has nobody to ask for what `import()` wants.
  if (message === 'Not supported' && /\bimport\s*\(/.test(code)) {
    const named = /\bimport\s*\(\s*['"`]([^'"`]{1,64})['"`]/.exec(code)?.[1]
    return { ...forbiddenImport(named ?? 'a module', code), ...where }
  }
  // Its own name is in the first line of the stack alone: what crosses the border is one of V8's own kinds.
  const type = /^([A-Za-z_$][\w$]{0,63})(?::|\n|$)/.exec(stack)?.[1] ?? error.name
  return { code: 'exception', type: textOf(type).slice(0, 64), message, ...where }
}

/** Found before anything ran, or thrown at run time: in the same words. */
export function forbiddenImport(module: string, code: string): Failure {
  const name = module.slice(0, 64)
  const at = code.indexOf(module)
  const line = at < 0 ? undefined : code.slice(0, at).split('\n').length
  return {
    code: 'import-forbidden',
    message: `\`${name}\` cannot be imported here: there are no modules`,
    module: name,
    ...(line !== undefined && { line }),
  }
}

/** Of code that is neither a script nor a module: what is said of the one that it seems to be. */
export function syntaxFailure(asScript: unknown, asModule: unknown): Failure {
  const [script, module] = [textOf((asScript as Error).message), textOf((asModule as Error).message)]
  const said = /^(?:await is only valid|Cannot use import|Unexpected token 'export')/.test(script) ? module : script
  const found = /^(.*) \[<code>:(\d+):\d+\]$/s.exec(said)
  return {
    code: 'syntax',
    type: 'SyntaxError',
    message: found?.[1] ?? said,
    ...(found?.[2] !== undefined && { line: Number(found[2]) }),
  }
}

/** What no honest code reaches for: each is told of, and none is there. */
const lures: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['process', /\bprocess\s*\.\s*(?:binding|mainModule|getBuiltinModule|dlopen|_linkedBinding)\b/],
  ['child_process', /['"`](?:node:)?child_process['"`]/],
  ['constructor', /\bconstructor\s*(?:\.\s*|\[\s*['"`])constructor\b/],
  ['isolated-vm', /['"`]isolated-vm['"`]/],
]

export function reaches(
  code: string,
): readonly { readonly what: string; readonly name: string; readonly line: number }[] {
  return lures.flatMap(([name, pattern]) => {
    const found = pattern.exec(code)
    return found === null ? [] : [{ what: 'escape-attempt', name, line: code.slice(0, found.index).split('\n').length }]
  })
}

/** The frames of the code itself: `at f (<code>:3:5)`, outermost first. */
function traceOf(stack: string): Pick<Failure, 'line' | 'trace'> {
  const frames = stack
    .split('\n')
    .flatMap((row) => {
      const found = /^\s*at (?:(?:async )?(.{1,128}?) \()?<code>:(\d{1,9}):\d{1,9}\)?$/.exec(row)
      return found === null ? [] : [{ line: Number(found[2]), in: found[1] ?? 'the code' }]
    })
    .slice(0, traceMax)
  const [innermost] = frames
  return innermost === undefined ? {} : { line: innermost.line, trace: frames.toReversed() }
}

/** Whatever it is, a text of bounded length. */
function textOf(value: unknown): string {
  return (typeof value === 'string' ? value : typeof value === 'object' ? 'an object' : String(value)).slice(
    0,
    messageMax,
  )
}
