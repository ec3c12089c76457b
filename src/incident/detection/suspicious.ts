import type { Code } from '../../kernel/error.ts'

/** Refusals that honest programs hardly ever meet: requests that attack how they are read, and programs that are unwelcome. */
export const suspiciousCodes = [
  'bad-request',
  'headers-too-large',
  'user-agent-refused',
] as const satisfies readonly Code[]
