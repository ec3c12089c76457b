import type { SecretKind } from '../secrets/kinds.ts'
import { addressLineFinder } from './address.ts'
import { accountRules, cardFinder, ibanFinder } from './bank.ts'
import { Surroundings } from './context.ts'
import { ageFinder, birthFinder } from './dates.ts'
import { emailMax, findEmail } from './email.ts'
import { better, formFinder } from './forms.ts'
import { asiaPacific } from './ids/asia-pacific.ts'
import { northAmerica } from './ids/north-america.ts'
import { northernEurope } from './ids/northern-europe.ts'
import { southAmerica } from './ids/south-america.ts'
import { westernEurope } from './ids/western-europe.ts'
import { type PersonalKind, usualKinds } from './kinds.ts'
import { addressFinder, findMac, findUrl } from './network.ts'
import { phoneFinder } from './phone.ts'
import { asWritten, plainOf } from './plain.ts'
import { isDigit, isEscape, isLetter, type Run, type RunFinder, type Sighting } from './rule.ts'
import { travel } from './travel.ts'
import { walletFinder } from './wallet.ts'

/** Where in a text something was found that is not for everybody. Never what was found. */
export interface Match {
  readonly kind: PersonalKind | SecretKind
  /** `national-id/es-nif`, `secret/github-token`. */
  readonly rule: string
  readonly start: number
  readonly end: number
  /** How sure, from 0 to 1. */
  readonly confidence: number
}

/** Finds one sort of thing in texts. */
export interface TextScanner {
  /** Matches that do not overlap, in order. Linear in the length of the text. `name` is the member that the text is the value of. */
  scan(text: string, name?: string): readonly Match[]
  /** No match is longer than this, and none depends on more than this many characters before or after it. */
  readonly reach: number
}

/** A scanner for personal data of these kinds, or of the usual ones. */
export function openPersonalScanner({
  kinds = usualKinds,
}: {
  readonly kinds?: readonly PersonalKind[] | undefined
} = {}): TextScanner {
  const wanted = new Set(kinds)
  const rules = allRules.filter(({ kind }) => wanted.has(kind))
  const finders = [...runFinders, formFinder(rules)].filter((finder) => finder.kinds.some((kind) => wanted.has(kind)))
  return {
    reach,
    scan(text, name) {
      if (text.length === 0) return noMatches
      const plain = plainOf(text)
      return plain === undefined
        ? scan(text, name, finders, wanted)
        : asWritten(scan(plain.text, name, finders, wanted), plain, reach)
    },
  }
}

/** The longest match is an e-mail address or one of the web; how far a town may stand behind a street is looked up as far again. */
const reach = 2 * (emailMax + 2)

const noMatches: readonly Match[] = []

const allRules = [
  ...northAmerica,
  ...southAmerica,
  ...westernEurope,
  ...northernEurope,
  ...asiaPacific,
  ...accountRules,
  ...travel,
]

const runFinders: readonly RunFinder[] = [
  cardFinder,
  ibanFinder,
  phoneFinder,
  addressFinder,
  birthFinder,
  walletFinder,
  addressLineFinder,
  ageFinder,
]

function scan(
  text: string,
  name: string | undefined,
  finders: readonly RunFinder[],
  wanted: ReadonlySet<PersonalKind>,
): readonly Match[] {
  const around = new Surroundings(text, name)
  const [emails, macs, urls] = [wanted.has('email'), wanted.has('mac'), wanted.has('url')]
  let matches: Match[] | undefined
  let from = 0
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at)
    const trigger = code < 128 ? triggers[code] : 0
    if (trigger === 0) {
      at++
      continue
    }
    let found: Sighting | undefined
    let next = at + 1
    if (trigger === digitTrigger) {
      const run = runAt(text, at, from)
      next = run.end
      found = bestOf(around, run, finders)
      if (macs && found === undefined) found = findMac(text, run.end)
    } else if (code === 0x40) found = emails ? findEmail(text, at, from) : undefined
    else if (code === 0x3a && urls && text.charCodeAt(at + 1) === 0x2f) found = findUrl(text, at)
    else if (macs) found = findMac(text, at)
    if (found === undefined || !wanted.has(found.kind) || found.end <= at) {
      at = next
      continue
    }
    matches ??= []
    // What reaches back further than an earlier match did was misread there: a number within an address.
    while (matches.length > 0 && (matches.at(-1) as Match).start >= found.start) matches.pop()
    if (found.start >= (matches.at(-1)?.end ?? 0)) {
      matches.push(found)
      from = found.end
    }
    at = found.end
  }
  return matches ?? noMatches
}

const digitTrigger = 1
const triggers = new Uint8Array(128)
for (let digit = 0x30; digit <= 0x39; digit++) triggers[digit] = digitTrigger
for (const mark of '@:-') triggers[mark.charCodeAt(0)] = 2

function bestOf(around: Surroundings, run: Run, finders: readonly RunFinder[]): Sighting | undefined {
  let best: Sighting | undefined
  for (const finder of finders) best = better(best, finder.find(around, run))
  return best
}

/** The run of letters and digits around the first digit of one. It begins no earlier than `from`, and 80 letters before. */
function runAt(text: string, digitAt: number, from: number): Run {
  let start = digitAt
  while (start > from && digitAt - start < 80 && isLetter(text.charCodeAt(start - 1))) start--
  if (start < digitAt && start > from && isEscape(text, start + 1)) start++
  let end = digitAt + 1
  let isNumber = start === digitAt
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (isDigit(code)) continue
    if (!isLetter(code)) break
    isNumber = false
  }
  return { start, end, digitAt, isNumber }
}
