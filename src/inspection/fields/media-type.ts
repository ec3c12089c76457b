/** A media type and its parameters. */
export interface MediaType {
  /** `application/json`, in lower case. */
  readonly type: string
  /** By their names in lower case. */
  readonly parameters: ReadonlyMap<string, string>
}

/**
 * Reads a media type (RFC 9110 §8.3.1). Stricter than its readers, who differ: a parameter that comes twice, an escape, or a rest
 * that is no parameter is a problem, since one of them takes the first boundary and another the last.
 */
export function readMediaType(text: string): MediaType | { readonly problem: string } {
  const type = typeAndSubtype.exec(text)
  if (type === null) return { problem: 'expected a media type, `application/json` for example' }
  const parameters = readParameters(text, type[0].length)
  return 'problem' in parameters ? parameters : { type: type[0].toLowerCase(), parameters: parameters.parameters }
}

/** Reads `; name=value; name="value"` to the end, each name once, in lower case. */
export function readParameters(
  text: string,
  start: number,
): { readonly parameters: ReadonlyMap<string, string> } | { readonly problem: string } {
  const parameters = new Map<string, string>()
  for (let at = start; at < text.length; ) {
    parameter.lastIndex = at
    const found = parameter.exec(text)
    if (found === null) {
      const rest = emptyRest.test(text.slice(at, at + restMax))
      return rest ? { parameters } : { problem: 'expected `; name=value`, each with a plain or a quoted value' }
    }
    const [, written = '', quoted, plain] = found
    const name = written.toLowerCase()
    if (parameters.has(name)) return { problem: `expected the parameter \`${name}\` once` }
    parameters.set(name, quoted ?? plain ?? '')
    at = parameter.lastIndex
  }
  return { parameters }
}

const typeAndSubtype = /^[\w!#$%&'*+.^`|~-]{1,128}\/[\w!#$%&'*+.^`|~-]{1,128}(?=[\t ;]|$)/

/** Without backslashes: some readers take them away, and some do not (RFC 7578 §5.1, RFC 6266 appendix D). */
const parameter =
  /[\t ]{0,8};[\t ]{0,8}([\w!#$%&'*+.^`|~-]{1,64})=(?:"([^"\\\p{Cc}]{0,1024})"|([\w!#$%&'*+.^`|~-]{1,1024}))(?=[\t ;]|$)/uy
const emptyRest = /^[\t ]{0,8};?[\t ]{0,8}$/
const restMax = 32
