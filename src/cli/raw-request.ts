import type { RequestParts } from '../inspection/fields/request.ts'
import { Usage } from './command.ts'

/** Reads a request as it goes over the wire (RFC 9112), leniently: lines may end in LF alone, and lengths are not believed. */
export function readRawRequest(text: string): RequestParts {
  const gap = /\r?\n\r?\n/.exec(text)
  const head = gap === null ? text.trimEnd() : text.slice(0, gap.index)
  const body = gap === null ? '' : text.slice(gap.index + gap[0].length)
  const [line = '', ...rest] = head.split(/\r?\n/)
  const [, target] = /^[A-Z]+ (\S+)(?: HTTP\/[\d.]+)?$/.exec(line) ?? []
  if (target === undefined)
    throw new Usage(
      `expected a request that begins with a line such as \`GET /search?q=text HTTP/1.1\`, got another first line`,
    )
  const headers: string[] = []
  for (const [index, field] of rest.entries()) {
    const colon = field.indexOf(':')
    if (colon < 1) throw new Usage(`expected \`Name: value\` in line ${index + 2} of the request`)
    headers.push(field.slice(0, colon).trim(), field.slice(colon + 1).trim())
  }
  const typeAt = headers.findIndex((name, at) => at % 2 === 0 && name.toLowerCase() === 'content-type')
  const query = target.indexOf('?')
  return {
    path: decoded(query < 0 ? target : target.slice(0, query)),
    params: {},
    query: query < 0 ? '' : target.slice(query + 1),
    headers,
    contentType: typeAt < 0 ? undefined : headers[typeAt + 1],
    body: body === '' ? undefined : Buffer.from(body),
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
