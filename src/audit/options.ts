import { z } from 'zod'
import { duration, secretRef } from '../kernel/shape.ts'
import { sinkOptions } from './sinks/options.ts'

/** A place outside where checkpoints are kept: a file that they are put behind each other in, or an address that each is sent to. */
const anchorOptions = z.union(
  [
    z.strictObject({ file: z.string().min(1, 'expected the path of a file, got nothing') }),
    z.strictObject({
      url: z
        .string()
        .refine(isPrivateLine, 'expected an `https:` address, or one on this machine, without user name and fragment'),
      /** Sent along as `Authorization: Bearer`. */
      secret: secretRef.optional(),
    }),
  ],
  { error: "expected `{ file: './audit.checkpoints' }` or `{ url: 'https://…' }`" },
)

export type AnchorOptions = z.output<typeof anchorOptions>

/** Where an anchor is: without the query of an address, which may be secret. */
export function placeOf(options: AnchorOptions): string {
  return 'file' in options ? options.file : (options.url.split('?', 1)[0] as string)
}

function isPrivateLine(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false
  const isHere = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
  return url.protocol === 'https:' || (url.protocol === 'http:' && isHere)
}

/** What is done with the record. */
export const auditOptions = z.strictObject({
  /** How often what was chained is signed. */
  checkpoint: duration.refine((ms) => ms >= 1_000 && ms <= 86_400_000, 'expected `1s` to `1d`').default(60_000),
  /** Where checkpoints are kept outside. */
  anchors: z
    .array(anchorOptions)
    .max(8)
    .refine((all) => new Set(all.map(placeOf)).size === all.length, 'expected each place once')
    .default([]),
  /** Where every event is sent, in order and at least once. */
  sinks: sinkOptions,
  /** What ordinary requests meet while nothing can be remembered: `serve` lets them through and counts what is lost; `refuse` answers 503 `record-unavailable`. */
  whenDown: z.enum(['serve', 'refuse']).default('serve'),
})

export type AuditOptions = z.output<typeof auditOptions>
