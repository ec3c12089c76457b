// What is asked of the sandbox, and what comes of it.

export const languages = ['python', 'javascript'] as const
export type Language = (typeof languages)[number]

/** Code that somebody wrote whom nobody has to trust. */
export interface CodeToRun {
  readonly language: Language
  readonly code: string
  /** Any JSON value: the code finds a copy of it under the name `input`. */
  readonly input?: unknown
  /** Lower or higher than the usual ones, up to what the house allows. */
  readonly limits?: AskedLimits | undefined
}

/** As a caller may ask for them. */
export interface AskedLimits {
  readonly timeMs?: number | undefined
  readonly memoryMb?: number | undefined
}

/** What a run may use. */
export interface RunLimits {
  /** Between its first line and its last, in milliseconds of a clock on the wall. */
  readonly timeMs: number
  /** What the code and its data may hold at once. */
  readonly memoryBytes: number
  /** What it may print; what is more is cut off, and said to be. */
  readonly outputBytes: number
  /** Its result as JSON. */
  readonly resultBytes: number
}

/** What came of a run. Whatever the code did, there is an outcome. */
export interface RunOutcome {
  /** The variable of that name, or else the last expression; `null` where there is neither. Any JSON value. */
  readonly result: unknown
  /** What it printed, to both its outputs, in its order. */
  readonly output: string
  /** Whether it printed more than `output` has. */
  readonly outputCut: boolean
  /** Why there is no result. */
  readonly error?: RunError
  readonly usage: RunUsage
  /** What it tried that no honest code tries: for the record and for detection. */
  readonly findings: readonly RunFinding[]
}

export interface RunUsage {
  readonly timeMs: number
  /** Processor time of the code itself, in milliseconds. */
  readonly cpuMs: number
  /** The most memory that the code and its data held, as far as the language can tell. */
  readonly memoryBytes: number
}

/**
 * - `syntax`: it cannot be read as code of its language; nothing ran.
 * - `import-forbidden`: it asks for a module that is not allowed; where that was seen beforehand, nothing ran.
 * - `exception`: it threw, and caught nothing.
 * - `result-invalid`: what it leaves as its result cannot be said in JSON.
 * - `limit`: it reached a limit, which `limit` names.
 * - `crashed`: it brought its interpreter down.
 */
export type RunErrorCode = 'syntax' | 'import-forbidden' | 'exception' | 'result-invalid' | 'limit' | 'crashed'

export interface RunError {
  readonly code: RunErrorCode
  /** One sentence, for whoever wrote the code. */
  readonly message: string
  /** What the language calls it: `ValueError`, `TypeError`. */
  readonly type?: string
  /** Where in the code that was sent, from 1. */
  readonly line?: number
  /** Their own lines and functions, outermost first. Nothing of the house’s. */
  readonly trace?: readonly { readonly line: number; readonly in: string }[]
  readonly limit?: RunLimit
  /** The module that may not be imported. */
  readonly module?: string
}

export type RunLimit = 'time' | 'memory' | 'output' | 'result' | 'stack'

/** Something in a run that is worth remembering: which kind, what it was about, and where. */
export interface RunFinding {
  /** `forbidden-import`: a module that is not allowed. `escape-attempt`: a reach for what lies behind a wall. */
  readonly what: 'forbidden-import' | 'escape-attempt'
  /** A module, or what was reached for: `os`, `js`, `process`. At most 64 characters. */
  readonly name: string
  readonly line?: number
}
