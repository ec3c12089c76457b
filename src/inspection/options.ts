import { z } from 'zod'
import { duration, size } from '../kernel/shape.ts'
import { type HtmlOptions, htmlOptions } from './html/options.ts'
import { injectionOptions } from './injection/options.ts'
import { moderationOptions } from './moderation/options.ts'
import { personalOptions } from './personal/options.ts'
import { promptOptions } from './prompts/options.ts'
import { secretOptions } from './secrets/options.ts'
import { type UploadOptions, uploadOptions } from './uploads/options.ts'

/** What is looked for in requests and answers, and what is done about it: for the house, and for a route that wants it otherwise. */
export const inspectionOptions = z.strictObject({
  injection: injectionOptions.optional(),
  pii: personalOptions.optional(),
  secrets: secretOptions.optional(),
  prompts: promptOptions.optional(),
  moderation: moderationOptions.optional(),
  /** `off`: on this route files are not looked into, whatever the house says. */
  uploads: z.union([z.literal('off'), uploadOptions]).optional(),
  /** `off`: on this route markup stays as it is, whatever the house says. */
  html: z.union([z.literal('off'), htmlOptions]).optional(),
  /** The largest body that is looked into; a larger one is refused where something is to be blocked or redacted. */
  bodyMax: size.optional(),
  /** How long looking may take, all of it together; a request that takes longer is refused. */
  deadline: duration.optional(),
})

export type InspectionOptions = z.output<typeof inspectionOptions>

/** What is looked for where nothing is put off any more. */
export type EffectiveInspection = Omit<InspectionOptions, 'uploads' | 'html'> & {
  readonly uploads?: UploadOptions | undefined
  readonly html?: HtmlOptions | undefined
}

/** What holds for a route: what the house says, under what the route says, member by member. */
export function inspectionOf(house: InspectionOptions, route: InspectionOptions | undefined): EffectiveInspection {
  const both: Record<string, unknown> = { ...house }
  for (const [part, said] of Object.entries(route ?? {})) {
    if (said === undefined) continue
    const before = both[part]
    both[part] = isGroup(before) && isGroup(said) ? { ...before, ...said } : said
  }
  for (const part of ['uploads', 'html']) if (both[part] === 'off') delete both[part]
  return both as EffectiveInspection
}

function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
