import { readMediaType } from '../fields/media-type.ts'
import type { UploadedFile, UploadFault } from './uploaded.ts'

/** Follows a body as it comes, and says which file of it is too much before the rest of it is here. */
export interface PartMeter {
  /** Undefined while all is well. What is wrong stays wrong. */
  update(chunk: Uint8Array): WrongFile | undefined
}

/** A file, of which no more is known than its name, and what is wrong with it. */
export interface WrongFile {
  readonly file: UploadedFile
  readonly fault: UploadFault
}

export interface MeterBounds {
  readonly fileBytesMax: number
  readonly filesMax: number
}

/** Of a form it follows the parts; any other body is one file. A form that cannot be followed is left to who reads it whole. */
export function openPartMeter(contentType: string | undefined, bounds: MeterBounds): PartMeter {
  const media = contentType === undefined ? undefined : readMediaType(contentType)
  const boundary =
    media !== undefined && !('problem' in media) && media.type.startsWith('multipart/')
      ? media.parameters.get('boundary')
      : undefined
  return boundary === undefined || boundary === '' ? wholeMeter(bounds) : new FormMeter(boundary, bounds)
}

function wholeMeter({ fileBytesMax }: MeterBounds): PartMeter {
  let bytes = 0
  return {
    update(chunk) {
      bytes += chunk.byteLength
      return bytes > fileBytesMax ? { file: fileAt('', undefined), fault: tooLarge(fileBytesMax) } : undefined
    },
  }
}

/**
 * It finds delimiters as `readMultipart` does, and counts what stands between them; it judges nothing else, since the form is read
 * whole and strictly once it is here.
 */
class FormMeter implements PartMeter {
  readonly #delimiter: Buffer
  readonly #bounds: MeterBounds
  /** What has come and may be the beginning of a delimiter, with the line end before it. */
  #held: Buffer = Buffer.alloc(0)
  /** Headers of the part that has begun; undefined before the first delimiter, and once they have ended. */
  #head: Buffer | undefined
  /** The file that is coming; undefined where none is. */
  #file: { readonly field: string; readonly name: string; bytes: number } | undefined
  #files = 0
  #parts = 0
  #wrong: WrongFile | undefined

  constructor(boundary: string, bounds: MeterBounds) {
    this.#delimiter = Buffer.from(`--${boundary}`, 'latin1')
    this.#bounds = bounds
  }

  update(chunk: Uint8Array): WrongFile | undefined {
    if (this.#wrong !== undefined) return this.#wrong
    const bytes = Buffer.concat([this.#held, chunk])
    let from = 0
    for (;;) {
      const at = this.#parts > partsMax ? -1 : bytes.indexOf(this.#delimiter, from)
      if (at < 0) break
      this.#parts++
      this.#content(bytes.subarray(from, Math.max(from, at - lineEndBytes)))
      if (this.#wrong !== undefined) return this.#wrong
      this.#head = Buffer.alloc(0)
      this.#file = undefined
      from = at + this.#delimiter.byteLength
    }
    const settled = Math.max(from, bytes.byteLength - (this.#delimiter.byteLength - 1 + lineEndBytes))
    this.#content(bytes.subarray(from, settled))
    this.#held = bytes.subarray(settled)
    return this.#wrong
  }

  #content(bytes: Buffer): void {
    if (this.#head === undefined) return this.#count(bytes.byteLength)
    this.#head = Buffer.concat([this.#head, bytes.subarray(0, headBytesMax)])
    const end = this.#head.indexOf('\r\n\r\n')
    if (end < 0) {
      if (this.#head.byteLength >= headBytesMax) this.#head = undefined // no reader takes it: the whole is refused
      return
    }
    const before = this.#head.byteLength - Math.min(bytes.byteLength, headBytesMax)
    const text = this.#head.subarray(0, end).toString('utf8')
    this.#head = undefined
    if (/filename/i.test(text)) this.#begin(text)
    this.#count(bytes.byteLength - (end + 4 - before))
  }

  #begin(head: string): void {
    this.#files++
    const [, field = ''] = /[\t ;]name="?([^"\r\n;]{0,200})/i.exec(head) ?? []
    const [, name = ''] = /filename="?([^"\r\n;]{0,200})/i.exec(head) ?? []
    this.#file = { field, name, bytes: 0 }
    const { filesMax } = this.#bounds
    if (this.#files > filesMax)
      this.#wrong = {
        file: fileAt(field, name),
        fault: { rule: 'upload/count', message: `expected at most ${filesMax} files` },
      }
  }

  #count(bytes: number): void {
    if (this.#file === undefined || this.#wrong !== undefined) return
    this.#file.bytes += bytes
    const { fileBytesMax } = this.#bounds
    if (this.#file.bytes > fileBytesMax)
      this.#wrong = { file: fileAt(this.#file.field, this.#file.name), fault: tooLarge(fileBytesMax) }
  }
}

const lineEndBytes = 2
/** No form has more of them: one that has is refused as a whole once it is here. */
const partsMax = 1000
const headBytesMax = 8192

function tooLarge(fileBytesMax: number): UploadFault {
  return { rule: 'upload/size', message: `expected at most ${fileBytesMax} bytes` }
}

function fileAt(field: string, name: string | undefined): UploadedFile {
  return { place: { in: 'body', at: field }, name, declaredType: undefined, bytes: nothing }
}

const nothing = new Uint8Array(0)
