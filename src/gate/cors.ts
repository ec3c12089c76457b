import { z } from 'zod'
import { duration } from '../kernel/shape.ts'

const origin = z
  .string()
  .refine(
    (text) => text === '*' || (URL.canParse(text) && new URL(text).origin === text),
    'expected an origin such as `https://app.example.com`, without a path',
  )
const token = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'expected a header name')

/** Which pages of other origins may read our answers (Fetch standard, CORS protocol). Nobody's, by default. */
export const corsOptions = z
  .strictObject({
    origins: z.array(origin),
    credentials: z.boolean().default(false),
    methods: z
      .array(z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']))
      .default(['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS']),
    headers: z.array(token).default(['Content-Type', 'Authorization', 'X-Request-ID']),
    exposed: z.array(token).default(['X-Request-ID']),
    maxAge: duration.default(600_000),
  })
  .refine((cors) => !(cors.credentials && cors.origins.includes('*')), {
    path: ['origins'],
    message: '`*` and `credentials: true` together let every page act as the person: list the origins',
  })

export type CorsOptions = z.output<typeof corsOptions>

export interface Cors {
  /** False: nothing was configured, and `OPTIONS` is a method like any other. */
  readonly configured: boolean
  /** What an answer to this origin says; nothing for a foreign one. */
  answer(origin: string | undefined): readonly string[]
  /** What the answer to a preflight says beyond that. */
  preflight(origin: string | undefined): readonly string[]
}

/** For what every program may ask, pages of any origin too: no cookie comes along, and none is asked for (Fetch standard). */
export const openCors: Cors = {
  configured: true,
  answer: () => openAnswer, // whoever asks: a cache between us keeps one answer for all
  preflight: () => openPreflight,
}

/** Works the headers out at load: per request it is one lookup. */
export function compileCors(options: CorsOptions | undefined): Cors {
  if (options === undefined) return { configured: false, answer: () => none, preflight: () => none }
  const every = options.origins.includes('*')
  const answers = new Map(options.origins.map((known) => [known, answerFields(known)]))
  // biome-ignore format: a table of name and value
  const asked = [
    'Access-Control-Allow-Methods', options.methods.join(', '),
    'Access-Control-Allow-Headers', options.headers.join(', '),
    'Access-Control-Max-Age', String(Math.floor(options.maxAge / 1000)),
  ]
  const vary = every ? none : ['Vary', 'Origin']
  return {
    configured: true,
    answer: (from) => (from === undefined ? vary : (answers.get(every ? '*' : from) ?? vary)),
    preflight: (from) => (from !== undefined && answers.has(every ? '*' : from) ? asked : none),
  }

  function answerFields(known: string): readonly string[] {
    const fields = ['Access-Control-Allow-Origin', known]
    if (known !== '*') fields.push('Vary', 'Origin')
    if (options?.credentials) fields.push('Access-Control-Allow-Credentials', 'true')
    if (options !== undefined && options.exposed.length > 0)
      fields.push('Access-Control-Expose-Headers', options.exposed.join(', '))
    return fields
  }
}

const none: readonly string[] = []

// biome-ignore format: a table of name and value
const openAnswer: readonly string[] = [
  'Access-Control-Allow-Origin', '*',
  'Access-Control-Expose-Headers', 'WWW-Authenticate, DPoP-Nonce',
]

// biome-ignore format: a table of name and value
const openPreflight: readonly string[] = [
  'Access-Control-Allow-Methods', 'GET, POST',
  'Access-Control-Allow-Headers', 'Authorization, Content-Type, DPoP, MCP-Protocol-Version',
  'Access-Control-Max-Age', '600',
]
