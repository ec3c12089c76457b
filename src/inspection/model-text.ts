import { compileAllowed } from './allowed.ts'
import type { Field } from './field.ts'

/** Which fields hold texts that a model, or a moderator, would read: those that are named, or whatever may be a text. */
export function isModelText(places: readonly string[] | undefined): (field: Field) => boolean {
  if (places === undefined) return isText
  const among = (part: 'body' | 'answer') =>
    compileAllowed(places.map((at) => ({ field: at.startsWith('/') ? `${part} ${at}` : at })))
  const [asked, answered] = [among('body'), among('answer')]
  return ({ place, role }) => role !== 'name' && (asked('', place) || answered('', place))
}

/** Whatever people or programs wrote as text; names and ids are not. A `page` of several words is none, whatever it is called. */
function isText({ place, role, text }: Field): boolean {
  if ((place.in !== 'body' && place.in !== 'answer') || role === 'name' || text.length < textMin) return false
  return role !== 'identifier' || text.length > identifierMax || text.includes(' ')
}

const identifierMax = 64

/** Nobody is told anything in fewer characters. */
const textMin = 4
