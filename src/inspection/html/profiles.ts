/** Which markup may stay in a text. What is in no list goes, and its text stays. */
export interface Profile {
  readonly tags: readonly string[]
  /** By tag; none where a tag is left out. */
  readonly attributes?: Readonly<Record<string, readonly string[]>> | undefined
  /** Of addresses; one without a scheme leads to the same site. */
  readonly schemes?: readonly string[] | undefined
}

export type ProfileName = 'none' | 'basic' | 'links'

/** In `none` no markup is left, and the text is text: the others are HTML. */
export const profiles: Readonly<Record<ProfileName, Profile>> = {
  none: { tags: [] },
  basic: { tags: ['b', 'i', 'u', 'em', 'strong', 'p', 'br'] },
  links: {
    tags: ['b', 'i', 'u', 'em', 'strong', 'p', 'br', 'a'],
    attributes: { a: ['href', 'title'] },
    schemes: ['http', 'https', 'mailto'],
  },
}

/**
 * What lists of one's own may name. Elements that run or load something, that are read as text or by rules of SVG and MathML, or
 * that a parser moves about, are in none: what they make of harmless text is how sanitised HTML comes to life (mutation XSS).
 */
export const allowableTags: ReadonlySet<string> = new Set(
  `a abbr address article aside b bdi bdo blockquote br caption cite code col colgroup data dd del details dfn div dl dt em
  figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup hr i img ins kbd li main mark nav ol p pre q rp rt ruby s samp section
  small span strong sub summary sup table tbody td tfoot th thead time tr u ul var wbr`.split(/\s+/),
)

/** Attributes that neither run, load unasked, style, nor name something that scripts of the page look for. */
export const allowableAttributes: ReadonlySet<string> = new Set(
  `abbr align alt cite class cols colspan datetime dir headers height href lang reversed rowspan scope span src start title type
  value width`.split(/\s+/),
)

export const allowableSchemes: ReadonlySet<string> = new Set([
  'http',
  'https',
  'mailto',
  'tel',
  'sms',
  'ftp',
  'xmpp',
  'geo',
])
