import { type Detector, type Hint, noSigns, type Sign } from '../detector.ts'
import { sieve } from '../requirement.ts'
import { type Row, row, signsOf, strong, type Weight, weighed } from './rows.ts'
import { sensitiveFiles } from './sensitive-files.ts'
import { settingOf } from './setting.ts'

/** Paths that climb out of their folder, in every spelling, and files that nobody asks for by mistake (CWE-22). */
export const traversal: Detector = {
  family: 'traversal',
  scan(text, hint, look) {
    if (!pathy(text, look)) return noSigns
    const signs: Sign[] = [...signsOf(rows, text, hint, look)]
    const climbs = climbsOf(text)
    const climb = climbs.steps > 0 ? climbSign(text, hint, climbs) : undefined
    if (climb !== undefined) signs.push(climb)
    const file = fileSign(text, hint, climbs.steps)
    if (file !== undefined) signs.push(file)
    return signs.length === 0 ? noSigns : signs
  },
}

const pathy = sieve(
  /[/\\\0]|\.\.|%[0-9a-fu]|0x[25]|^\.[a-z]|\.(?:ini|inc|xml|conf|config)\b|id_[rde]|wp-config|authorized_keys|::\$/i,
)

interface Climbs {
  readonly steps: number
  /** Steps that are spelled so that they do not look like steps. */
  readonly hidden: number
  readonly start: number
  readonly end: number
}

/** Counts the steps up: two dots and a separator, however either is written, and dots that become two when a filter has passed. */
function climbsOf(text: string): Climbs {
  let best = noClimbs
  let steps = 0
  let hidden = 0
  let start = -1
  let end = 0
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at)
    if (code !== dot && code !== percent && code !== zero && code !== backslash && code < 0x2000) {
      // Another word is another path: a sentence that names three of them climbs nowhere.
      if (code <= 0x20 && steps > 0) {
        if (steps + hidden > best.steps + best.hidden) best = { steps, hidden, start, end }
        steps = 0
        hidden = 0
        start = -1
      }
      at++
      continue
    }
    let next = at
    let dots = 0
    let spelled = false
    for (;;) {
      const length = readDot(text, next)
      if (length === 0) break
      if (length > 1 || text.charCodeAt(next) !== dot) spelled = true
      dots++
      next += length
    }
    if (dots < 2) {
      at = Math.max(next, at + 1)
      continue
    }
    // `..;/` for servers that cut parameters off, `..%00/` and `..?/` for those that cut there.
    let between = next
    if (text.charCodeAt(between) === 0x3b) between++
    else if (text.startsWith('%00', between)) between += 3
    const separator = readSeparator(text, between)
    const before = at === 0 ? 0 : text.charCodeAt(at - 1)
    // `a..b`, `1...n`, and `wait.../or` are no steps; `..././` and `....//` become some.
    const isStep = dots === 2 ? !isNameChar(before) : dots <= 4 && isSlash(text.charCodeAt(between + 1))
    const tripled = dots === 3 && (before === slash || before === backslash) && separator > 0
    if (separator > 0 && (isStep || tripled || (dots === 3 && text.startsWith('./', between + 1)))) {
      steps++
      if (spelled || separator > 1 || text.charCodeAt(between) > 0x7f || between > next || dots > 2) hidden++
      if (start < 0) start = at
      end = between + separator
      at = end
    } else at = next
  }
  return steps > 0 && steps + hidden > best.steps + best.hidden ? { steps, hidden, start, end } : best
}

const noClimbs: Climbs = { steps: 0, hidden: 0, start: 0, end: 0 }

/** `.`, `%2e`, `%252e`, `0x2e`, `%c0%ae`, `%u002e`: its length, or 0. */
function readDot(text: string, at: number): number {
  const code = text.charCodeAt(at)
  if (code === dot || code === 0xff0e || code === 0x2024) return 1
  return code === percent || code === zero || code === backslash ? stickyLength(spelledDot, text, at) : 0
}

function readSeparator(text: string, at: number): number {
  const code = text.charCodeAt(at)
  if (code === backslash) return Math.max(1, stickyLength(spelledSeparator, text, at))
  if (code === slash || likeSlashes.includes(code)) return 1
  return code === percent || code === zero ? stickyLength(spelledSeparator, text, at) : 0
}

/** Division slash, fraction slash, set minus, and the wide forms of both. */
const likeSlashes: readonly number[] = [0x2215, 0x2044, 0x2216, 0xff0f, 0xff3c]

function isSlash(code: number): boolean {
  return code === slash || code === backslash
}

function stickyLength(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex - at : 0
}

