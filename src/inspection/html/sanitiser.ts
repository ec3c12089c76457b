import sanitizeHtml from 'sanitize-html'
import { type Profile, type ProfileName, profiles } from './profiles.ts'
import { closeMarkup, stripMarkup } from './text.ts'

export type Sanitiser = (html: string) => string

/**
 * Takes out of a text what its profile does not allow; what it gives comes back the same when it is sanitised again. With `none`
 * that is text, in which every character that is no markup stays as it was; otherwise HTML, in which `&`, `<` and `>` are written
 * as character references.
 */
export function openSanitiser(profile: ProfileName | Profile): Sanitiser {
  const { tags, attributes = {}, schemes = schemesUsual } = typeof profile === 'string' ? profiles[profile] : profile
  if (tags.length === 0) return stripMarkup
  const linked = tags.includes('a') && attributes['a']?.includes('href') === true
  const options: sanitizeHtml.IOptions = {
    allowedTags: [...tags],
    allowedAttributes: Object.fromEntries(
      Object.entries(attributes).map(([tag, names]) => [tag, tag === 'a' && linked ? [...names, 'rel'] : [...names]]),
    ),
    allowedSchemes: [...schemes],
    allowedSchemesAppliedToAttributes: ['href', 'src', 'cite'],
    allowProtocolRelative: false,
    disallowedTagsMode: 'discard',
    nestingLimit: depthMax,
    parseStyleAttributes: false,
    ...(linked ? { transformTags: { a: (tagName, given) => ({ tagName, attribs: related(given) }) } } : {}),
  }
  return (html) => {
    if (hasMoreTags(html, tagsMax)) return escapeMarkup(stripMarkup(html))
    let before = closeMarkup(html)
    for (let round = 0; round < roundsMax; round++) {
      const after = sanitizeHtml(before, options)
      if (after === before) return after
      before = after
    }
    return escapeMarkup(stripMarkup(before)) // what never settles keeps no markup at all
  }
}

/** The library's time grows with the square of the elements that are open: a text with more tags keeps none of them. */
const tagsMax = 16_384

function hasMoreTags(html: string, most: number): boolean {
  let tags = 0
  for (let at = html.indexOf('<'); at !== -1; at = html.indexOf('<', at + 1)) {
    const code = html.charCodeAt(at + 1) | 0x20
    if (code >= 0x61 && code <= 0x7a && ++tags > most) return true
  }
  return false
}

const schemesUsual = ['http', 'https', 'mailto']

/** Deeper elements go, and their text stays. */
const depthMax = 64

/** The first changes what is not allowed, the second finds nothing to change; a third is there for what two parsers read differently. */
const roundsMax = 3

/** A page that a link leads to is told nothing of the one it stands on, and gets no hold on it. */
function related({ rel: _, ...given }: sanitizeHtml.Attributes): sanitizeHtml.Attributes {
  return given['href'] === undefined ? given : { ...given, rel: 'noopener noreferrer nofollow' }
}

function escapeMarkup(text: string): string {
  return text
    .replaceAll(/&(?!(?:amp|lt|gt|quot);)/g, '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
}
