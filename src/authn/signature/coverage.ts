import { type Component, canonicalIdentifier, componentOf } from '../../wire/signature-base.ts'
import { isMalformed, type Malformed } from '../../wire/structured-fields.ts'
import { isDigestAlgorithm } from './content-digest.ts'
import type { MessageSignatureOptions } from './options.ts'

/** Whether a signature covers what it has to, and whether it covers the body. */
export type CoverageCheck = (
  components: readonly Component[],
  hasBody: boolean,
) => { readonly body: boolean } | Malformed

/** What a signature has to cover, worked out once (RFC 9421 §3.2.1). */
export function coverageOf({ components: demanded, body }: MessageSignatureOptions): CoverageCheck {
  const wanted = demanded.map((text) => {
    const component = componentOf(text)
    if (isMalformed(component)) throw new TypeError(`\`${text}\` is no component`) // the configuration was checked
    const identifier = canonicalIdentifier(component)
    return { identifier, coveredBy: [identifier, ...(stands[component.name] ?? spellings(component))] }
  })

  return (components, hasBody) => {
    const covered = new Set(components.map(canonicalIdentifier))
    const missing = wanted.find(({ coveredBy }) => !coveredBy.some((one) => covered.has(one)))
    if (missing !== undefined) return { problem: `The signature has to cover \`${missing.identifier}\`` }
    const coversBody = components.some(isWholeDigest)
    if (hasBody && body === 'covered' && !coversBody)
      return { problem: 'The signature has to cover `"content-digest"`, since there is a body' }
    return { body: coversBody }
  }
}

/** What holds a component within: who signed the whole address has signed each of its parts. */
const stands: Readonly<Record<string, readonly string[]>> = {
  '@authority': ['"@target-uri"'],
  '@scheme': ['"@target-uri"'],
  '@path': ['"@target-uri"', '"@request-target"'],
  '@query': ['"@target-uri"', '"@request-target"'],
}

/** The whole of a field in another spelling. */
function spellings({ name, parameters }: Component): readonly string[] {
  return name.startsWith('@') || parameters.size > 0 ? [] : [`"${name}";sf`, `"${name}";bs`]
}

/** Whether it covers a digest that is checked: one member of another algorithm says nothing of the body. */
function isWholeDigest({ name, parameters }: Component): boolean {
  if (name !== 'content-digest') return false
  const key = parameters.get('key')
  return key === undefined || (key.type === 'string' && isDigestAlgorithm(key.value))
}
