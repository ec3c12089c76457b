import type { Place } from '../place.ts'

/** One file of a request, whole. */
export interface UploadedFile {
  readonly place: Place
  /** As its sender calls it; undefined where it has no name. */
  readonly name: string | undefined
  /** The media type that its sender says, in lower case and without parameters. */
  readonly declaredType: string | undefined
  readonly bytes: Uint8Array
}

/** What is wrong with a file. */
export interface UploadFault {
  /** `upload/type`: a stable name. */
  readonly rule: `upload/${string}`
  /** One sentence for the sender: what was expected. It holds nothing of the file. */
  readonly message: string
}
