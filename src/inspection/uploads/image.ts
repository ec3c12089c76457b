import { imageSize } from 'image-size'
import type { UploadFault } from './uploaded.ts'

/** A small file may be an image that takes gigabytes to open: its sides are read from its head, and nothing is opened. */
export function faultOfImage(type: string, bytes: Uint8Array, pixelsMax: number): UploadFault | undefined {
  if (!type.startsWith('image/') || type === 'image/svg+xml') return undefined
  let sides: { readonly width?: number; readonly height?: number }
  try {
    sides = imageSize(bytes)
  } catch {
    return { rule: 'upload/image', message: 'expected an image whose width and height can be read' }
  }
  const { width = 0, height = 0 } = sides
  if (width === 0 || height === 0)
    return { rule: 'upload/image', message: 'expected an image with a width and a height' }
  return width * height > pixelsMax
    ? { rule: 'upload/pixels', message: `expected an image of at most ${pixelsMax} pixels` }
    : undefined
}
