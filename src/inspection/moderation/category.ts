/** What a text can be judged to hold (CT5). */
export const categories = [
  'violence',
  'hate',
  'harassment',
  'self-harm',
  'sexual',
  'illegal',
  'personal-information',
  'harmful-instructions',
] as const

export type Category = (typeof categories)[number]
