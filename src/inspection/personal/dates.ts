import { isDay } from './checksums.ts'
import { wordsPattern } from './context.ts'
import { endsAfter, endsBefore, isDigit, type RunFinder } from './rule.ts'

/** A date that a word nearby says to be somebody's birthday. */
export const birthFinder: RunFinder = {
  kinds: ['date-of-birth'],
  find(around, { start: runStart }) {
    const { text } = around
    const written = readDate(text, runStart)
    if (written === undefined || !around.tells(birthWords, written.start, written.end)) return undefined
    return { kind: 'date-of-birth', rule: 'date-of-birth/by-word', ...written, confidence: 0.9 }
  },
}

const birthWords = wordsPattern([
  'born', 'birth', 'birthday', 'birthdate', 'birth date', 'date of birth', 'dob', 'd.o.b', 'geboren', 'geb', 'geburtsdatum', 'geburtstag', 'né le', 'née le', 'naissance', 'date de naissance',
  'nacido', 'nacida', 'nacimiento', 'nacio', 'nació', 'nato', 'nata', 'nascita', 'nascimento', 'nascido', 'nascida', 'geboortedatum', 'född', 'født', 'fødselsdato', 'syntynyt', 'urodzony', 'urodzenia',
  'рождения', 'родился', 'родилась', 'doğum', '出生', '生日', '生年月日', '생년월일', 'bday', 'b day',
]) // biome-ignore format: words

const months =
  '(?:jan(?:uary|uar|vier|uari)?|feb(?:ruary|ruar|ruari)?|f[eé]vr?(?:ier)?|mar(?:ch|s|zo)?|m[aä]rz|apr(?:il)?|avril|abril|may|mai|mayo|june?|juni|juin|junio|july?|juli|juillet|julio|aug(?:ust)?|ao[uû]t|agosto|sep(?:t|tember|tembre|tiembre)?|oct(?:ober|obre|ubre)?|okt(?:ober)?|nov(?:ember|embre|iembre)?|dec(?:ember)?|d[eé]c(?:embre)?|dez(?:ember)?|enero|dic(?:iembre)?|gennaio|febbraio|marzo)'

const numeric =
  /(?:(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})|(\d{4})([/.-])(\d{1,2})\6(\d{1,2})|(\d{4})年(\d{1,2})月(\d{1,2})日)/y
const dayFirst = new RegExp(`(\\d{1,2})(?:st|nd|rd|th|\\.)?(?: of| de)?[ -]${months}\\.?,?(?: de)?[ -](\\d{4})`, 'iy')
const monthBefore = new RegExp(`\\b${months}\\.? $`, 'i')
const afterMonth = /(\d{1,2})(?:st|nd|rd|th)?,? (\d{4})/iy

function readDate(text: string, start: number): { readonly start: number; readonly end: number } | undefined {
  if (!endsBefore(text, start)) return undefined
  const found = match(numeric, text, start)
  if (found !== null) {
    const [all, one, , two, , year, , month, day, , m, d] = found
    const valid =
      one !== undefined
        ? isDay(Number(one), Number(two)) || isDay(Number(two), Number(one))
        : year !== undefined
          ? isDay(Number(month), Number(day))
          : isDay(Number(m), Number(d))
    return valid && endsAfter(text, start + all.length) ? { start, end: start + all.length } : undefined
  }
  const named = match(dayFirst, text, start)
  if (named !== null)
    return endsAfter(text, start + named[0].length) ? { start, end: start + named[0].length } : undefined
  const before = monthBefore.exec(text.slice(Math.max(0, start - 12), start))
  if (before === null) return undefined
  const rest = match(afterMonth, text, start)
  if (rest === null) return undefined
  return { start: start - before[0].length, end: start + rest[0].length }
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

/** `63 years old`, `aged 63`, `age: 63`. */
export const ageFinder: RunFinder = {
  kinds: ['age'],
  find(around, run) {
    const { text } = around
    const { start, end } = run
    if (!run.isNumber || end - start > 3 || !endsBefore(text, start) || Number(text.slice(start, end)) > 120)
      return undefined
    if (isDigit(text.charCodeAt(start - 2)) && text.charCodeAt(start - 1) === 0x20) return undefined
    const said =
      oldAfter.test(text.slice(end, end + 16)) ||
      (endsAfter(text, end) && (ageBefore.test(text.slice(Math.max(0, start - 12), start)) || around.isNamed(ageName)))
    return said ? { kind: 'age', rule: 'age/by-word', start, end, confidence: 0.8 } : undefined
  },
}

const oldAfter = /^[ -](?:years?|yrs?\.?|year-olds?)(?:[ -](?:old|of age))|^ ?(?:y\/o|yo)\b/i
const ageBefore = /(?:^|[^a-z])(?:aged?|age is|age of)[ :="]{1,3}$/i
const ageName = /(?:^|\s)age$/i
