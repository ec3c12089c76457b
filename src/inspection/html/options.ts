import { z } from 'zod'
import { allowableAttributes, allowableSchemes, allowableTags } from './profiles.ts'

const member = (allowed: ReadonlySet<string>, what: string) =>
  z.string().refine((value) => allowed.has(value), {
    error: ({ input }) => `expected ${what} that may be allowed, got \`${String(input)}\``,
  })

const tag = member(allowableTags, 'an element')

const ownProfile = z
  .strictObject({
    /** Elements that stay, in lower case. */
    tags: z.array(tag).min(1),
    /** Their attributes, by element. */
    attributes: z.record(tag, z.array(member(allowableAttributes, 'an attribute'))).optional(),
    /** Schemes of addresses; `http`, `https` and `mailto` where it is left out. */
    schemes: z.array(member(allowableSchemes, 'a scheme')).min(1).optional(),
  })
  .superRefine(({ tags, attributes = {} }, context) => {
    for (const name of Object.keys(attributes)) {
      if (tags.includes(name)) continue
      context.addIssue({
        code: 'custom',
        path: ['attributes', name],
        message: `expected an element of \`tags\`, got \`${name}\``,
      })
    }
  })

const place = z
  .string()
  .refine(
    (value) => value !== '' && !/~(?![01])/.test(value) && !value.includes('**'),
    'expected a JSON Pointer (`/items/*/text`, `*` for one step) or the name of a field of a form',
  )

/**
 * Which markup stays in which texts: by JSON Pointers (RFC 6901) in which `*` stands for any one step. `/content` is the field
 * `content` of a form too; a name without `/` is one of forms alone.
 */
export const htmlOptions = z.record(place, z.union([z.enum(['none', 'basic', 'links']), ownProfile]))

export type HtmlOptions = z.output<typeof htmlOptions>
