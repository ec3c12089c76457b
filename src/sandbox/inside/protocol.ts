// What the house and a child say to each other: one JSON text a line, on the child's standard input and output.
// The child is not believed: `children/answer.ts` reads each of its lines as it would a stranger's.

/** House to child: run this. A child has one run at a time. */
export interface RunQuestion {
  readonly code: string
  /** JSON text. */
  readonly input: string
  readonly timeMs: number
  readonly memoryBytes: number
  readonly outputBytes: number
  readonly resultBytes: number
  /** Whether output is to be told while the run goes on. */
  readonly live: boolean
}

/**
 * What a child is for, as the first line that it is told. `snapshot-maker.ts` is told the same, without `snapshot`, and writes one to its
 * standard output, as bytes and nothing else, and ends with 0.
 */
export interface ChildTask {
  readonly language: 'python' | 'javascript'
  /** Modules that the code may import. */
  readonly imports: readonly string[]
  /** Where the child finds its interpreter: `pyodide`’s folder, or the native part of `isolated-vm`. */
  readonly interpreter: string
  /** Python as it was once it had started: saves a second at each start. */
  readonly snapshot?: string
}

/** Child to house. */
export type ChildLine =
  /** It has started, and waits for a run. */
  | { readonly ready: true }
  /** Printed just now; told only where `live` was asked for. */
  | { readonly output: string }
  | { readonly done: ChildOutcome }

/** What a child says of a run: the fields of `RunOutcome`, but for the result, which stays JSON text. */
export interface ChildOutcome {
  readonly result: string
  readonly output: string
  readonly outputCut: boolean
  readonly error?: unknown
  readonly usage: { readonly timeMs: number; readonly cpuMs: number; readonly memoryBytes: number }
  readonly findings: readonly unknown[]
  /** Whether the child is as it was before the run, and may take another of the same tenant. */
  readonly clean: boolean
}
