import { german } from './texts-de.ts'
import { english, type Language, type TextKey } from './texts-en.ts'

/** The facts that a text asks for, by its English wording. */
type Facts<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Exclude<Name, 'site'> | Facts<Rest> : never
type FactsOf<Key extends TextKey> = Facts<(typeof english)[Key]>

/** The texts of one page: in one language, of one site. `texts.say('signInTo')`; where there are facts, they are due. */
export interface Texts {
  /** BCP 47. */
  readonly language: string
  say<Key extends TextKey>(
    key: Key,
    ...facts: [FactsOf<Key>] extends [never] ? [] : [Readonly<Record<FactsOf<Key>, string | number>>]
  ): string
}

/** The languages that the house itself speaks. */
export const builtInLanguages: Readonly<Record<string, Language>> = { en: english, de: german }

/** The names in braces. */
export function factsIn(text: string): ReadonlySet<string> {
  return new Set(text.matchAll(fact).map(([, name]) => name ?? ''))
}

/** Texts by language: the house's own, under those of the operator. What nobody translated is English. */
export function compileTexts(
  site: string,
  translations: Readonly<Record<string, Readonly<Partial<Record<TextKey, string | undefined>>>>>,
): ReadonlyMap<string, Texts> {
  const languages = new Set([...Object.keys(builtInLanguages), ...Object.keys(translations)])
  return new Map(
    [...languages].map((language) => {
      const written = { ...english, ...builtInLanguages[language], ...translations[language] }
      const texts: Texts = {
        language,
        say(key, ...[facts]) {
          const known: Readonly<Record<string, string | number>> = { ...facts, site }
          return (written[key] ?? english[key]).replace(fact, (_, name: string) => String(known[name] ?? ''))
        },
      }
      return [language.toLowerCase(), texts]
    }),
  )
}

const fact = /\{([a-z]+)\}/g

/** The texts in the language that a browser likes best (RFC 9110 §12.5.4), or in the site's own. */
export function chooseTexts(
  known: ReadonlyMap<string, Texts>,
  ownLanguage: string,
  acceptLanguage: string | undefined,
): Texts {
  const liked = (acceptLanguage ?? '')
    .slice(0, 500)
    .toLowerCase()
    .split(',')
    .map((range) => {
      const [, tag, weight] =
        /^\s*([a-z]{1,8}(?:-[a-z0-9]{1,8})*|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?$/.exec(range) ?? []
      return { tag, weight: tag === undefined ? 0 : Number(weight ?? 1) }
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
  for (const { tag = '' } of liked) {
    if (tag === '*') break
    for (let part = tag; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('-')))) {
      const texts = known.get(part)
      if (texts !== undefined) return texts
    }
  }
  const own = known.get(ownLanguage.toLowerCase()) ?? known.get('en')
  if (own === undefined) throw new Error('English is always known')
  return own
}
