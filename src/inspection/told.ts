import { type Code, type Refusal, refuse } from '../kernel/error.ts'
import type { Finding } from './finding.ts'
import { findingText } from './finding.ts'
import { placeText } from './place.ts'

/**
 * The refusal of a request for what was found in it. The caller is told where, and as what, so that honest senders can help
 * themselves; which rule, and how sure it was, only the record says.
 */
export function refuseFor(code: Code, findings: readonly Finding[]): Refusal {
  const [first] = findings
  if (first === undefined) throw new Error('expected something that was found')
  const told = new Map(
    findings.map(({ place, what }) => [`${placeText(place)} ${what}`, { in: place.in, at: shown(place.at), what }]),
  )
  const more = told.size - 1
  return refuse(code, {
    detail: `${what(code)}: ${first.what} in ${shown(placeText(first.place))}${more > 0 ? `, and ${more} more` : ''}`,
    extensions: { findings: [...told.values()].slice(0, toldMax) },
    reason: findings.slice(0, toldMax).map(findingText).join('; '),
  })
}

const toldMax = 10

function what(code: Code): string {
  switch (code) {
    case 'injection-detected':
      return 'the request looks like an attack'
    case 'prompt-injection-detected':
      return 'a text gives orders to a model'
    case 'personal-data-refused':
      return 'the request holds personal data'
    case 'secret-refused':
      return 'the request holds a secret'
    case 'moderation-refused':
      return 'a text is not welcome here'
    default:
      return 'the request is refused'
  }
}

/** Names of fields are the sender's own: as much of them as helps. */
function shown(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100).toWellFormed()}…` : name
}