const spelledDot =
  /(?:%(?:25){0,6}(?:2e|u002e|uff0e|u2024|%32%65|c0%(?:25){0,3}(?:ae|2e|5e|ee|fe)|e0%(?:25){0,3}80%(?:25){0,3}ae|f0%80%80%ae)|%(?:25){0,4}32%(?:25){0,4}65|0x2e|\\(?:u002e|x2e))/iy
const spelledSeparator =
  /(?:%(?:25){0,6}(?:2f|5c|u002f|u005c|u2215|u2216|uff0f|uefc8|bg%qf|c0%(?:25){0,3}(?:af|2f|5c|9v|qf)|c1%(?:25){0,3}(?:9c|8s|1c|pc|af)|e0%(?:25){0,3}80%(?:25){0,3}af|f0%80%80%af)|%(?:25){0,4}(?:32%(?:25){0,4}66|35%(?:25){0,4}63)|0x(?:2f|5c)|\\(?:u002f|u005c|x2f|x5c))/iy

function climbSign(text: string, hint: Hint, { steps, hidden, start, end }: Climbs): Sign | undefined {
  const weight = climbWeight(text, hint, steps, hidden, start, end)
  const confidence = weighed(weight, settingOf(text, hint))
  return confidence > 0
    ? { rule: hidden > 0 ? 'traversal/hidden-step' : 'traversal/step', confidence, start, end }
    : undefined
}

