import { createHash } from 'node:crypto'

/** Characters that look as if by chance, the same in every run: no credential stands in this repository, not even a made-up one. */
export function characters(seed: string, length: number, alphabet: string): string {
  let text = ''
  for (let block = 0; text.length < length; block++)
    for (const byte of createHash('sha256').update(`${seed} ${block}`).digest())
      if (text.length < length) text += alphabet.charAt(byte % alphabet.length)
  return text
}

export const digits = '0123456789'
export const lower = 'abcdefghijklmnopqrstuvwxyz'
export const upper = lower.toUpperCase()
export const hex = `${digits}abcdef`
export const alphanumeric = digits + upper + lower
export const url = `${alphanumeric}_-`
