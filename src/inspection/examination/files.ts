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
      files: read.parts.flatMap(({ name, filename, contentType: said, bytes }) =>
        filename === undefined
          ? []
          : [{ place: { in: 'body', at: name }, name: filename, declaredType: typeIn(said), bytes } as const],
      ),
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

function typeIn(contentType: string | undefined): string | undefined {
  const media = contentType === undefined ? undefined : readMediaType(contentType)
  return media === undefined || 'problem' in media ? undefined : media.type
}