function climbWeight(text: string, hint: Hint, steps: number, hidden: number, start: number, end: number): Weight {
  if (hidden > 0) return steps > 1 || hint.in !== 'body' ? [0.93, 0.6, 0.05] : [0.6, 0.2, 0]
  const rest = text.slice(end, end + 160)
  if (hiddenFile.test(rest)) return [0.75, 0.2, 0]
  // `link:../../packages/x` refers as well.
  const fresh = start === 0 || /(?:^|[\s"'(=])(?:[a-z]{2,12}:)?["']?$/.test(text.slice(Math.max(0, start - 24), start))
  if (hint.in === 'body' && fresh && isReference(hint, steps, rest)) return steps > 2 ? [0.45, 0, 0] : [0.35, 0, 0]
  const strict = hint.role === 'identifier' || hint.in === 'path'
  // A reference of one file to another: `../../lib/x.js`, `../docs`, `./a/../b.md`.
  const refers = text.length > 0 && sourceLike.test(rest) && steps <= 5
  if (refers && !strict && hint.in !== 'query') return [0.15, 0, 0]
  if (steps === 1)
    return strict ? [0.75, 0.2, 0] : (start === 0 || rest === '') && hint.in === 'query' ? [0.55, 0, 0] : [0.2, 0, 0]
  if (steps === 2)
    return refers
      ? [hint.in === 'query' ? 0.55 : 0.45, 0, 0]
      : [!fresh || strict || hint.in === 'query' ? 0.75 : 0.35, 0.1, 0]
  return refers ? [0.5, 0, 0] : hint.in === 'body' && fresh && repository.test(rest) ? [0.3, 0, 0] : [0.9, 0.4, 0]
}

/** What is beside a file, as other files name it: a few steps, then plain names. Not under a name that uploads and downloads have. */
function isReference({ name, role }: Hint, steps: number, rest: string): boolean {
  if (served.test(name)) return false
  const referred = referredTo.exec(rest)?.[0]
  if (referred === undefined) return false
  if (steps <= 2) return true
  return steps <= 4 && (role !== 'identifier' || steps === 3) && sourceLike.test(referred)
}

const served = /^(?:file|file_?name|template|page|doc|document|attachment|download|view|load|read|include_?path)$/
/** Without a name that begins with a dot. */
const referredTo =
  /^(?:\.{1,2}$)?(?:[\w@*][\w@.*+-]{0,64}(?:\/(?:[\w@*][\w@.*+-]{0,64}|\*\*))*\/?)?(?=$|[\s"'`),;:\]}#?])/

const sourceLike =
  /^[^\s\0]{0,120}\.(?:[cm]?[jt]sx?|json[c5]?|md|mdx|css|s[ac]ss|less|vue|svelte|html?|png|jpe?g|gif|svg|webp|woff2?|ya?ml|toml|py|rb|rs|go|java|kt|proto|graphql|sql|txt|pdf|lock|d\.ts|zig|sh|wasm|ico|mp[34])\b(?!%00|\0)/i
/** What servers keep from those that ask. */
const hiddenFile = /^\.(?:env|git|svn|hg|ssh|aws|htaccess|htpasswd|npmrc|netrc|kube|docker)(?:\b|$)/i
/** Folders that projects have beside each other. */
const repository =
  /^(?:node_modules|packages|apps|libs?|src|dist|build|docs|tests?|examples|types|vendor|shared|common|tools|schemas?)(?:\/|$|["'\s])/i

function fileSign(text: string, hint: Hint, steps: number): Sign | undefined {
  sensitiveFile.lastIndex = 0
  let found = sensitiveFile.exec(text)
  if (found === null && steps > 0) {
    // `/etc/x/../passwd`
    const straight = text.slice(0, straightMax).replace(thereAndBack, '')
    sensitiveFile.lastIndex = 0
    if (straight.length < text.length && sensitiveFile.test(straight)) found = thereAndBack.exec(text)
    thereAndBack.lastIndex = 0
  }
  if (found === null) return undefined
  const setting = settingOf(text, hint)
  const start = found.index
  const end = start + found[0].length
  const confidence = weighed(fileWeight(text, hint, steps, start, end), setting)
  return confidence > 0 ? { rule: 'traversal/file', confidence, start, end } : undefined
}

const sensitiveFile = sensitiveFiles()
const thereAndBack = /(?<=[/\\])[\w.-]{1,64}[/\\]\.\.[/\\]/g
const straightMax = 4_096

function fileWeight(text: string, hint: Hint, steps: number, start: number, end: number): Weight {
  if (steps > 0) return [0.93, 0.6, 0.1]
  const whole = start <= 12 && text.length - end < 40
  const asked = hint.in === 'path' || hint.in === 'query' || hint.role === 'identifier'
  if (unmistakable.test(text.slice(start, end))) return [0.88, 0.25, 0]
  if (hint.in === 'body' && settings.test(hint.name)) return [0.4, 0, 0]
  if (asked) return whole ? [0.75, 0.2, 0] : [0.55, 0.1, 0]
  return whole ? [0.45, 0.1, 0] : [0.2, 0, 0]
}

/** `tls_cert_path`, `logfile`: a member that tells a program where its own things are. */
const settings =
  /(?:cert|key|ca|conf|config|log|tls|ssl|pem|socket|sock|env|bin|root|bundle|trust|store|mount|host|volume)[_.-]?(?:path|file|dir|folder|location)$/

const unmistakable =
  /etc.{1,16}(?:passwd|shadow)|proc.(?:self|\d{1,7}.(?:environ|cmdline|maps|fd))|win\.ini|boot\.ini|web-inf|id_rsa|winnt|tomcat-users|\.aws|\.ssh/i

const rows: readonly Row[] = [
  row(
    'traversal/null-byte',
    [0.9, 0.7, 0.3],
    /(?:%00|\0)(?:\.[a-z]{2,5}\b|$|[/\\])/gi,
    (text, _hint, start) => start > 0 && text.length < 4096,
  ),
  row('traversal/dots', [0.8, 0.1, 0], /[/\\]\.{6,}/g),
  row(
    'traversal/padding',
    [0.75, 0, 0],
    /\.{8,64}|(?:\.[/\\]{1,3}){5,64}/g,
    (text) => (text.charCodeAt(0) === slash || text.charCodeAt(0) === backslash) && !/\s/.test(text),
  ),
  row(
    'traversal/windows',
    [0.7, 0.2, 0],
    /(?:^|[=\s"'(/])(?:file:\/{0,3})?[a-z]:[\\/]{1,3}(?:windows|winnt|inetpub|boot\.ini|users[\\/]administrator|xampp|apache)[\\/]?/gi,
    (_text, { in: part }) => part !== 'body',
  ),
  row('traversal/stream', strong, /[\w.]::?\$(?:DATA|INDEX_ALLOCATION)\b/gi),
  row('traversal/device', strong, /(?:^|["'=\s])\\\\[?.]\\[\w.]/g),
  row(
    'traversal/hidden-file',
    [0.75, 0, 0],
    /^\/{0,2}(?:[\w-]{1,32}\/){0,4}\.(?:env(?:\.\w{1,16})?|git(?:\/|$)|svn|hg|aws|ssh|htaccess|htpasswd|npmrc|DS_Store|dockerenv|kube|vscode\/sftp\.json|bash_history)(?:$|\/|\?|\0|%00)/gi,
    (_text, { in: part }) => part === 'path' || part === 'query',
  ),
]

function isNameChar(code: number): boolean {
  const letter = code | 0x20
  return (letter >= 0x61 && letter <= 0x7a) || (code >= 0x30 && code <= 0x39)
}

const dot = 0x2e
const percent = 0x25
const zero = 0x30
const slash = 0x2f
const backslash = 0x5c
