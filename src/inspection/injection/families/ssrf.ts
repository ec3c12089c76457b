import { type Detector, type Hint, noSigns, type Sign } from '../detector.ts'
import { sieve } from '../requirement.ts'
import { type HostKind, hostKind } from './host-spelling.ts'
import { likely, type Row, row, signsOf, strong, sure, type Weight, weak, weighed } from './rows.ts'
import { settingOf } from './setting.ts'

/** Addresses that only the server can reach, in every spelling, and schemes that are none of the web's (CWE-918). */
export const ssrf: Detector = {
  family: 'ssrf',
  scan(text, hint, look) {
    if (!begins.test(text) && !addressed(text, look)) return noSigns
    const signs = [...signsOf(rows, text, hint, look)]
    const address = innerAddress(text, hint)
    if (address !== undefined) signs.push(address)
    return signs.length === 0 ? noSigns : signs
  },
}

const begins = /^[\s"'(]{0,4}(?:\[|\d|local|meta|inst|host\.|kube|[\w-]{1,40}\.)/i
const addressed = sieve(
  /\/\/|\\\\|\/\\|\\\/|:\/|:\\|\.(?:internal|local|nip\.io|sslip\.io)\b|(?:https?|file|dict|gopher|ldap|jar|netdoc|unix):/i,
)

function innerAddress(text: string, hint: Hint): Sign | undefined {
  let best: { rule: string; confidence: number; start: number; end: number } | undefined
  let setting: ReturnType<typeof settingOf> | undefined
  for (const { authority, start, end, bare, odd } of authorities(text)) {
    const judged = odd ? judgeOdd(authority) : judge(authority, text, end, bare, hint)
    if (judged === undefined) continue
    setting ??= settingOf(text, hint)
    const confidence = weighed(judged.weight, setting)
    if (confidence > 0 && (best === undefined || confidence > best.confidence))
      best = { rule: judged.rule, confidence, start, end }
    if (best !== undefined && best.confidence > 0.9) break
  }
  return best
}

interface Authority {
  readonly authority: string
  /** The stretch of the authority. */
  readonly start: number
  readonly end: number
  /** Whether the text is nothing but this, without a scheme. */
  readonly bare: boolean
  /** Whether other than two slashes stand behind the scheme of the web, which readers of addresses pass over. */
  readonly odd: boolean
}

/** What stands between two slashes and the next, and a whole text that may be a host. */
function* authorities(text: string): Generator<Authority> {
  scheme.lastIndex = 0
  let found = false
  for (let match = scheme.exec(text); match !== null; match = scheme.exec(text)) {
    found = true
    const start = match.index + match[0].length
    let end = start
    const last = Math.min(text.length, start + 255)
    while (end < last && !isEnd(text.charCodeAt(end))) end++
    const odd = match[0] !== '//' && /https?:$/i.test(text.slice(Math.max(0, match.index - 6), match.index))
    const authority = text.slice(start, end)
    if (end > start) {
      if (odd) yield { authority, start, end, bare: false, odd }
      yield { authority, start, end, bare: false, odd: false }
    }
  }
  const slashless = found ? null : withoutSlashes.exec(text)
  if (slashless !== null) {
    const authority = slashless[2] as string
    const start = (slashless[1] as string).length
    yield { authority, start, end: start + authority.length, bare: false, odd: true }
    return
  }
  if (found || text.length > 300) return
  const bare = bareHost.exec(text)
  if (bare === null) return
  const host = bare[1] as string
  const start = bare[0].indexOf(host)
  yield { authority: host, start, end: start + host.length, bare: true, odd: false }
}

/** From its slashes on: to try a scheme at each letter would take far longer. */
const scheme = /(?<=[a-z][a-z0-9+.-]{1,12}:)[/\\]{1,4}(?=[^/\\\s])|(?<![:\w/\\.])[/\\]{2}(?=[\w[])/gi
const withoutSlashes = /^([\s"']{0,4}(?:url:)?https?:)([\w[][^\s/?#\\]{1,250})/i
const bareHost = /^[\s"']{0,4}((?:[\w.-]{1,120}|\[[0-9a-f:.%\w]{2,60}\])(?::\d{1,5})?)(?:[/?#\\][^\s]{0,160})?\s{0,4}$/i

function isEnd(code: number): boolean {
  // / ? # and what ends an address in a text
  return (
    code === 0x2f ||
    code === 0x3f ||
    code === 0x23 ||
    code <= 0x20 ||
    code === 0x22 ||
    code === 0x3c ||
    code === 0x3e ||
    code === 0x60 ||
    code === 0x7d ||
    code === 0x2c ||
    code === 0x29
  )
}

function judge(
  authority: string,
  text: string,
  end: number,
  bare: boolean,
  hint: Hint,
): { rule: string; weight: Weight } | undefined {
  const at = authority.lastIndexOf('@')
  const host = hostOf(authority.slice(at + 1))
  if (/[\u2460-\u24ff\u3002\uff0e\uff61]/.test(authority)) return { rule: 'ssrf/enclosed', weight: sure }
  if (!bare && /^\\{0,2}(?:[a-z0-9.]{1,2}\\{1,2}){3}/i.test(authority))
    return { rule: 'ssrf/escaped-host', weight: sure }
  if (!bare && /[^\\]\\{1,2}[@\w]/.test(authority) && (at >= 0 || text.charCodeAt(end) === 0x2f))
    return { rule: 'ssrf/confused-authority', weight: at >= 0 ? strong : weak }
  const kind = hostKind(host)
  if (at >= 0 && kind === undefined && looksLikeHost(authority.slice(0, at)) && !bare)
    return { rule: 'ssrf/user-host', weight: [0.6, 0.1, 0] }
  if (kind === undefined) return collaborator.test(host) ? { rule: 'ssrf/collaborator', weight: strong } : undefined
  return judgeKind(kind, host, authority, at, text, end, bare, hint)
}

/** `http:/127.0.0.1`, `http:\\127.0.0.1`: an address is given no way to be read by a reader that looks for two slashes. */
function judgeOdd(authority: string): { rule: string; weight: Weight } | undefined {
  const kind = hostKind(hostOf(authority.slice(authority.lastIndexOf('@') + 1)))
  if (kind === undefined || kind.reach === 'public') return undefined
  return { rule: 'ssrf/disguised-address', weight: [0.9, 0.3, 0] }
}

function judgeKind(
  kind: HostKind,
  host: string,
  authority: string,
  at: number,
  text: string,
  end: number,
  bare: boolean,
  hint: Hint,
): { rule: string; weight: Weight } | undefined {
  if (bare) return judgeBare(kind, host, text, end, hint)
  if (kind.reach === 'metadata') return { rule: 'ssrf/metadata', weight: [0.95, 0.3, 0.02] }
  if (kind.disguised && kind.reach !== 'public') return { rule: 'ssrf/disguised-address', weight: [0.95, 0.5, 0.05] }
  if (at > 0 && kind.reach !== 'public' && looksLikeHost(authority.slice(0, at)))
    return { rule: 'ssrf/user-host', weight: sure }
  if (kind.disguised) return { rule: 'ssrf/disguised-address', weight: [0.7, 0.2, 0] }
  if (kind.reach === 'public') return undefined
  return {
    rule: kind.reach === 'loopback' ? 'ssrf/loopback' : 'ssrf/inner-address',
    weight: [innerConfidence(text, authority, end, hint), 0.1, 0],
  }
}

/** Builders call their own machines, on ports for that; a server is asked for what listens on it. */
function innerConfidence(text: string, authority: string, end: number, { in: part, name, role }: Hint): number {
  const whole =
    text.length - end < 200 &&
    /^[\s"']{0,4}(?:[\w-]{1,40}=)?(?:url:)?(?:[a-z][a-z0-9+.-]{1,12}:)?[/\\]{1,4}\S{0,300}$/i.test(text)
  if (!whole) return 0.2
  if (returning.test(name)) return 0.2
  // Addresses of databases are in configurations; what a server can be made to fetch is the web's.
  if (part === 'body' && !/^(?:[\w-]{1,40}=)?(?:(?:https?|ftp):)?[/\\]{2}/i.test(text)) return 0.2
  const asked = part === 'query' || part === 'path' || part === 'cookie' || part === 'header'
  const port = /:(\d{1,5})$/.exec(authority)?.[1]
  const ofBuilders = port !== undefined && builderPorts.has(port)
  if (part === 'header' && /^(?:origin|referer|host|x-forwarded-\w{1,8})$/.test(name)) return 0.1
  if (asked || role === 'identifier')
    return ofBuilders && !(asked && servedInside.test(text.slice(end, end + 40))) ? 0.45 : 0.75
  if (ofBuilders) return 0.2
  return servedInside.test(text.slice(end, end + 40)) || (port !== undefined && insidePorts.has(port))
    ? 0.7
    : fetched.test(name)
      ? 0.55
      : 0.35
}

/** Where somebody is sent to, where something listens, and what a log says of a request that was: nobody fetches these. */
const returning =
  /^(?:request|http|full|original|raw|client|remote|local|peer|source|listen|bind|log)[._-]?\w{0,12}(?:ur[li]|target|address|host|ip)$|^(?:uri|url)\.full$|referr?er|^test|redirect|return|callback|logout|issuer|origin|audience|base.?url|homepage|server|endpoint|upstream|public|website|proxy|target_?base/
const fetched =
  /^(?:webhook|hook|feed|image|img|src|avatar|picture|fetch|import|load|page|remote|download|preview|notify|ping)/
const servedInside =
  /^\/(?:admin|manager|console|actuator|server-status|metrics|_cluster|_cat|latest|phpmyadmin|etc|private|internal|secret|shutdown|debug|jolokia|solr|v1\.\d\d|api\/v1\/(?:secrets|namespaces|pods|nodes|serviceaccounts|configmaps))/i
const builderPorts: ReadonlySet<string> = new Set([
  '3000',
  '3001',
  '3002',
  '4000',
  '4200',
  '4317',
  '4318',
  '4321',
  '4444',
  '5000',
  '5001',
  '5173',
  '6006',
  '6060',
  '7860',
  '8000',
  '8001',
  '8008',
  '8080',
  '8081',
  '8082',
  '8085',
  '8088',
  '8090',
  '8443',
  '8787',
  '8888',
  '9000',
  '9090',
  '9091',
  '9180',
  '9411',
  '11434',
  '16686',
  '1234',
  '3100',
  '8765',
])
const insidePorts: ReadonlySet<string> = new Set([
  '22',
  '21',
  '23',
  '25',
  '2375',
  '2376',
  '2379',
  '3306',
  '5432',
  '6379',
  '6443',
  '9200',
  '9300',
  '10250',
  '10255',
  '11211',
  '27017',
  '5984',
  '8500',
  '445',
  '139',
  '389',
])

/** A host without a scheme: an address alone may be data of a network; with a path, disguised, or of a cloud it is asked for. */
function judgeBare(
  kind: HostKind,
  host: string,
  text: string,
  end: number,
  { in: part, name }: Hint,
): { rule: string; weight: Weight } | undefined {
  if (!/[.:[]/.test(host) && kind.reach !== 'loopback') return undefined
  if (/^\d{1,12}(?:\.\d{1,9}){0,2}\.?$/.test(host)) return undefined
  if (kind.reach === 'metadata')
    return { rule: 'ssrf/metadata', weight: part === 'query' || text.length > end + 4 ? sure : likely }
  if (kind.disguised && kind.reach !== 'public')
    return {
      rule: 'ssrf/disguised-address',
      weight: host.includes('x') || host.startsWith('[') || /[a-z]/.test(host) ? strong : [0.55, 0, 0],
    }
  if (part !== 'query' || kind.reach === 'public') return undefined
  const asks = /url|uri|link|target|dest|fetch|src|host|server|site|proxy|domain|callback|feed/.test(name)
  const path = text.charCodeAt(end) === 0x2f
  return asks || path ? { rule: 'ssrf/inner-host', weight: [path ? 0.65 : 0.5, 0, 0] } : undefined
}

function hostOf(written: string): string {
  if (written.startsWith('[')) return written.slice(0, written.indexOf(']') + 1)
  const colon = written.indexOf(':')
  if (colon >= 0 && !/^:\d{0,5}(?:[\\;&|'].{0,255})?$/.test(written.slice(colon))) return ''
  return (colon < 0 ? written : written.slice(0, colon)).replace(/[\\;&|'].{0,255}$/, '')
}

function looksLikeHost(text: string): boolean {
  return /^[\w-]{1,60}(?:\.[\w-]{1,60}){1,5}(?::\d{1,5})?(?:[\\#&]{0,2})$/.test(text) && !/^\$/.test(text)
}

/** Services that tell a tester that a server came by. */
const collaborator =
  /(?:^|\.)(?:burpcollaborator\.net|oastify\.com|oast\.(?:pro|live|site|online|fun|me)|interact\.sh|interactsh\.com|dnslog\.cn|ceye\.io|requestcatcher\.com|canarytokens\.(?:com|org)|r87\.(?:com|me)|bxss\.me|xss\.ht|pipedream\.net|webhook\.site|requestbin\.(?:net|com)|pingb\.in|eye\.sh|dnsbin\.zhack\.ca|ngrok\.io|beeceptor\.com)$/i

const rows: readonly Row[] = [
  row(
    'ssrf/scheme',
    sure,
    /(?:^|[=\s"'([,:])(?:gopher|dict|tftp|netdoc|jar:(?:https?|file|ftp)|ldapi|sftp|phar|expect|view-source|unix|slp|rtsp|mongodb\+gopher)(?::|%3a)(?:https?(?::|%3a))?(?:\/|%2f){1,4}\S/gi,
    isShort,
  ),
  row(
    'ssrf/file',
    [0.85, 0.2, 0],
    /(?:^|[=\s"'([,])(?:url:)?file(?::|%3a)(?:\/|\\|%2f|%5c|\$\{){1,5}[^\s"']{0,160}/gi,
    isParameter,
  ),
  row(
    'ssrf/file-of-system',
    sure,
    /(?:^|[=\s"'([,])(?:url:)?(?:file|local_file)(?::|%3a)(?:\/|\\|%2f|%5c|localhost\/){1,6}[^\s"']{0,24}(?:etc|proc|root|var|sys|dev|c:|c\||windows|boot\.ini)(?:[/\\]|$|%2f|%5c)/gi,
    isOfSystem,
  ),
  row('ssrf/directory', likely, /(?:^|[=\s"'])ldaps?:(?:\/\/)[^\s"']{3,120}/gi, isAsked),
  row(
    'ssrf/second-line',
    sure,
    /(?:https?|gopher|dict|ftp):\/\/[^\s"']{3,160}(?:%0d%0a|%0a|%250d%250a|\r\n)(?:[A-Z]{3,10}[\s%:]|[\w-]{1,24}:|\*\d)/gi,
  ),
  row(
    'ssrf/address-pair',
    likely,
    /https?:\/\/[^\s/"'<>]{1,80}(?:\s?&@|\s?#@|\\@|%00@|%23@|%40|%5c@)[^\s/"'<>]{3,80}/gi,
    isAskedOrTold,
  ),
]

function isShort(text: string): boolean {
  return text.length < 1000
}

/** A drive is where the files of editors lie, too. */
function isOfSystem(text: string, hint: Hint, start: number, end: number): boolean {
  return isShort(text) && (isParameter(text, hint, start) || !/c[:|][/\\]?$/i.test(text.slice(start, end)))
}

function isAsked(text: string, hint: Hint, start: number): boolean {
  return hint.role === 'identifier' || isParameter(text, hint, start)
}

/** Only who wants two readers to disagree writes a user behind the fragment. */
function isAskedOrTold(text: string, hint: Hint, start: number, end: number): boolean {
  return isAsked(text, hint, start) || (text.length < 400 && /[#&\\]@/.test(text.slice(start, end)))
}

/** Members of bodies name files of their sender's: editors, agents and builders tell each other so where a document is. */
function isParameter(text: string, { in: part }: Hint, start: number): boolean {
  if (part === 'query' || part === 'path' || part === 'header' || part === 'cookie') return true
  return start < 24 && text.includes('$') && text.length < 400
}
