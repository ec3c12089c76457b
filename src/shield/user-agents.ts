import { z } from 'zod'

/** What programs call themselves that look around, or that nobody has given a name of its own (TR7). */
export const suspiciousWords: readonly string[] = [
  'bot',
  'crawler',
  'spider',
  'scraper',
  'scanner',
  'curl',
  'wget',
  'python-requests',
]

const word = z.string().min(1).max(100)

/** Programs that are refused by what they call themselves: words anywhere in `User-Agent`, in any case. */
export const userAgentOptions = z
  .strictObject({
    /** Words, or `'suspicious'` for those of TR7. */
    refuse: z
      .union([z.literal('suspicious'), z.array(word).min(1).max(200)], {
        error: 'expected a list of words, or `suspicious`',
      })
      .optional(),
    /** Words that let one through all the same. */
    allow: z.array(word).max(200).default([]),
    /** Whether one who says nothing is refused too. */
    refuseEmpty: z.boolean().default(false),
  })
  .refine(({ refuse, refuseEmpty }) => refuse !== undefined || refuseEmpty, 'expected `refuse`, or `refuseEmpty: true`')

export type UserAgentOptions = z.output<typeof userAgentOptions>

/** One question per request: whether this program may not come. Everybody can call themselves what they like. */
export function compileUserAgents(options: UserAgentOptions): (userAgent: string | undefined) => boolean {
  const { refuse = [], allow, refuseEmpty } = options
  const refused = (refuse === 'suspicious' ? suspiciousWords : refuse).map((text) => text.toLowerCase())
  const allowed = allow.map((text) => text.toLowerCase())
  return (userAgent = '') => {
    if (userAgent.trim() === '') return refuseEmpty
    const lower = userAgent.toLowerCase()
    const has = (text: string): boolean => lower.includes(text)
    return refused.some(has) && !allowed.some(has)
  }
}
