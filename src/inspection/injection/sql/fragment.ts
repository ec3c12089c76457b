import { noSigns, type Sign } from '../detector.ts'
import { wordOf } from './words.ts'

/**
 * The whole of a value is a function of SQL that opens its bracket, or a table of the database's own: nobody means that, but who
 * tries what comes back.
 */
export function scanFragment(text: string, isName: boolean): readonly Sign[] {
  if (text.length > 64) return noSigns
  const found = /^[\s'"(]{0,4}(?:select\s{0,4}\()?(@{0,2}[a-z_][\w$.]{1,40})\s{0,4}(\(?)[\s'")]{0,4}$/i.exec(text)
  const word = found?.[1] === undefined ? undefined : wordOf(found[1].toLowerCase())
  if (word?.trait === undefined) return noSigns
  const opens = found?.[2] === '('
  if (!opens && (isName || word.trait === 'plain' || !/[_$]/.test(word.text))) return noSigns
  return [{ rule: 'sql/fragment', confidence: opens && text.includes(')') ? 0.3 : 0.55, start: 0, end: text.length }]
}
