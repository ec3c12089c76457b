import { readMediaType } from '../fields/media-type.ts'
import { readMultipart } from '../fields/multipart.ts'
import type { RequestParts } from '../fields/request.ts'
import type { UploadedFile } from '../uploads/uploaded.ts'

/** The files of a request: those of a form, or its body where that is no form, no JSON and no text of ours to read. */
export function filesOf({
  contentType,
  body,
}: Pick<RequestParts, 'contentType' | 'body'>):
  | { readonly files: readonly UploadedFile[] }
  | { readonly problem: string } {
  if (body === undefined || body.byteLength === 0) return none
  const media = contentType === undefined ? undefined : readMediaType(contentType)
  if (media !== undefined && 'problem' in media) return media
  if (media?.type === 'multipart/form-data') {
    const read = readMultipart(body, contentType as string)
    if ('problem' in read) return read
    return {
      files: read.parts.flatMap(({ name, filename, contentType: said, bytes }) => {
        const declaredType = typeIn(said)
        return filename === undefined && isOfValue(declaredType)
          ? []
          : [{ place: { in: 'body', at: name }, name: filename, declaredType, bytes } as const]
      }),
    }
  }
  if (media !== undefined && hasFields(media.type)) return none
  return { files: [{ place: { in: 'body', at: '' }, name: undefined, declaredType: media?.type, bytes: body }] }
}

const none = { files: [] }

/** Whether a body of that type is read field by field, and is no file. */
export function hasFields(type: string): boolean {
  return (
    type === 'application/json' ||
    (type.endsWith('+json') && type.startsWith('application/')) ||
    type === 'application/x-www-form-urlencoded'
  )
}

/** A part of another type is a file to some readers, also without a name of one (RFC 7578 §4.4 leaves it open). */
function isOfValue(type: string | undefined): boolean {
  return (
    type === undefined || type.startsWith('text/') || hasFields(type) || /^application\/(?:xml$|.*\+xml$)/.test(type)
  )
}

function typeIn(contentType: string | undefined): string | undefined {
  if (contentType === undefined) return undefined
  const media = readMediaType(contentType)
  // what we take for none, others may take for the type that it begins with
  return 'problem' in media ? contentType.split(/[;,\s]/, 1)[0]?.toLowerCase() : media.type
}
