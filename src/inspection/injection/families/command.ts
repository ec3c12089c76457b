import { type Detector, type Hint, noSigns, type Sign } from '../detector.ts'
import { sieve } from '../requirement.ts'
import { shellRows } from './command-shapes.ts'
import { readWord, type Word } from './command-word.ts'
import {
  buildTools,
  idleAlone,
  ofWindows,
  runners,
  type Telling,
  tellingOf,
  unmistakableTools,
  wordyRunners,
} from './commands.ts'
import { signsOf } from './rows.ts'
import { sensitiveFiles } from './sensitive-files.ts'
import { settingOf } from './setting.ts'

/** Commands for `sh`, `bash`, `zsh`, `cmd.exe` and PowerShell (CWE-78): shapes that are theirs alone, and commands in their places. */
export const command: Detector = {
  family: 'command',
  scan(text, hint, look) {
    if (!shellish(text, look)) return noSigns
    const shapes = signsOf(shellRows, text, hint, look)
    const called = calledCommand(text, hint)
    return called === undefined ? shapes : [...shapes, called]
  },
}

/** A separator, an opening, a quote, a path, or the beginning of a word that could be a command by itself. */
const shellish = sieve(/[;|&`$<>/\\\n^%'"({*\x2d]|^\s{0,8}[a-z]{1,16}(?:\s|$)/i)

/** Where a command can begin, and how much it takes to get there. */
type Reach = 'start' | 'line' | 'background' | 'separator' | 'substitution'

/**
 * The surest command of the text. Points are counted for how its place was reached, for its name, for how the name is written, and
 * for what it is given; each alone is in texts that mean no harm.
 */
function calledCommand(text: string, hint: Hint): Sign | undefined {
  let best: { points: number; start: number; end: number } | undefined
  let setting: ReturnType<typeof settingOf> | undefined
  const inBody = hint.in === 'body' || hint.in === 'answer'
  const spaced = inBody || text.includes(' ')
  let script: boolean | undefined
  const lone = inBody && !text.includes(' ')
  let assigned = false
  // People write Markdown, entities and links; an identifier and a header are read by programs alone.
  const byPeople = hint.role !== 'identifier' && (inBody || hint.in === 'query')
  const spanWords = !byPeople ? Infinity : inBody && hint.role === 'prose' ? 1 : spanWordsMin
  for (const { reach, at, shown } of places(text, spanWords, inBody && byPeople)) {
    if (hint.role === 'name' && reach === 'start') continue
    if (inBody && byPeople && reach === 'separator' && isBarOfOthers(text, at - 1)) continue
    const word = readWord(text, skipSpace(text, at, spaced))
    if (word === undefined) continue
    if (word.assigns) assigned = true
    let points = pointsOf(text, word, reach, spaced, assigned)
    if (points < pointsMin - 2) continue
    setting ??= settingOf(text, hint)
    if (setting === 'document') {
      if (points < documentMin) continue
      points -= 4
    } else if (setting === 'prose') points -= 1
    if (inBody) {
      if (shown) points -= 3
      script ??= byPeople ? scriptNames.test(hint.name) || isScript(text) : hint.name === 'code' && isScript(text)
      if (script && reach !== 'start') points -= 4
      if (reach === 'start' && points < 5 && !word.quoted && (script || lone || hint.role !== 'identifier')) points--
      if (word.binary && word.end - at === text.length && !namedFor.has(hint.name)) points -= 3
      if (reach === 'line' && points < 5 && hint.role !== 'identifier') points--
    }
    if (hint.role === 'name') points--
    points += namedFor.get(hint.name) ?? 0
    if (best === undefined || points > best.points) best = { points, start: at, end: word.end }
    if (points >= pointsMax) break
  }
  if (best === undefined || best.points < pointsMin) return undefined
  const confidence = byPoints[Math.min(best.points, pointsMax) - pointsMin] as number
  return { rule: 'command/call', confidence, start: best.start, end: best.end }
}

const pointsMin = 3
const pointsMax = 6
/** A document of lines or of many words holds commands of all kinds: only what is all of it at once is told. */
const documentMin = 9
const byPoints: readonly number[] = [0.35, 0.7, 0.88, 0.96]

/** Parameters that are handed to a shell where there is a shell at all. */
const namedFor: ReadonlyMap<string, number> = new Map([
  ['cmd', 1],
  ['exec', 1],
  ['execute', 1],
  ['shell', 1],
  ['payload', 1],
  ['ping', 1],
  ['system', 1],
  ['code', 1],
  ['run', 1],
  ['daemon', 1],
  ['process', 1],
  ['host', 1],
  ['ip', 1],
  ['jump', 1],
  ['arg', 1],
  ['cli', 1],
  // Programs say what they are called there: `node`, `curl`, `wget`.
  ['user-agent', -1],
])

const reached: Readonly<Record<Reach, number>> = { start: 0, line: 1, background: 1, separator: 2, substitution: 2 }

function pointsOf(text: string, first: Word, reach: Reach, spaced: boolean, assigned: boolean): number {
  let word = first
  const points = reached[reach]
  let ran = 0
  for (let skipped = 0; skipped < 4; skipped++) {
    const runs = runners.has(word.name)
    const isEmpty = word.name === '' && word.variables > 0
    if (!runs && !word.assigns && !isEmpty) break
    const next = nextWord(text, word, runs, spaced)
    if (next === undefined) break
    if (isEmpty) {
      if (tellingOf(next.name) === undefined) break
      ran = 2
    } else if (runs && wordyRunners.has(word.name)) ran = Math.max(ran, word.quoted ? 2 : reach === 'start' ? 0 : 1)
    else if (runs && (next.isOption || tellingOf(next.name) !== undefined)) ran = 2
    if (next.isOption) break
    word = next
  }
  // `a=c;b=at;$a$b`: a command of variables that the text has set itself.
  if (word.variables > 0 && assigned && !word.assigns) return 5 + points
  if (word.wild) return 4 + points
  const telling = tellingOf(word.name)
  if (telling === undefined) return word.binary ? points + 4 : 0
  // Names of files are read as they are written where there is a shell of Unix: `; Apt 4` is an address.
  if (word.capital && telling < 3 && !ofWindows.has(word.name)) return 0
  const given = givenTo(text, word, spaced)
  const noise = word.noisy || word.variables > 0
  if (given === 0 && points === 2 && unmistakableTools.has(word.name) && hasArgument(text, word, spaced)) return 4
  if (given === 0 && telling < 3 && !noise && ran === 0 && !word.binary) return 0
  return (
    points +
    ran +
    telling +
    (noise ? 3 : word.quoted ? 1 : 0) +
    (word.binary ? 2 : 0) +
    given -
    shortOf(telling, reach, given, word, ran)
  )
}

/** Behind a runner also over what is its own: `timeout 1 id`, `stdbuf -o0 id`. */
function nextWord(text: string, word: Word, runs: boolean, spaced: boolean): Word | undefined {
  let next = readWord(text, skipSpace(text, word.end, spaced))
  if (!runs || !timed.has(word.name)) return next
  if (windowsFlag.test(text.slice(word.end, word.end + 8))) return undefined
  for (let skipped = 0; skipped < 3 && next !== undefined && /^[-\d]/.test(next.name); skipped++)
    next = readWord(text, skipSpace(text, next.end, spaced))
  return next
}

const windowsFlag = /^\s{1,4}\/[a-z]\s/i
const timed: ReadonlySet<string> = new Set(['timeout', 'nice', 'ionice', 'stdbuf', 'setsid', 'watch'])

function hasArgument(text: string, { end }: Word, spaced: boolean): boolean {
  const at = skipGap(text, end, spaced)
  return at > end && /[\w.*]/.test(text.charAt(at))
}

/** A plain name that ends the text proves little where nothing was broken out of, and behind `&`, which joins names too. */
function shortOf(telling: Telling, reach: Reach, given: number, word: Word, ran: number): number {
  if (word.noisy || telling === 3 || ran > 1) return 0
  if (reach === 'background') return given <= 1 ? 1 : 0
  if (reach === 'start') return telling === 1 && given < 3 && !word.quoted ? 1 : 0
  return 0
}

/** What stands behind the name: 3 a file that is worth it, 2 a path, a flag, an address, 1 the end or an expansion, 0 a plain word. */
function givenTo(text: string, { end, name, noisy }: Word, spaced: boolean): number {
  const at = skipGap(text, end, spaced)
  const code = text.charCodeAt(at)
  // `| id | name |` is a row of a table.
  if (at > end && text.charCodeAt(at) === 0x7c && text.charCodeAt(at + 1) !== 0x7c) return 0
  if (at >= text.length || isStop(text, at)) return idleAlone.has(name) && !noisy ? 0 : 1
  if (at === end && code !== 0x3c && code !== 0x3e && code !== 0x2f && code !== 0x24) return 0
  const rest = text.slice(at, at + 96)
  sensitiveFile.lastIndex = 0
  if (sensitiveFile.test(rest)) return 3
  if (name === 'echo' || name === 'print' || name === 'printf')
    return /^[-'"$`\\]|^\S{1,24}(?:[|;>`)]|$)/.test(rest) ? 2 : 0
  if (name === 'sleep' || name === 'timeout' || name === 'kill') return /^(?:-?[$(\d]|\/t\b)/i.test(rest) ? 2 : 0
  if (name === 'dd') return /^(?:if|of)=/.test(rest) ? 2 : 0
  if (name === 'ps') return /^(?:-|a?ux|ax|ef)/.test(rest) ? 2 : 0
  if (pathOrFlag.test(rest)) return 2
  if (/^["'$`*?<>{\\]/.test(rest)) return 1
  if (argument.test(rest)) return 2
  if (administrators.has(name)) return administration.test(rest) ? 3 : 0
  return 0
}

/** Commands of Windows whose first argument is a word, and says what they are. */
const administrators: ReadonlySet<string> = new Set(['net', 'net1', 'reg', 'sc', 'wmic', 'netsh'])
const administration =
  /^(?:user|view|localgroup|use|group|share|accounts|start|stop|query|add|save|export|delete|create|config|process|os|advfirewall|firewall|wlan|interface)\b/i
const sensitiveFile = sensitiveFiles()
const pathOrFlag =
  /^(?:-{1,2}[a-z0-9]|~|\.{0,2}\/|\/[a-z?]|\.(?:\s|$|[;|&])|[a-z]:[\\/]|\\\\|https?:|ftp:|\d{1,3}\.\d{1,3}\.|%[a-z]{1,16}%|@|<|>|\+[a-z%]|\|)/i
/** A name with an ending, or a host: what files and machines look like, and words do not; two ends of a text are its end. */
const argument = /^[\w-]{1,48}(?:\/[\w.-]|\.[a-z]{1,10}(?:[\s;|&<>`)'"/:]|$)|\s{0,4}(?:[|;<>`]|&&))/i

function isStop(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  // ; | & ` ) newline # } and quotes
  return (
    code === 0x3b ||
    code === 0x7c ||
    code === 0x26 ||
    code === 0x60 ||
    code === 0x29 ||
    code === 0x0a ||
    code === 0x0d ||
    code === 0x23 ||
    code === 0x7d ||
    code === 0x22 ||
    code === 0x27 ||
    code === 0
  )
}

/** Whether the text is itself a line of a builder's: `tsc && rm -rf dist`. */
function isScript(text: string): boolean {
  const opening = scriptOpening.exec(text)
  if (opening === null) return ownPath.test(text)
  const name = (opening[1] as string).toLowerCase()
  return (
    buildTools.has(name) ||
    (tellingOf(name) === 2 &&
      (pathOrFlag.test(text.slice(opening[0].length, opening[0].length + 32)) ||
        ownProgram.test(text.slice(opening[0].length, opening[0].length + 256))))
  )
}

/** What builders call their scripts. */
const scriptNames =
  /^(?:pre|post)?(?:build|test|dev|start|lint|format|fmt|clean|install|publish|release|prepare|typecheck|types|check|watch|serve|deploy|generate|docs|bench|ci|e2e|fix|coverage|run)(?::|$)/
/** `./scripts/build.sh`, `node_modules/.bin/x`. */
const ownPath = /^\s{0,8}(?:\.\/|\.?\w[\w-]{0,40}\/)[\w@./-]{1,120}(?:\s|$)/
/** A program of one's own that is handed to its interpreter: `python tools/build.py`. */
const ownProgram =
  /^(?:-{1,2}[\w=-]{1,40}\s{1,4}){0,4}(?!\/(?:tmp|dev|proc|etc)\b)[\w@./-]{1,80}\.(?:[cm]?[jt]s|py|rb|p[lm]|php|sh|bash|jar|lua|ps1|bat)(?:\s|$)/
const scriptOpening = /^\s{0,8}(?:[$#>]\s)?(?:[A-Z_]{1,32}=\S{0,64}\s){0,4}([a-z][a-z0-9._-]{0,24})\s/

function skipGap(text: string, from: number, spaced: boolean): number {
  let at = from
  while (at < text.length && isGap(text.charCodeAt(at), spaced)) at++
  return at
}

/** Also over what may stand before a command. */
function skipSpace(text: string, from: number, spaced: boolean): number {
  let at = from
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (!isGap(code, spaced) && !isOpener(code, text.charCodeAt(at + 1))) break
  }
  return at
}

function isGap(code: number, spaced: boolean): boolean {
  return code === 0x20 || code === 0x09 || (code === 0x2b && !spaced)
}

/** `{ cat x; }`, `( id )`, `! id`, `@echo`: what may stand between a separator and a command. */
function isOpener(code: number, next: number): boolean {
  if (code === 0x28 || code === 0x40) return true
  return (code === 0x7b || code === 0x21) && next === 0x20
}

/** `<https://example.com/1|first>` of a message, and `(get|head|put)` of an expression: bars that no shell reads. */
function isBarOfOthers(text: string, at: number): boolean {
  if (text.charCodeAt(at) !== 0x7c) return false
  alternative.lastIndex = at + 1
  if (alternative.test(text) && /[(|]\w{1,32}$/.test(text.slice(Math.max(0, at - 33), at))) return true
  const before = text.slice(Math.max(0, at - 300), at)
  return /^<(?:https?:|mailto:|[@#!])[^\s<>]{1,300}$/.test(before.slice(before.lastIndexOf('<')))
}

const alternative = /[\w-]{1,32}[|)]/y

/** Where a package comes from: `git+https://…`. */
const compoundScheme = /^\s{0,4}(?:git|svn|hg|bzr)\+[a-z]{2,8}:/i

function* places(
  text: string,
  spanWords: number,
  entities: boolean,
): Generator<{ reach: Reach; at: number; shown: boolean }> {
  let open = false
  let spans: boolean | undefined
  let shown = false
  if (!compoundScheme.test(text)) yield { reach: 'start', at: 0, shown }
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x3b) yield { reach: entities && isEntity(text, at) ? 'start' : 'separator', at: at + 1, shown }
    else if (code === 0x0a || code === 0x0d) yield { reach: 'line', at: at + 1, shown }
    else if (code === 0x60) {
      open = !open
      if (open) spans ??= hasSpans(text, spanWords)
      shown = open && spans === true
      if (open) yield { reach: shown ? 'start' : 'substitution', at: at + 1, shown }
    } else if (code === 0x7c) {
      const after = text.charCodeAt(at + 1)
      if (after === 0x7c || after === 0x26) at++ // `|&` hands on what is said to be wrong, too
      yield { reach: 'separator', at: at + 1, shown }
    } else if (code === 0x26) {
      const double = text.charCodeAt(at + 1) === 0x26
      if (double) at++
      yield { reach: double ? 'separator' : 'background', at: at + 1, shown }
    } else if ((code === 0x24 || code === 0x3c || code === 0x3e) && text.charCodeAt(at + 1) === 0x28) {
      if (text.charCodeAt(at + 2) !== 0x28) yield { reach: 'substitution', at: at + 2, shown }
      at++
    }
  }
}

/** Whether backticks are how Markdown marks code: there are words around them. */
function hasSpans(text: string, wordsMin: number): boolean {
  let words = 0
  let others = 0
  let inside = false
  let run = 0
  for (let at = 0; at <= text.length && words < wordsMin; at++) {
    const code = at < text.length ? text.charCodeAt(at) : 0x20
    const letter = code | 0x20
    if (code === 0x60) inside = !inside
    if (!inside && code > 0x2e7f && ++others >= 4) return true
    if (!inside && ((letter >= 0x61 && letter <= 0x7a) || code > 0xbf)) run++
    else {
      if (run > 1 || (run === 1 && code === 0x20)) words++
      run = 0
    }
  }
  return words >= wordsMin
}

const spanWordsMin = 3

/** `&amp;`: the semicolon of an entity separates nothing. */
function isEntity(text: string, at: number): boolean {
  for (let from = at - 1; from >= 0 && from > at - 10; from--) {
    const code = text.charCodeAt(from)
    if (code === 0x26) return from < at - 1
    const letter = code | 0x20
    if (!(letter >= 0x61 && letter <= 0x7a) && !(code >= 0x30 && code <= 0x39) && code !== 0x23) return false
  }
  return false
}
