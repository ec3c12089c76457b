import { z } from 'zod'
import { type Severity, severities } from '../finding.ts'
import { presets } from './presets.ts'
import { type ConfiguredStep, stepOptions } from './step.ts'

const playbookShape = z
  .strictObject({
    /** The types of incidents that it is for. */
    for: z.array(z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected a type such as `brute-force`')).max(32),
    /** Whether it begins by itself when an incident of these types is opened. */
    automatic: z.boolean().default(false),
    /** For an incident of less it does not begin by itself. */
    minSeverity: z.enum(severities).optional(),
    /** What becomes of the steps behind one that failed. */
    onFailure: z.enum(['continue', 'stop']).default('continue'),
    steps: z.array(stepOptions).min(1, 'expected a step at least').max(32),
  })
  .superRefine(({ for: types, automatic, minSeverity, steps }, context) => {
    const wrong = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message })
    if (automatic && types.length === 0) wrong(['for'], 'expected the types of incidents at which it begins by itself')
    if (!automatic && minSeverity !== undefined)
      wrong(['minSeverity'], 'expected `automatic: true` beside it: whoever begins a run has looked at the incident')
    for (const [at, step] of steps.entries()) {
      if (automatic && step.do === 'account.lock' && step.for === undefined && step.approval === undefined)
        wrong(['steps', at, 'for'], 'expected `for`, or `approval: true`: nobody is locked out by itself without end')
      if (steps.findIndex((one) => one.do === step.do) < at)
        wrong(['steps', at, 'do'], `\`${step.do}\` is there already`)
    }
  })

/** Playbooks by name, beside those that the house brings; `false` takes one of those away. */
export const playbookOptions = z
  .record(
    z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected a name such as `brute-force`'),
    z.union([z.literal(false), playbookShape]),
  )
  .superRefine((given, context) => {
    for (const [name, playbook] of Object.entries(given))
      if (playbook === false && !Object.hasOwn(presets, name))
        context.addIssue({
          code: 'custom',
          path: [name],
          message: `the house brings no playbook of this name; it brings ${Object.keys(presets).join(', ')}`,
        })
  })
  .transform((given): Playbooks => {
    const brought = Object.entries(presets).map(([name, preset]) => [name, playbookShape.parse(preset)] as const)
    const all = new Map<string, Playbook | false>([...brought, ...Object.entries(given)])
    return new Map([...all].flatMap(([name, one]) => (one === false ? [] : [[name, one]])))
  })

/** What is to be done about an incident, step by step. */
export interface Playbook {
  readonly for: readonly string[]
  readonly automatic: boolean
  readonly minSeverity?: Severity | undefined
  readonly onFailure: 'continue' | 'stop'
  readonly steps: readonly ConfiguredStep[]
}

export type Playbooks = ReadonlyMap<string, Playbook>

export type PlaybookInput = z.input<typeof playbookShape>
