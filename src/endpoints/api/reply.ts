import type { Outbound } from '../../http/message.ts'

/** An answer in JSON. Nothing of ours is kept by caches. */
export function json(status: number, value: unknown, ...headers: string[]): Outbound {
  const body = Buffer.from(`${JSON.stringify(value)}\n`)
  return {
    status,
    headers: [
      'Content-Type',
      'application/json',
      'Content-Length',
      String(body.byteLength),
      'Cache-Control',
      'no-store',
      ...headers,
    ],
    body,
  }
}

/** An answer in JSON that anybody may keep for a while. */
export function kept(value: unknown, maxAgeSeconds: number): Outbound {
  const body = Buffer.from(`${JSON.stringify(value)}\n`)
  // biome-ignore format: a table of name and value
  const headers = [
    'Content-Type', 'application/json',
    'Content-Length', String(body.byteLength),
    'Cache-Control', `public, max-age=${maxAgeSeconds}`,
  ]
  return { status: 200, headers, body }
}

export function text(status: number, mediaType: string, content: string): Outbound {
  const body = Buffer.from(content)
  return { status, headers: ['Content-Type', mediaType, 'Content-Length', String(body.byteLength)], body }
}
