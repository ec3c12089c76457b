// @arcjet/redact: the four kinds that it knows, in WebAssembly.
import { redact } from '@arcjet/redact'

const entities = ['email', 'phone-number', 'ip-address', 'credit-card-number']

export function open() {
  return {
    prepare: ({ text }) => ({ input: text, bytes: Buffer.byteLength(text) }),
    run: async (text) => (await redact(text, { entities }))[0].length,
    rewrite: async (text) => (await redact(text, { entities }))[0],
  }
}
