/**
 * Whether a text is a path on this origin, whichever way a browser reads it: a second slash, or a backslash that browsers
 * take for one, would begin a host; tabs and line ends would be taken out of it first (WHATWG URL §4.4).
 */
export function isOwnPath(text: string): boolean {
  if (!/^\/(?![/\\])[\x21-\x7e]*$/.test(text) || text.includes('\\') || text.length > 2048) return false
  return URL.parse(text, probe)?.origin === probe
}

const probe = 'https://origin.invalid'
