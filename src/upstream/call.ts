import type { Readable } from 'node:stream'
import type { Source } from '../http/source.ts'

/** What is asked of an upstream. */
export interface Call {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: string[]
  readonly body: Readable | Uint8Array | undefined
  /** Told once the call can be called off: the caller left. */
  readonly onAbortable?: (abort: (reason: Error) => void) => void
}

export interface UpstreamAnswer {
  readonly status: number
  /** Without the fields that belong to the connection. */
  readonly headers: string[]
  readonly body: Source
}
