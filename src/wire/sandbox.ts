import { z } from 'zod'
import type { Endpoint } from './shapes.ts'

/** Code to run. `input` is found under that name; limits are lower or higher than the usual ones, up to what the house allows. */
export const codeBody = z.strictObject({
  language: z.string().min(1).max(32),
  code: z.string(),
  input: z.unknown().optional(),
  limits: z
    .strictObject({ timeMs: z.number().optional(), memoryMb: z.number().optional() })
    .optional()
    .meta({ description: 'milliseconds; mebibytes' }),
})

// biome-ignore format: a table, one line to an endpoint
export const sandbox = {
  runCode: { method: 'POST', path: '/api/sandbox/run', summary: 'Runs code in a sandbox: its result, what it printed, its error', access: { permission: 'sandbox:run' }, limit: 'sandbox', body: codeBody },
} as const satisfies Record<string, Endpoint>
