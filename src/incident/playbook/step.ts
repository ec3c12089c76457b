import { z } from 'zod'
import { duration } from '../../kernel/shape.ts'

/** From a second to a year. */
const span = duration.refine((ms) => ms >= 1_000 && ms <= 31_536_000_000, 'expected `1s` to `1y`')

/** `approval: true`: it waits until somebody else than who began the run has approved it. */
const approval = { approval: z.literal(true).optional() }

/** What a playbook does, one after the other. `for`: it is undone by itself after that time. */
export const stepOptions = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('account.lock'), for: span.optional(), ...approval }),
  z.strictObject({ do: z.literal('sessions.end'), ...approval }),
  z.strictObject({ do: z.literal('tokens.revoke'), ...approval }),
  z.strictObject({ do: z.literal('address.block'), for: span, ...approval }),
  z.strictObject({ do: z.literal('keys.rotate'), within: span.prefault('24h'), ...approval }),
  z.strictObject({ do: z.literal('keys.revoke'), ...approval }),
  z.strictObject({ do: z.literal('client.disable'), for: span.optional(), ...approval }),
  /** `void`: what the old keys signed holds no more; else until its last token has run out. */
  z.strictObject({ do: z.literal('signing-keys.rotate'), void: z.literal(true).optional(), ...approval }),
  z.strictObject({ do: z.literal('changes.freeze'), for: span.optional(), ...approval }),
  z.strictObject({ do: z.literal('audit.snapshot'), ...approval }),
  z.strictObject({ do: z.literal('alert'), ...approval }),
  z.strictObject({ do: z.literal('notify'), ...approval }),
  z.strictObject({ do: z.literal('incident.report'), ...approval }),
])

export type ConfiguredStep = z.output<typeof stepOptions>

/** Whose sessions and tokens end in an emergency. */
export type CutFilter =
  | { readonly kind: 'all' }
  /** Sessions that began at or before a moment, milliseconds since the epoch. */
  | { readonly kind: 'before'; readonly at: number }
  | { readonly kind: 'user' | 'client' | 'role'; readonly id: string }

/** What an emergency does beside: at once by a moment, and then row by row. */
export type EmergencyStep =
  | { readonly do: 'cut-off'; readonly filter: CutFilter; readonly approval?: undefined }
  | { readonly do: 'keys.sweep'; readonly filter: CutFilter; readonly approval?: undefined }
  | { readonly do: 'sessions.sweep'; readonly filter: CutFilter; readonly approval?: undefined }

export type Step = ConfiguredStep | EmergencyStep
export type StepName = Step['do']
