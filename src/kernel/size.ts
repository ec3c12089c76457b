import { quantity, type Units } from './quantity.ts'

/** Bytes of a size as the configuration writes it (`512b`, `64kb`, `1mb`), counted by 1024; undefined when it is none. */
export function sizeBytes(text: string): number | undefined {
  return quantity(text, bytes)
}

const bytes: Units = new Map([
  ['b', 1],
  ['kb', 1024],
  ['mb', 1024 ** 2],
  ['gb', 1024 ** 3],
])
