/**
 * Says of an answer that it is for this caller alone: a cache that several people share may not keep it (RFC 9111 §5.2.2.7).
 * What the upstream said of shared caches goes, also in fields that only they read (RFC 9213); the rest stays as it is.
 */
export function keepPrivate(headers: string[]): void {
  const said: string[] = []
  let kept = 0
  for (let at = 0; at < headers.length; at += 2) {
    const name = (headers[at] as string).toLowerCase()
    if (name === 'cache-control') said.push(headers[at + 1] as string)
    else if (!forSharedCaches.test(name)) {
      headers[kept++] = headers[at] as string
      headers[kept++] = headers[at + 1] as string
    }
  }
  headers.length = kept
  const directives = [...said.join(', ').matchAll(directive)].map(([text, name = '']) => ({
    text,
    name: name.toLowerCase(),
  }))
  const others = directives.filter(({ name }) => !sharing.has(name))
  const isStored = !others.some(({ name }) => name === 'no-store')
  headers.push('Cache-Control', [...(isStored ? ['private'] : []), ...others.map(({ text }) => text)].join(', '))
}

const forSharedCaches = /(?:^|-)cdn-cache-control$|^surrogate-control$/
/** RFC 9111 §5.2: a token, with an argument or without. */
const directive = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:=(?:"(?:[^"\\]|\\.)*"|[^\s,"]*))?/g
/** What lets shared caches keep it; and `private`, which with an argument speaks of single fields only. */
const sharing = new Set(['public', 's-maxage', 'proxy-revalidate', 'private'])
