import { z } from 'zod'
import { type PresetName, presets } from './presets.ts'
import { type RuleInput, type RuleOptions, ruleOptions } from './rule-options.ts'

/** A rule by its name. */
export interface NamedRule {
  readonly name: string
  readonly rule: RuleOptions
}

/** What is said of a preset's rule changes it; a rule that says its `kind` is a rule of its own. */
type RuleChange = { readonly [Name in MemberOf<RuleInput>]?: unknown }

type MemberOf<Rule> = Rule extends unknown ? keyof Rule : never

const changes = z.record(
  z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'expected a name of small letters, digits and `-`'),
  z.custom<false | RuleInput | RuleChange>(
    (value) => value === false || (typeof value === 'object' && value !== null && !Array.isArray(value)),
    'expected a rule, what changes one of a preset, or `false`',
  ),
)

const presetNames = Object.keys(presets) as [PresetName, ...PresetName[]]

/** What is noticed in the record. */
export const detectionOptions = z
  .strictObject({
    /** Rules that come along. Of two with one name the later one holds. */
    presets: z.array(z.enum(presetNames)).default(['standard']),
    rules: changes.default({}),
    /** A MaxMind DB file with cities or countries (`GeoLite2-City.mmdb`). Nobody else is ever asked where an address is. */
    geolocation: z.string().min(1).optional(),
  })
  .transform(({ presets, rules: changes, geolocation }, context) => {
    const rules: NamedRule[] = []
    for (const [name, written] of compose(presets, changes)) {
      const parsed = ruleOptions.safeParse(written)
      if (parsed.success) rules.push({ name, rule: parsed.data })
      else
        for (const issue of parsed.error.issues)
          context.addIssue({ code: 'custom', path: ['rules', name, ...issue.path], message: issue.message })
    }
    return { presets, rules, geolocation }
  })

export type DetectionOptions = z.output<typeof detectionOptions>

/** Every rule as it is written, with what changes it. */
function compose(
  names: readonly PresetName[],
  changes: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const written = new Map<string, Readonly<Record<string, unknown>>>()
  const change = (name: string, said: unknown): void => {
    if (said === false) written.delete(name)
    else if (typeof said === 'object' && said !== null)
      written.set(name, 'kind' in said ? { ...said } : { ...written.get(name), ...said })
  }
  for (const preset of names) for (const [name, said] of Object.entries(presets[preset])) change(name, said)
  for (const [name, said] of Object.entries(changes)) change(name, said)
  return written
}
