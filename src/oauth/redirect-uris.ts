/** What kind of program sends people back: one on a server, or one on the person's own device (RFC 7591 §2). */
export type ApplicationType = 'web' | 'native'

/**
 * What is wrong with an address that codes would be sent to, in half a sentence; undefined where nothing is. An address
 * passes that every reader reads alike, and that leads over https, to this device, or to one application on it.
 */
export function redirectUriProblem(uri: string, applicationType: ApplicationType): string | undefined {
  if (uri.length > lengthMax) return `expected at most ${lengthMax} characters, got ${uri.length}`
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(uri)?.[1]?.toLowerCase()
  if (scheme === undefined) return 'expected an absolute address, such as `https://app.example.com/callback`'
  const danger = dangerous.get(scheme)
  if (danger !== undefined) return `\`${scheme}:\` ${danger}`
  const spelling = spellings.find(({ found }) => found.test(uri))
  if (spelling !== undefined) return spelling.problem
  const url = URL.parse(uri)
  if (url === null) return 'expected an absolute address, got one that cannot be read'
  if (url.username !== '' || url.password !== '' || /^[^/?]*\/\/[^/?]*@/.test(uri)) return 'expected no user name in it'
  // Whoever reads it leniently sees what the strict one sees: one spelling, the one that the URL standard writes.
  if (url.href !== uri && url.href !== `${uri}/`) return `expected its usual spelling, \`${shortened(url.href)}\``
  switch (url.protocol) {
    case 'https:':
      return httpsProblem(url, applicationType)
    case 'http:':
      return httpProblem(url, applicationType)
    default:
      return privateUseProblem(uri, scheme, applicationType)
  }
}

/**
 * Whether an address that a request names is the registered one: the same text (RFC 9700 §2.1). On the person's own device
 * the port may be another, because the system gives programs whichever is free (RFC 8252 §7.3); nothing else may.
 */
export function redirectMatches(registered: string, asked: string): boolean {
  if (asked === registered) return true
  const here = loopback.exec(registered)?.groups
  const there = loopback.exec(asked)?.groups
  if (here === undefined || there === undefined) return false
  return here['host'] === there['host'] && here['rest'] === there['rest'] && Number(there['port'] ?? 80) <= 65_535
}

/** What the addresses of a client say of it where it says nothing: one on this device is a native application's. */
export function applicationTypeOf(uris: readonly string[]): ApplicationType {
  return uris.some((uri) => !uri.startsWith('https:')) ? 'native' : 'web'
}

const lengthMax = 2000

/** Schemes that run what they carry, read the machine, or leave the browser for something else. */
const dangerous: ReadonlyMap<string, string> = new Map([
  ['javascript', 'runs what it carries'],
  ['vbscript', 'runs what it carries'],
  ['data', 'is a page of whoever wrote it'],
  ['blob', 'is a page of whoever wrote it'],
  ['filesystem', 'is a page of whoever wrote it'],
  ['file', 'reads the machine'],
  ['about', 'leads nowhere'],
  ['view-source', 'leads nowhere'],
  ['mailto', 'writes a letter'],
  ['tel', 'makes a call'],
  ['sms', 'writes a message'],
  ['ws', 'opens no page'],
  ['wss', 'opens no page'],
  ['ftp', 'sends the code in the clear'],
  ['intent', 'lets any application on the device answer'],
])

/** What two readers could read in two ways. */
// biome-ignore format: a table
const spellings: readonly { readonly found: RegExp; readonly problem: string }[] = [
  { found: /#/,                                   problem: 'expected no fragment, not even an empty one (RFC 6749 §3.1.2)' },
  { found: /\*/,                                  problem: 'expected one address, got a pattern: addresses are compared character by character' },
  { found: /\\/,                                  problem: 'expected no backslash' },
  { found: /[^\x21-\x7e]/,                        problem: 'expected no space, control character or letter outside ASCII; encode it' },
  { found: /["<>^`{|}]/,                          problem: 'expected the characters of RFC 3986 only; encode the others' },
  { found: /%(?![0-9A-Fa-f]{2})/,                 problem: 'expected two hexadecimal digits after each `%`' },
  { found: /%(?:[01][0-9A-Fa-f]|7[Ff])/,          problem: 'expected no control character, not even an encoded one' },
  { found: /^[^?]*%(?:2[Ff]|5[Cc])/,              problem: 'expected no encoded slash in its path' },
  { found: /^[^:]+:(?:\/\/[^/?]*|(?!\/\/))[/?].*[[\]]/, problem: 'expected the characters of RFC 3986 only; encode the others' },
  { found: /^[^?]*[/:](?:\.|%2[Ee]){1,2}(?:[/?]|$)/, problem: 'expected no dot segment' },
]

function httpsProblem({ hostname }: URL, applicationType: ApplicationType): string | undefined {
  if (hostname.endsWith('.')) return 'expected a host without a dot at its end'
  if (applicationType === 'native' && loopbackHosts.has(hostname))
    return 'expected `http:` for an application on this device (RFC 8252 §7.3)'
  return undefined
}

function httpProblem({ hostname }: URL, applicationType: ApplicationType): string | undefined {
  if (!loopbackHosts.has(hostname)) return 'expected `https:`: a code that travels in the clear is anybody’s'
  if (applicationType === 'web')
    return 'expected `https:`; for an application on the person’s own device, say `application_type` `native`'
  return undefined
}

/** A scheme that an application claims on a device: its owner's domain, written backwards (RFC 8252 §7.1). */
function privateUseProblem(uri: string, scheme: string, applicationType: ApplicationType): string | undefined {
  if (applicationType === 'web') return 'expected `https:`'
  if (!/^[a-z][a-z0-9-]*(?:\.[a-z0-9][a-z0-9-]*)+$/.test(scheme))
    return `expected a scheme with a domain in it, such as \`com.example.app:/callback\`, got \`${shortened(scheme)}:\``
  if (!uri.startsWith(`${scheme}:/`))
    return `expected a path behind the scheme, such as \`${shortened(scheme)}:/callback\``
  return undefined
}

const loopbackHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

const loopback =
  /^http:\/\/(?<host>127\.0\.0\.1|\[::1\]|localhost)(?::(?<port>[1-9][0-9]{0,4}))?(?<rest>[/?][\x21\x22\x24-\x5b\x5d-\x7e]*)?$/

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
