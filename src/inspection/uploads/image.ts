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
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const largest = Math.max(width * height, ...inside(type, buffer))
  return largest > pixelsMax
    ? { rule: 'upload/pixels', message: `expected an image of at most ${pixelsMax} pixels` }
    : undefined
}

/** Pixels of the pictures within one, which need not be as its head says. */
function inside(type: string, bytes: Buffer): readonly number[] {
  if (type === 'image/gif') return [largestFrame(bytes)]
  return type === 'image/x-icon' || type === 'image/icns' ? [largestPng(bytes)] : []
}

/** GIF89a §20: each frame has sides of its own, and whoever shows it makes room for them. */
function largestFrame(gif: Buffer): number {
  let largest = 0
  let at = 13 + tableBytes(gif[10] ?? 0)
  while (at < gif.byteLength) {
    const block = gif[at]
    if (block === 0x21) at += 2
    else if (block === 0x2c && at + 10 <= gif.byteLength) {
      largest = Math.max(largest, gif.readUInt16LE(at + 5) * gif.readUInt16LE(at + 7))
      at += 11 + tableBytes(gif[at + 9] as number)
    } else break
    while (at < gif.byteLength && gif[at] !== 0) at += 1 + (gif[at] as number)
    at++
  }
  return largest
}

/** A table of colours, by the byte that says whether there is one. */
function tableBytes(packed: number): number {
  return (packed & 0x80) === 0 ? 0 : 3 * 2 ** ((packed & 7) + 1)
}

function largestPng(bytes: Buffer): number {
  let largest = 0
  for (let at = bytes.indexOf('IHDR'); at >= 0; at = bytes.indexOf('IHDR', at + 4))
    if (at + 12 <= bytes.byteLength)
      largest = Math.max(largest, bytes.readUInt32BE(at + 4) * bytes.readUInt32BE(at + 8))
  return largest
}
