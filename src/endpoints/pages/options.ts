import { z } from 'zod'
import { isOwnPath } from './own-path.ts'
import { builtInLanguages, factsIn } from './texts.ts'
import { english, type TextKey } from './texts-en.ts'

const logoBytesMax = 32_768

const language = z
  .string()
  .regex(/^[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|\d{3}))?$/, 'expected a language such as `fr` or `pt-BR`')

/** Texts of one language, or corrections to those of the house. A fact in braces must be one that the text is given. */
const translation = z.strictObject(
  mapKeys((key) =>
    z
      .string()
      .min(1)
      .max(1000)
      .superRefine((text, context) => {
        const given = factsIn(english[key])
        for (const name of factsIn(text)) {
          if (name === 'site' || given.has(name)) continue
          const known = [...given, 'site'].map((fact) => `\`{${fact}}\``).join(', ')
          context.addIssue({ code: 'custom', message: `knows only ${known}, got \`{${name}}\`` })
        }
      })
      .optional(),
  ),
)

const link = z
  .string()
  .max(2048)
  .refine((text) => isOwnPath(text) || isHttps(text), 'expected an `https:` address, or a path such as `/terms`')

const logo = z
  .string()
  .max(Math.ceil(logoBytesMax / 3) * 4 + 40, `expected at most ${logoBytesMax} bytes`)
  .regex(
    /^data:image\/(?:png|svg\+xml);base64,[A-Za-z0-9+/]+={0,2}$/,
    'expected `data:image/png;base64,…` or `data:image/svg+xml;base64,…`',
  )

/** How the hosted pages look, and which languages they speak. */
export const pageOptions = z
  .strictObject({
    /** The site's name, as people know it. */
    name: z.string().min(1).max(60).default('Gatehouse'),
    /** The colour of buttons and links. Where it is too faint for a text, a darker or lighter one of its kind is used. */
    accent: z
      .string()
      .regex(/^#[0-9a-fA-F]{6}$/, 'expected a colour such as `#1d4ed8`')
      .default('#1d4ed8'),
    /** Shown in place of the name. Part of the page itself: nothing is fetched from elsewhere. */
    logo: logo.optional(),
    /** Spoken to whoever asks for none that is known. */
    language: language.default('en'),
    translations: z.record(language, translation).default({}),
    links: z.strictObject({ terms: link.optional(), privacy: link.optional(), support: link.optional() }).default({}),
  })
  .superRefine(({ language, translations }, context) => {
    if (Object.hasOwn(builtInLanguages, language) || Object.hasOwn(translations, language)) return
    context.addIssue({
      code: 'custom',
      path: ['language'],
      message: `has no texts in \`${language}\`: add them under \`translations\``,
    })
  })

export type PageOptions = z.output<typeof pageOptions>

function isHttps(text: string): boolean {
  const url = URL.parse(text)
  return url?.protocol === 'https:' && url.username === '' && url.password === ''
}

function mapKeys<Value>(value: (key: TextKey) => Value): Record<TextKey, Value> {
  const keys = Object.keys(english) as TextKey[]
  return Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<TextKey, Value>
}
