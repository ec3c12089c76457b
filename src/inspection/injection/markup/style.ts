import { withoutComments } from './comments.ts'

/** How sure it is that a style sheet does more than style, in a value of its own and within a text that people wrote. */
export function styleWeight(text: string): { readonly alone: number; readonly among: number } | undefined {
  if (!suspicious.test(text)) return undefined
  const css = readStyle(text)
  let alone = 0
  let among = 0
  for (const form of forms) {
    if (!css.includes(form.needs) || !form.as.test(css)) continue
    if (form.within !== undefined && !form.within.test(css)) continue
    alone = Math.max(alone, form.alone)
    among = Math.max(among, form.among)
  }
  return alone === 0 ? undefined : { alone, among }
}

const suspicious = /expr|\\|\/\*|binding|behavio|import|url\s{0,8}\(|-o-link/i

const forms: readonly {
  /** A piece of every match: looking for that first is quicker. */
  readonly needs: string
  readonly as: RegExp
  readonly within?: RegExp
  readonly alone: number
  readonly among: number
}[] = [
  { needs: 'expression', as: /:[^;{}<>\n]{0,80}?expression\s{0,8}\(/, alone: 0.85, among: 0.3 },
  {
    needs: 'url',
    as: /url\s{0,8}\(\s{0,8}["'`]?\s{0,8}(?:javascript|vbscript|livescript|data\s{0,4}:\s{0,4}text\/html)/,
    alone: 0.88,
    among: 0.5,
  },
  {
    needs: 'data:image/svg',
    as: /url\s{0,8}\(\s{0,8}["'`]?\s{0,8}data:image\/svg[^)]{0,400}(?:script|\bon[a-z]{3,20}=)/,
    alone: 0.7,
    among: 0.2,
  },
  { needs: '-moz-binding', as: /-moz-binding\s{0,8}:/, alone: 0.85, among: 0.4 },
  { needs: 'behavio', as: /[{;"'\s]behaviou?r\s{0,8}:\s{0,8}url/, alone: 0.8, among: 0.3 },
  { needs: '-o-link', as: /-o-link(?:-source)?\s{0,8}:/, alone: 0.8, among: 0.3 },
  { needs: '@import', as: /@import/, within: /<style/, alone: 0.8, among: 0.2 },
  {
    needs: '@import',
    as: /@import\s{0,8}(?:url\s{0,4}\(\s{0,4})?['"]?\s{0,4}(?:javascript|data|\/\/)/,
    alone: 0.8,
    among: 0.4,
  },
  {
    needs: 'url',
    as: /\[\s{0,4}[\w-]{1,40}\s{0,4}[\^$*]=[^\]\n]{0,60}\][^{}]{0,80}\{[^}]{0,80}url\s{0,4}\(/,
    alone: 0.7,
    among: 0.2,
  }, // reads values letter by letter
]

/** CSS Syntax §4.3.7: escapes; comments and NUL are nothing. */
function readStyle(text: string): string {
  const bare = text.includes('/*') ? withoutComments(text) : text
  const decoded = bare.includes('\\') ? bare.replace(escaping, decodeEscape) : bare
  return decoded.replaceAll('\0', '').toLowerCase()
}

const escaping = /\\(?:([0-9a-fA-F]{1,6})\s?|([^0-9a-fA-F\n]))/g

function decodeEscape(_: string, hex: string | undefined, other: string | undefined): string {
  if (hex === undefined) return other ?? ''
  const code = Number.parseInt(hex, 16)
  return code > 0 && code <= 0x10_ffff ? String.fromCodePoint(code) : ''
}
