import { z } from 'zod'
import { type PersonalKind, personalKindNames, usualKinds } from './kinds.ts'
import { type RedactionForm, redactionForms } from './redact.ts'

const mode = z.enum(['off', 'log', 'redact', 'block'], { error: 'expected `off`, `log`, `redact` or `block`' })
const kind = z.enum(personalKindNames, { error: `expected one of ${personalKindNames.join(', ')}` })
const form = z.enum(redactionForms, { error: 'expected `label`, `mask`, `hash` or `token`' })
const said = z.enum(['off', 'on', ...redactionForms], {
  error: 'expected `off`, `on`, `label`, `mask`, `hash` or `token`',
})

/** What is done about personal data. A route says only what is different from the house. */
export const personalOptions = z
  .union([
    mode,
    z.strictObject({
      /** Of requests. */
      requests: mode.optional(),
      /** Of answers. */
      answers: mode.optional(),
      /** What is looked for: a list of kinds and no others; or of single kinds whether, and how they are redacted. */
      kinds: z.union([z.array(kind), z.partialRecord(kind, said)]).optional(),
      /** How kinds are redacted that say nothing of it: `label` where nothing is said. */
      form: form.optional(),
    }),
  ])
  .transform((given) => (typeof given === 'string' ? { requests: given, answers: given } : given))

export type PersonalOptions = z.output<typeof personalOptions>

/** The kinds that options ask for. */
export function kindsOf({ kinds }: Pick<PersonalOptions, 'kinds'>): readonly PersonalKind[] {
  if (kinds === undefined) return usualKinds
  if (Array.isArray(kinds)) return kinds
  return personalKindNames.filter((name) =>
    kinds[name] === undefined ? usualKinds.includes(name) : kinds[name] !== 'off',
  )
}

/** The forms that options give single kinds. */
export function formsOf({ kinds }: Pick<PersonalOptions, 'kinds'>): Partial<Record<PersonalKind, RedactionForm>> {
  const forms: Partial<Record<PersonalKind, RedactionForm>> = {}
  if (kinds === undefined || Array.isArray(kinds)) return forms
  for (const name of personalKindNames) {
    const value = kinds[name]
    if (value !== undefined && value !== 'on' && value !== 'off') forms[name] = value
  }
  return forms
}
