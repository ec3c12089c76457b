import { type Profile, type ProfileName, profiles } from './profiles.ts'
import { rulesOf, writeMarkup } from './serialiser.ts'
import { stripMarkup } from './text.ts'

export type Sanitiser = (html: string) => string

/**
 * Takes out of a text what its profile does not allow; what it gives comes back the same when it is sanitised again. With `none`
 * that is text, in which every character that is no markup stays as it was; otherwise HTML, in which `&`, `<` and `>` are written
 * as character references.
 */
export function openSanitiser(profile: ProfileName | Profile): Sanitiser {
  const given = typeof profile === 'string' ? profiles[profile] : profile
  if (given.tags.length === 0) return stripMarkup
  const rules = rulesOf(given)
  return (html) => writeMarkup(html, rules)
}
