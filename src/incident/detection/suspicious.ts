import type { Code } from '../../kernel/error.ts'

/** Refusals that honest programs hardly ever meet: requests that attack how they are read, or who reads them, and programs that are unwelcome. */
export const suspiciousCodes = [
  'bad-request',
  'headers-too-large',
  'user-agent-refused',
  'injection-detected',
  'prompt-injection-detected',
] as const satisfies readonly Code[]
